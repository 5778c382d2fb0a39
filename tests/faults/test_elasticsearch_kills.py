"""A server that is killed, and a writer that is killed, with writes in flight: nothing is lost, nothing is there twice,
and no revision is reported whose chunks are not all there.

At each of these moments, a kill of either could leave the index between two revisions.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from penstock.errors import IndexUnavailable
from penstock.model import Filter
from penstock.pipelines.ingest.records import Record
from penstock.pipelines.workspace import Penstock
from penstock.settings import Legs
from penstock.testing.doubles.embedders import LittleModel
from tests.servers.elasticsearch import ElasticsearchServer, Version
from tests.servers.proxy import Asked, Forward, Proxy, Reply, no_fault

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(300), pytest.mark.usefixtures("following_at_once")]

Opener = Callable[..., Penstock]
WORDS = (
    *("turbine", "valve", "reservoir", "gate", "年假", "pump", "water", "leave", "carry", "year", "pressure"),
    *("penstock", "水轮机", "压力"),
)
QUESTIONS = ("turbine valve", "年假 leave carry", "pressure 水轮机 gate", "n17 pump")


def records(first: int, last: int, edition: str = "") -> list[Record]:
    """Small documents that all differ; those of another edition have other texts."""
    found = []
    for number in range(first, last):
        chance = random.Random(f"{number} {edition}")
        text = f"{' '.join(chance.choices(WORDS, k=12))} n{number} {edition}"
        found.append(Record(uri=f"record:{number:05}", text=text))
    return found


BEFORE = records(0, 500)
CHANGED = [*records(0, 300, "anew"), *records(500, 1500)]
"""Replaces 300 of the 500 documents that were there before, and adds 1,000."""


def has(asked: Asked, word: str) -> bool:
    """Whether the request is of a kind: a bulk that writes or deletes, a refresh, of the state, of aliases."""
    path = asked.path.partition("?")[0]
    if word in ("index", "delete"):
        return path.endswith("_bulk") and asked.body.startswith(f'{{"{word}"'.encode())
    return {"refresh": path.endswith("_refresh"), "state": asked.method == "PUT" and path.endswith("_doc/state")}[word]


class Death:
    """A fault that kills a process at the n-th request of a kind; from then on there are no faults."""

    def __init__(self, proxy: Proxy, kind: str, nth: int, how: str, kill: Callable[[], None]) -> None:
        self._proxy, self._kind, self._left, self._how, self._kill = proxy, kind, nth, how, kill
        self.came = threading.Event()

    def __call__(self, asked: Asked, forward: Forward) -> Reply:
        if self._left < 1 or not has(asked, self._kind):
            return forward(asked.body)
        self._left -= 1
        if self._left:
            return forward(asked.body)
        if self._how == "half":
            self._proxy.send_half(asked)
        elif self._how == "answered":
            forward(asked.body)
        killing = threading.Timer(0.005 if self._how == "working" else 0, self._kill)
        killing.start()
        try:
            if self._how == "working":
                forward(asked.body)  # the answer, if there is one, is lost
        finally:
            killing.join()
            self.came.set()
        raise ConnectionAbortedError


MOMENTS = [
    pytest.param("8", "index", 1, "half", id="8: half of the first bulk sent"),
    pytest.param("8", "index", 3, "working", id="8: working on a bulk"),
    pytest.param("8", "refresh", 2, "before", id="8: deleted and not refreshed"),
    pytest.param("8", "delete", 1, "working", id="8: working on deletions"),
    pytest.param("8", "state", 3, "answered", id="8: the answer to a revision lost"),
    pytest.param("9", "index", 2, "answered", id="9: the answer to a bulk lost"),
    pytest.param("9", "index", 6, "working", id="9: working on a later bulk"),
    pytest.param("9", "delete", 2, "answered", id="9: the answer to deletions lost"),
    pytest.param("9", "refresh", 4, "answered", id="9: the answer to a refresh lost"),
    pytest.param("9", "state", 2, "before", id="9: before a revision is written"),
]


@pytest.mark.parametrize(("version", "kind", "nth", "how"), MOMENTS)
def test_a_server_killed_while_it_is_written_to(
    version: Version,
    kind: str,
    nth: int,
    how: str,
    mortal_elasticsearch: Callable[[Version], ElasticsearchServer],
    proxied: Callable[[str], Proxy],
    client_of: Callable[[str], Elasticsearch],
    opened: Opener,
    model: LittleModel,
) -> None:
    server = mortal_elasticsearch(version)
    proxy, client = proxied(server.url), client_of(server.url)
    penstock = opened(proxy.url)
    penstock.add(BEFORE)
    proxy.fault = death = Death(proxy, kind, nth, how, server.kill)
    with pytest.raises(IndexUnavailable, match="no answer"):
        penstock.add(CHANGED)
    assert death.came.wait(60)
    proxy.fault = no_fault
    server.start()
    is_whole_at_its_revision(client, penstock)
    answers_whole(penstock, opened(server.url, candidates=20), model)
    penstock.add(CHANGED)
    is_as_undisturbed(client, penstock, of_undisturbed(version, client, opened, server.url))


WRITER = """
import json, sys
from penstock.pipelines.ingest import ingest
from penstock.pipelines.workspace import Penstock
from penstock.settings import read_settings
from penstock.testing.doubles.embedders import LittleModel

ingest.SECONDS_BETWEEN_FOLLOWS = -1.0
settings = read_settings(**json.loads(sys.argv[1]))
with Penstock(settings=settings, embedder=LittleModel(dimension=32)) as penstock:
    penstock.ingest(sys.argv[2])
"""
DEATHS = [
    ("index", 1, "half"),
    ("index", 2, "working"),
    ("state", 1, "before"),
    ("refresh", 1, "answered"),
    ("index", 3, "answered"),
    ("delete", 1, "half"),
    ("delete", 1, "answered"),
    ("state", 2, "answered"),
    ("refresh", 2, "before"),
    ("index", 2, "half"),
]


def write_files(folder: Path, numbers: range, edition: str = "") -> None:
    for record in records(numbers.start, numbers.stop, edition):
        (folder / f"{record.uri.removeprefix('record:')}.txt").write_text(record.text, "utf-8")


def test_a_writer_killed_ten_times_while_it_writes(
    elasticsearch_url: str,
    proxied: Callable[[str], Proxy],
    client_of: Callable[[str], Elasticsearch],
    opened: Opener,
    model: LittleModel,
    tmp_path: Path,
) -> None:
    """Each time another process continues from there, also in the middle of deleting and writing again."""
    proxy, client = proxied(elasticsearch_url), client_of(elasticsearch_url)
    folder = tmp_path / "files"
    folder.mkdir()
    write_files(folder, range(60))
    reader = opened(elasticsearch_url, candidates=20)
    reader.ingest(folder)
    write_files(folder, range(60, 360))
    settings = json.loads(reader.settings.model_dump_json(include={"home", "indexes", "elasticsearch"}))
    settings |= {"batch": 20, "elasticsearch": {"urls": [proxy.url], "replicas": 0, "attempts": 2}}
    for number, (kind, nth, how) in enumerate(DEATHS):
        if kind == "delete":
            write_files(folder, range(60), f"edition {number}")
        writer = subprocess.Popen([sys.executable, "-c", WRITER, json.dumps(settings), str(folder)])
        death = Death(proxy, kind, nth, how, partial(os.kill, writer.pid, signal.SIGKILL))
        proxy.fault = death
        assert writer.wait(120) == -signal.SIGKILL, (kind, nth, how)
        assert death.came.wait(10)
        is_whole_at_its_revision(client, reader)
        answers_whole(reader, reader, model)
    reader.ingest(folder)
    undisturbed = opened(elasticsearch_url, "undisturbed")
    undisturbed.ingest(folder)
    expected = seen_of(client, undisturbed)
    assert len(expected.ids) == 360
    is_as_undisturbed(client, reader, expected)


def is_whole_at_its_revision(client: Elasticsearch, penstock: Penstock) -> None:
    """The index as the servers hold it before any repair: it has all chunks live at the revision that it reports."""
    applied, held = as_held(client, penstock)
    assert applied <= penstock.collection.revision()
    assert set(penstock.collection.live_rows(at=applied).tolist()) <= set(held)


def answers_whole(penstock: Penstock, reader: Penstock, model: LittleModel) -> None:
    """Searches while another process holds the lock, so that nothing is repaired: each answer is of one revision."""
    with penstock._lock():
        retriever = reader.retriever_of("vector")  # so that it can be compared with the sum of all chunks
        for question in QUESTIONS:
            found = retriever.retrieve(question, k=10, where=Filter())
            assert are_nearest(penstock, model, question, found.revision, [hit.chunk.id for hit in found.hits])


def are_nearest(penstock: Penstock, model: LittleModel, question: str, revision: int, ids: list[str]) -> bool:
    """Whether these ten were the live chunks of a revision with the largest inner products, all of them compared."""
    scope = penstock.collection.scope(Filter(), at=revision)
    live = penstock.collection.hydrate(penstock.collection.live_rows(at=revision), scope=scope)
    vectors = model.embed([hydrated.chunk.context for hydrated in live.values()], role="passage")
    products = vectors @ model.embed([question], role="query")[0]
    scores = dict(zip((hydrated.chunk.id for hydrated in live.values()), products.tolist(), strict=True))
    best = sorted(scores.values(), reverse=True)[:10]
    return len(set(ids)) == 10 and [scores.get(id_, -1) for id_ in ids] == pytest.approx(best, abs=1e-6)


def as_held(client: Elasticsearch, penstock: Penstock) -> tuple[int, dict[int, str]]:
    """The revision that the index reports, and its chunk ids by row; each row once."""
    (alias,) = [name for name in client.indices.get(index="*") if penstock.collection.uid in name]
    client.indices.refresh(index=alias)
    query = {"exists": {"field": "row"}}
    found = client.search(index=alias, query=query, size=10_000, source_includes=["row", "chunk_id"])["hits"]["hits"]
    rows = {int(hit["_source"]["row"]): str(hit["_source"]["chunk_id"]) for hit in found}
    assert len(rows) == len(found) == client.count(index=alias, query=query)["count"]
    return int(client.get(index=alias, id="state")["_source"]["applied"]), rows


Answers = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Undisturbed:
    """What an undisturbed index holds and finds."""

    ids: list[str]
    near: Answers
    by_words: Answers


_UNDISTURBED: dict[Version, Undisturbed] = {}


def of_undisturbed(version: Version, client: Elasticsearch, opened: Opener, url: str) -> Undisturbed:
    """Made once for a version."""
    if version not in _UNDISTURBED:
        undisturbed = opened(url, "undisturbed")
        undisturbed.add(BEFORE)
        undisturbed.add(CHANGED)
        _UNDISTURBED[version] = seen_of(client, undisturbed)
    return _UNDISTURBED[version]


def seen_of(client: Elasticsearch, undisturbed: Penstock) -> Undisturbed:
    """Reads its state."""
    ids = sorted(as_held(client, undisturbed)[1].values())
    near = answers(undisturbed, "vector", 10)
    undisturbed._followers.keyword.rebuild()
    return Undisturbed(ids=ids, near=near, by_words=answers(undisturbed, "keyword", 2000))


def answers(penstock: Penstock, leg: Legs, k: int) -> Answers:
    """The hits of a leg, with scores."""
    retriever = penstock.retriever_of(leg)
    return {
        question: {hit.chunk.id: hit.score for hit in retriever.retrieve(question, k=k, where=Filter()).hits}
        for question in QUESTIONS
    }


def is_as_undisturbed(client: Elasticsearch, penstock: Penstock, undisturbed: Undisturbed) -> None:
    """The same chunks as in the catalog and in an undisturbed index; the same answers."""
    diagnosis = penstock.doctor()
    assert diagnosis.ok, diagnosis.problems
    live = penstock.collection.chunk_ids(penstock.collection.live_rows().tolist())
    applied, held = as_held(client, penstock)
    assert (applied, held) == (penstock.collection.revision(), live)
    assert sorted(held.values()) == undisturbed.ids
    by_words = answers(penstock, "keyword", 2000)
    for question in QUESTIONS:
        assert by_words[question].keys() == undisturbed.by_words[question].keys()
        near, theirs = answers(penstock, "vector", 10)[question], undisturbed.near[question]
        assert sorted(near.values()) == pytest.approx(sorted(theirs.values()), abs=1e-6)
    # Deleted texts count in BM25's statistics until the server merges them away, when it likes.
    penstock._followers.keyword.rebuild()
    for question, found in answers(penstock, "keyword", 2000).items():
        assert found == pytest.approx(undisturbed.by_words[question], rel=1e-5)
