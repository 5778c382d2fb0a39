"""Checks everything that must hold after a kill, from outside and through the program."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks.faults.places import Place
from benchmarks.faults.tables import History, broken_rules, changed_history, damaged_files
from benchmarks.faults.work import EVERYWHERE, Held, State
from penstock.catalog.database.dialect import backend_of
from penstock.errors import DamagedIndex
from penstock.ids import chunk_id, document_id
from penstock.model import Filter
from penstock.pipelines import assembly
from penstock.pipelines.indexing import indexes
from penstock.pipelines.indexing.following import Followers
from penstock.pipelines.workspace import Penstock


def tables(place: Place, history: History) -> Iterator[str]:
    """Problems of the catalog before the program opens it."""
    engines = backend_of(place.url or f"sqlite:///{place.home / assembly.CATALOG}").connect()
    try:
        with engines.reading.connect() as connection, connection.begin():
            yield from damaged_files(connection)
            yield from broken_rules(connection)
            yield from changed_history(connection, history)
    finally:
        engines.pool.dispose()


def documents(penstock: Penstock, states: Sequence[State]) -> tuple[int, list[str]]:
    """Which of the states the collection is in, and the problems of its documents."""
    found: dict[str, Held] = {}
    wrong: list[str] = []
    for stored in penstock.collection.documents():
        document = stored.document
        for source in stored.sources:
            found[source.uri] = Held(document.text, str(source.labels["team"]))
        if document.id != document_id(penstock.collection.origin, document.source.uri):
            wrong.append(f"catalog: {document.source.uri} is a document of another id")
        for chunk in stored.chunks:
            if chunk.text != document.text[chunk.span.start : chunk.span.end]:
                wrong.append(f"catalog: chunk {chunk.id} is not its span of the text")
            if chunk.id != chunk_id(stored.content, chunk.span, stored.chunker):
                wrong.append(f"catalog: chunk {chunk.id} has another chunk's id")
    for number, state in enumerate(states):
        if found == state:
            return number, wrong
    seen = {uri: (held.text[-8:], held.team) for uri, held in found.items()}
    wanted = {uri: (held.text[-8:], held.team) for uri, held in states[0].items()}
    return 0, [*wrong, f"catalog: it holds {seen}, and acknowledged was {wanted}"]


def as_found(penstock: Penstock, *, damaged: bool) -> Iterator[str]:
    """Problems of the indexes as the killed process left them, before they are updated."""
    collection = penstock.collection
    if not collection.embedder():
        return
    followers = _followers(penstock)
    newest = collection.revision()
    for name, follower in (("keyword", followers.keyword), ("vector", followers.vector)):
        try:
            revision, held = follower.index.revision, follower.index.rows()
        except DamagedIndex as error:
            if not damaged:
                yield f"{name}: damaged by a kill: {error}"
            continue
        if revision > newest:
            yield f"{name}: it is at revision {revision}, ahead of the catalog at {newest}"
            continue
        if revision < collection.history.kept().oldest:
            continue  # it is brought up to date when it is needed
        may_be = range(revision, newest + 1)  # data may be ahead of its mark, never behind
        if not damaged and not any(np.array_equal(held, _live(penstock, at)) for at in may_be):
            yield f"{name}: marked with revision {revision}, but its rows are of no revision from there on"
    followers.close()


def agreement(penstock: Penstock) -> Iterator[str]:
    """Differences after the program was opened and searched: catalog and both indexes, row by row, id by id."""
    collection = penstock.collection
    if not collection.embedder():
        return
    followers = _followers(penstock)
    live = collection.live_rows()
    ids = collection.chunk_ids(live)
    for name, follower in (("keyword", followers.keyword), ("vector", followers.vector)):
        index: Any = follower.index
        held = index.rows()
        if index.revision != collection.revision():
            yield f"{name}: it is still at {index.revision}, the catalog at {collection.revision()}"
        if sorted(collection.chunk_ids(held).items()) != sorted(ids.items()) or not np.array_equal(held, live):
            yield f"{name}: it holds rows {held.tolist()}, the catalog {live.tolist()}"
    followers.close()
    yield from _entries(penstock)
    diagnosis = penstock.doctor(deep=True)
    yield from (f"doctor: {problem.where}: {problem.message}" for problem in diagnosis.problems)


def answers(penstock: Penstock, state: State) -> Iterator[str]:
    """Problems of searches: each leg has to find all sources, at the newest revision."""
    for legs in ("keyword", "vector", "both"):
        found = penstock.retriever_of(legs).retrieve(EVERYWHERE, k=200, where=Filter())
        uris = {source.uri for hit in found.hits for source in hit.sources}
        if uris != set(state):
            yield f"{legs}: a search finds {sorted(uris)}, there are {sorted(state)}"
        if found.revision != penstock.collection.revision():
            yield f"{legs}: a search answers at revision {found.revision}"


def _entries(penstock: Penstock) -> Iterator[str]:
    """Live chunks that are not found by a word that only they have, or by their own vector."""
    followers = _followers(penstock)
    collection = penstock.collection
    scope = collection.scope(Filter())
    for entry in collection.change(0, vectors=True).added:
        assert entry.vector is not None
        own = [word for word in entry.chunk.text.split() if word.startswith("n") and word[-1].isdigit()]
        words = [token for word in own for token in _tokens(penstock, word)]
        by_word = [hit.row for hit in followers.keyword.search(words, k=50, scope=scope)] if words else [entry.row]
        if entry.row not in by_word:
            yield f"keyword: row {entry.row} is not found by {own}"
        near = {hit.row: hit.score for hit in followers.vector.search(entry.vector, k=100, scope=scope)}
        if abs(near.get(entry.row, 0) - 1) > 1e-5:
            yield f"vector: row {entry.row} is not found by its own vector"
    followers.close()


def in_use(penstock: Penstock) -> list[str]:
    """The folders of both indexes that the settings use now."""
    if not penstock.collection.embedder():
        return []
    followers = _followers(penstock)
    kept: list[Any] = [followers.keyword._kept, followers.vector._kept]
    return [str(place._folder) for place in kept]


def _followers(penstock: Penstock) -> Followers:
    collection = penstock.collection
    identity, dimension = collection.embedder(), collection.dimension()
    words = assembly.analyser(penstock.settings)
    return indexes.followers(penstock.settings, collection, words, identity=identity, dimension=dimension)


def _tokens(penstock: Penstock, text: str) -> list[str]:
    return assembly.analyser(penstock.settings).query_tokens(text)


def _live(penstock: Penstock, at: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return penstock.collection.live_rows(at=at)
