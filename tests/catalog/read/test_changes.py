"""Whatever was committed, replaying the change from any revision gives what is live."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from penstock.catalog import Batch, Catalog, Collection, Upsert, open_catalog
from penstock.errors import CatalogError
from penstock.ids import document_id
from penstock.model import Entry, Filter
from penstock.testing.contracts.catalog import cache_vectors, make_put, make_source, text_vector
from tests.examples import examples
from tests.servers.postgresql import fresh_database

Committer = Callable[..., int]
A, B = "file:///a", "file:///b"


def follow(held: dict[int, Entry], collection: Collection, since: int, to: int | None = None) -> dict[int, Entry]:
    """What an index that held this at `since` holds after the change."""
    change = collection.change(since, to=to, vectors=False)
    after = {row: entry for row, entry in held.items() if row not in change.removed}
    added = list(change.added)
    assert [entry.row for entry in added] == sorted({entry.row for entry in added})
    after.update((entry.row, entry) for entry in added)
    return after


def test_a_change_carries_the_vectors_of_the_collection(commit: Committer, collection: Collection) -> None:
    commit(make_put("books", make_source(A), ["one", "two"], title="T"))
    for entry in collection.change(0, vectors=True).added:
        assert entry.vector is not None
        assert np.array_equal(entry.vector, text_vector(entry.chunk.context))
    assert all(entry.vector is None for entry in collection.change(0, vectors=False).added)


def test_the_newest_revision_has_no_change(commit: Committer, collection: Collection) -> None:
    revision = commit(make_put("books", make_source(A), ["one"]))
    change = collection.change(revision, vectors=True)
    assert (change.revision, change.removed, list(change.added)) == (revision, (), [])


def test_a_copy_or_a_label_sends_the_chunks_again(commit: Committer, collection: Collection) -> None:
    first = commit(make_put("books", make_source(A), ["one"]), make_put("books", make_source("file:///c"), ["else"]))
    second = commit(make_put("books", make_source(B), ["one"]))
    third = commit(make_put("books", make_source(A, labels={"team": "red"}), ["one"]))
    for since, uris in ((first, [A, B]), (second, [A, B])):
        change = collection.change(since, to=since + 1, vectors=False)
        (entry,) = change.added
        assert change.removed == ()
        assert [source.uri for source in entry.sources] == uris
    assert third == 3


def test_a_change_read_late_is_still_the_one_that_was_asked_for(
    commit: Committer, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.catalog.read.changes.PAGE", 2)
    commit(make_put("books", make_source(A), [f"paragraph {n}" for n in range(7)]))
    change = collection.change(0, vectors=True)
    entries = iter(change.added)
    first = next(entries)
    commit(removed=(A,))
    assert [first.chunk.text, *(entry.chunk.text for entry in entries)] == [f"paragraph {n}" for n in range(7)]


def test_an_index_ahead_of_the_catalog_is_told_to_rebuild(collection: Collection) -> None:
    with pytest.raises(CatalogError, match="ahead"):
        collection.change(3, vectors=False)


def test_after_a_switch_of_embedder_all_vectors_come_anew(
    catalog: Catalog, commit: Committer, collection: Collection
) -> None:
    put = make_put("books", make_source(A), ["one", "two"])
    revision = commit(put)
    cache_vectors(catalog, "model-b", [put])
    collection.switch_embedder("model-b")
    assert len(list(collection.change(revision, vectors=True).added)) == 2
    assert list(collection.change(revision, vectors=False).added) == []


CONTENTS = (("one",), ("two", "three"), ("two", "four", "five"))
URIS = tuple(f"file:///{letter}" for letter in "abcd")

put_drawn = st.tuples(
    st.sampled_from(["document", "document", "document", "document", "copy", "empty", "removed", "removed"]),
    st.integers(0, len(CONTENTS) - 1),
    st.sampled_from(["chunker-1", "chunker-2"]),
    st.sampled_from([{}, {"team": "red"}]),
)
batches = st.dictionaries(st.sampled_from(URIS), put_drawn, min_size=1, max_size=4)


class Commits(RuleBasedStateMachine):
    """Random commits against a model of what must be live after each."""

    copies: ClassVar[Callable[[], AbstractContextManager[str]]]
    """Gives the address of a new catalog with an empty collection."""

    @initialize(drawn=batches)
    def open(self, drawn: dict[str, Any]) -> None:
        self.copy = type(self).copies()
        self.catalog = open_catalog(self.copy.__enter__())
        self.collection = self.catalog.collection("books")
        self.live: dict[str, tuple[int | None, Any]] = {}
        self.chunkers: dict[int, str] = {}
        self.owners: dict[int, str] = {}
        self.held: list[dict[int, Entry]] = [{}]
        self.commit(drawn)

    def teardown(self) -> None:
        if hasattr(self, "catalog"):
            self.catalog.close()
            self.copy.__exit__(None, None, None)

    @rule(drawn=batches)
    def commit_batch(self, drawn: dict[str, Any]) -> None:
        self.commit(drawn)

    @rule(drawn=batches)
    def commit_another(self, drawn: dict[str, Any]) -> None:
        self.commit(drawn)

    def commit(self, drawn: dict[str, Any]) -> None:
        puts, removed = [], []
        live, chunkers = dict(self.live), dict(self.chunkers)
        fresh: dict[int, str] = {}
        for uri, (kind, number, chunker, labels) in drawn.items():
            live.pop(uri, None)
            if kind == "removed":
                removed.append(uri)
                continue
            puts.append(self.put(uri, kind, number, chunker, labels))
            live[uri] = (None if kind == "empty" else number, labels)
            if kind == "document" and chunkers.get(number) != chunker:
                fresh.setdefault(number, chunker)
        chunkers |= fresh
        cache_vectors(self.catalog, "model-a", puts)
        batch = Batch(puts=tuple(puts), removed=tuple(removed))
        if any(number is not None and number not in chunkers for number, _ in live.values()):
            with pytest.raises(CatalogError, match="a copy of"):
                self.collection.commit(batch, run=None, embedder="model-a")
            return
        revision = self.collection.commit(batch, run=None, embedder="model-a")
        contents = {number for number, _ in live.values() if number is not None}
        self.live, self.chunkers = live, {number: chunkers[number] for number in contents}
        if revision == len(self.held):
            self.held.append(follow(self.held[-1], self.collection, revision - 1))
        assert revision == len(self.held) - 1
        for since in range(1, revision):
            assert follow(self.held[since], self.collection, since) == self.held[-1]

    def put(self, uri: str, kind: str, number: int, chunker: str, labels: dict[str, str]) -> Upsert:
        put = make_put("books", make_source(uri, labels=labels), CONTENTS[number], chunker=chunker)
        if kind == "document":
            return put
        return Upsert(
            source=put.source,
            outcome="indexed" if kind == "copy" else "empty",
            reason="",
            content=put.content if kind == "copy" else "",
            loader=put.loader,
            chunker=chunker,
        )

    @invariant()
    def the_catalog_holds_what_the_model_holds(self) -> None:
        if not hasattr(self, "catalog"):
            return
        known = {found.source.uri: found for found in self.collection.sources()}
        assert self.collection.known_map(list(known)) == known
        assert {uri: found.source.labels for uri, found in known.items()} == {u: la for u, (_, la) in self.live.items()}
        expected: dict[str, Any] = {}
        for number, chunker in self.chunkers.items():
            uris = {uri for uri, (content, _) in self.live.items() if content == number}
            like = make_put("books", make_source("file:///any"), CONTENTS[number], chunker=chunker)
            owners = {uri: document_id("books", uri) for uri in uris}
            kept = self.owners.get(number)
            (owner,) = {
                known[uri].document_id for uri in uris if kept not in uris or known[uri].document_id == owners[kept]
            }
            self.owners[number] = next(uri for uri in uris if owners[uri] == owner)
            expected |= {chunk.id: (owner, chunk.text, uris) for chunk in like.chunks}
        self.owners = {number: uri for number, uri in self.owners.items() if number in self.chunkers}
        found = {
            entry.chunk.id: (entry.chunk.document_id, entry.chunk.text, {source.uri for source in entry.sources})
            for entry in self.held[-1].values()
        }
        assert found == expected
        assert all(entry.sources[0].uri == self.owner(entry) for entry in self.held[-1].values())
        assert sorted(self.held[-1]) == self.collection.live_rows().tolist()

    def owner(self, entry: Entry) -> str:
        return next(uri for uri in URIS if document_id("books", uri) == entry.chunk.document_id)

    @precondition(lambda self: hasattr(self, "catalog"))
    @rule(data=st.data())
    def replay_from_any_revision(self, data: st.DataObject) -> None:
        newest = len(self.held) - 1
        since = data.draw(st.integers(0, newest), label="since")
        to = data.draw(st.integers(since, newest), label="to")
        once = follow(self.held[since], self.collection, since, to)
        assert once == self.held[to]
        if since:  # an index that applied more than its revision says, and a change that is applied twice
            assert follow(follow(self.held[since], self.collection, since, to), self.collection, since) == self.held[-1]
        assert follow({}, self.collection, 0, to) == self.held[to]

    @precondition(lambda self: hasattr(self, "catalog"))
    @rule(data=st.data())
    def hydrate_at_any_revision(self, data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(self.held) - 1), label="at")
        ever = sorted({row for held in self.held for row in held})
        found = self.collection.hydrate(ever, scope=self.collection.scope(Filter(), at=at))
        assert {row: (entry.chunk, entry.sources, entry.title) for row, entry in found.items()} == {
            row: (entry.chunk, entry.sources, entry.title) for row, entry in self.held[at].items()
        }
        assert self.collection.live_rows(at=at).tolist() == sorted(self.held[at])
        texts = {stored.document.id: stored.document.text for stored in self.collection.documents()}
        assert len(texts) == len(self.chunkers)


@contextmanager
def copied(template: Path) -> Iterator[str]:
    with TemporaryDirectory() as folder:
        yield f"sqlite:///{shutil.copy(template, folder)}"


def test_any_history_can_be_followed(kind: str, url: str, request: pytest.FixtureRequest) -> None:
    with open_catalog(url) as catalog:
        catalog.collection("books", create=True)
    if kind == "sqlite":
        Commits.copies = partial(copied, Path(url.removeprefix("sqlite:///")))
    else:
        server: str = request.getfixturevalue("postgresql_url")
        Commits.copies = partial(fresh_database, server, template=url.rpartition("/")[2])
    count = examples(20 if kind == "sqlite" else 10)
    run_state_machine_as_test(Commits, settings=settings(max_examples=count, stateful_step_count=20, deadline=None))
