"""A reader's results reveal nothing about hidden documents: their words change no number, whatever the index."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.model import Filter
from penstock.pipelines.ingest.records import Record
from penstock.pipelines.reporting import reports
from penstock.pipelines.workspace import Penstock
from penstock.settings import read_settings
from penstock.testing.doubles.embedders import LittleModel
from tests.examples import examples

WORDS = ("leave", "salary", "bonus", "travel", "pension", "holiday", "training", "年假", "工资")
READER = Filter(principals=frozenset({"ann"}))
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join), min_size=1, max_size=6)
Opener = Callable[[Path], Any]


@pytest.fixture(params=["tantivy", "rank-bm25"])
def embedded(request: pytest.FixtureRequest, model: LittleModel) -> Opener:
    """Opens a home whose words are in an index of that kind."""
    return lambda home: Penstock(settings=read_settings(home=home, indexes={"keyword": request.param}))


@pytest.fixture
def on_server(elasticsearch_url: str, model: LittleModel) -> Opener:
    """Opens a home whose words and vectors are in Elasticsearch; they are deleted at the end."""
    indexes = {"keyword": "elasticsearch", "vector": "elasticsearch"}
    there = {"urls": [elasticsearch_url], "replicas": 0}

    @contextmanager
    def opened(home: Path) -> Iterator[Penstock]:
        settings = read_settings(home=home, indexes=indexes, elasticsearch=there)
        with Penstock(settings=settings) as penstock, Elasticsearch(elasticsearch_url) as client:
            yield penstock
            for index in client.indices.get(index=f"penstock-default-{penstock.collection.uid}*"):
                client.indices.delete(index=index)

    return opened


def fill(penstock: Penstock, texts: list[str], hidden: str) -> None:
    """Texts that everybody sees, and one that only the board does."""
    open_ = [Record(uri=f"memo:{number}", text=text) for number, text in enumerate(texts)]
    penstock.add([*open_, Record(uri="memo:hidden", text=hidden, access=frozenset({"board"}))])


def answers(penstock: Penstock, question: str, where: Filter = READER) -> tuple[str, list[str]]:
    """All that a reader is given, and the hits of it without their places in the order."""
    found = reports.retrieved(penstock.search(question, k=20, where=where))
    printed = json.dumps([found, reports.answer(penstock.ask(question, where=where))], ensure_ascii=False)
    for hit in found["hits"]:
        del hit["score"], hit["trace"]["ranks"]
    return printed, sorted(json.dumps(hit, ensure_ascii=False) for hit in found["hits"])


def check_scores(opener: Opener, tmp_path: Path) -> None:
    raw = []
    for number, hidden in enumerate(("salary salary salary", "travel travel travel")):
        with opener(tmp_path / str(number)) as penstock:
            fill(penstock, ["leave and salary", "leave and holiday", "a pension"], hidden)
            everything = penstock.search("salary", where=Filter(sources=("memo:[0-9]",))).hits
            raw.append(everything[0].trace.scores["keyword"])
            hits = penstock.search("salary", where=READER).hits
            assert [hit.chunk.id for hit in hits] == [hit.chunk.id for hit in everything]
            assert [set(hit.trace.scores) for hit in hits] == [{"vector"}] * 3
            assert [dict(hit.trace.shares) for hit in hits] == [{}] * 3
            assert [round(hit.score, 2) for hit in hits] == [1, 0.92, 0.85]
            assert dict(hits[0].trace.ranks) == {"keyword": 1, "vector": everything[0].trace.ranks["vector"]}
    assert raw[0] != pytest.approx(raw[1], rel=1e-3)  # what revealed it


def test_a_reader_gets_no_score_in_which_hidden_chunks_count(embedded: Opener, tmp_path: Path) -> None:
    check_scores(embedded, tmp_path)


@pytest.mark.elasticsearch
def test_nor_does_a_reader_of_elasticsearch(on_server: Opener, tmp_path: Path) -> None:
    check_scores(on_server, tmp_path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Texts that everybody sees, a question's words, and how often a hidden document holds the first of them."""

    texts: list[str]
    word: str
    others: list[str]
    times: int


ASKED = st.builds(
    Asked,
    texts=TEXTS,
    word=st.sampled_from(WORDS[:7]),
    others=st.lists(st.sampled_from(WORDS[:7]), max_size=2),
    times=st.integers(1, 9),
)


def check_answers(opener: Opener, folder: Path, asked: Asked) -> None:
    """A hidden document with the word and one with another word as often: a reader sees no difference.

    For a question of several words the order may differ, as rarer words count more, and nothing else may.
    """
    with ExitStack() as open_:
        homes = [open_.enter_context(opener(folder / str(number))) for number in range(2)]
        for penstock, hidden in zip(homes, (asked.word, "zebra"), strict=True):
            fill(penstock, asked.texts, " ".join([hidden] * asked.times))
        first, second = (answers(penstock, asked.word) for penstock in homes)
        assert first == second
        question = " ".join((asked.word, *asked.others))
        first, second = (answers(penstock, question) for penstock in homes)
        assert first[1] == second[1]
        assert all("hidden" not in printed and "zebra" not in printed for printed, _ in (first, second))


HARD = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@settings(HARD, max_examples=examples(8))
@given(asked=ASKED)
def test_what_a_hidden_document_says_is_in_no_number(
    embedded: Opener, tmp_path_factory: pytest.TempPathFactory, asked: Asked
) -> None:
    check_answers(embedded, tmp_path_factory.mktemp("homes"), asked)


@pytest.mark.elasticsearch
@settings(HARD, max_examples=examples(4))
@given(asked=ASKED)
def test_nor_in_one_of_elasticsearch(on_server: Opener, tmp_path_factory: pytest.TempPathFactory, asked: Asked) -> None:
    check_answers(on_server, tmp_path_factory.mktemp("homes"), asked)
