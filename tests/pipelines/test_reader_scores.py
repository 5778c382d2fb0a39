"""What a reader is given says nothing of hidden documents: whether one holds a word shows in no number, in no index."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.model import Filter
from penstock.pipelines import reports
from penstock.pipelines.records import Record
from penstock.pipelines.workspace import Penstock
from penstock.settings import read_settings
from penstock.testing.embedders import LittleModel

WORDS = ("leave", "salary", "bonus", "travel", "pension", "holiday", "training", "年假", "工资")
READER = Filter(principals=frozenset({"ann"}))
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join), min_size=1, max_size=6)
Opener = Callable[[Path], Any]


@pytest.fixture(params=["tantivy", "rank-bm25", pytest.param("elasticsearch", marks=pytest.mark.elasticsearch)])
def opener(request: pytest.FixtureRequest, model: LittleModel) -> Opener:
    """Opens a home whose indexes are of that kind."""
    given: dict[str, Any] = {"indexes": {"keyword": request.param}}
    if request.param == "elasticsearch":
        url = request.getfixturevalue("elasticsearch_url")
        given = {
            "indexes": {"keyword": "elasticsearch", "vector": "elasticsearch"},
            "elasticsearch": {"urls": [url], "replicas": 0},
        }

    @contextmanager
    def opened(home: Path) -> Iterator[Penstock]:
        with Penstock(settings=read_settings(home=home, **given)) as penstock:
            yield penstock
            if request.param == "elasticsearch":
                with Elasticsearch(given["elasticsearch"]["urls"][0]) as client:
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
    told = json.dumps([found, reports.answer(penstock.ask(question, where=where))], ensure_ascii=False)
    for hit in found["hits"]:
        del hit["score"], hit["trace"]["ranks"]
    return told, sorted(json.dumps(hit, ensure_ascii=False) for hit in found["hits"])


def test_a_reader_gets_no_score_in_which_hidden_chunks_count(opener: Opener, tmp_path: Path) -> None:
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
    assert raw[0] != pytest.approx(raw[1], rel=1e-3)  # what told it


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=TEXTS,
    word=st.sampled_from(WORDS[:7]),
    others=st.lists(st.sampled_from(WORDS[:7]), max_size=2),
    times=st.integers(1, 9),
)
def test_what_a_hidden_document_says_is_in_no_number(
    opener: Opener, tmp_path_factory: pytest.TempPathFactory, texts: list[str], word: str, others: list[str], times: int
) -> None:
    """One hidden document holds the word, the other another word as often: a reader cannot tell them apart.

    For a question of several words the order may differ, as rarer words count more, and nothing else may.
    """
    with ExitStack() as open_:
        homes = [open_.enter_context(opener(tmp_path_factory.mktemp("home"))) for _ in range(2)]
        for penstock, hidden in zip(homes, (word, "zebra"), strict=True):
            fill(penstock, texts, " ".join([hidden] * times))
        one, other = (answers(penstock, word) for penstock in homes)
        assert one == other
        question = " ".join((word, *others))
        one, other = (answers(penstock, question) for penstock in homes)
        assert one[1] == other[1]
        assert all("hidden" not in told and "zebra" not in told for told, _ in (one, other))
