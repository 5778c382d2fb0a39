"""Rolling back to an earlier revision: its content, its access, and never a half of it."""

import random
from typing import Any

import pytest

from penstock.catalog import Batch, Catalog, Collection, Upsert
from penstock.errors import CatalogError, RevisionGone
from penstock.model import Access, Filter
from penstock.testing.contracts.catalog import cache_vectors, make_put, make_source
from tests.catalog.conftest import Committer

URIS = [f"file:///{name}" for name in "abcdef"]
A, B, C, *_ = URIS
STAFF, BOARD, BOTH = frozenset({"staff"}), frozenset({"board"}), frozenset({"staff", "board"})


def version(uri: str, text: str, access: Access = frozenset(), chunker: str = "paragraphs-1") -> Upsert:
    return make_put("books", make_source(uri, access=access, sha256=text), [f"{text} one", "two"], chunker=chunker)


def state(collection: Collection, at: int | None = None) -> list[Any]:
    """Everything that can be read of a revision, except the numbers of rows and revisions."""
    found: list[Any] = []
    for known in collection.sources(at=at):
        stored = collection.document(known.source.uri, at=at)
        assert stored is not None
        found.append((known.source, known.outcome, known.loader, stored.document.id, stored.chunker, stored.chunks))
        found.append((stored.document.text, stored.document.blocks, stored.sources))
    return found


def entries(collection: Collection, at: int) -> list[Any]:
    return [
        (entry.chunk, entry.title, entry.sources, entry.vector is None)
        for entry in sorted(collection.change(0, to=at, vectors=True).added, key=lambda entry: entry.chunk.id)
    ]


@pytest.mark.parametrize("seed", range(6))
def test_the_new_revision_holds_what_the_old_one_held(catalog: Catalog, collection: Collection, seed: int) -> None:
    chance = random.Random(seed)
    live: set[str] = set()
    for _ in range(8):
        chosen = chance.sample(URIS, k=chance.randint(1, 4))
        gone = tuple(uri for uri in chosen if uri in live and chance.random() < 0.4)
        puts = [
            version(uri, f"text {chance.randint(1, 3)}", chunker=f"paragraphs-{chance.randint(1, 2)}")
            for uri in chosen
            if uri not in gone
        ]
        cuts = {put.content: put.chunker for put in puts}
        puts = [put for put in puts if cuts[put.content] == put.chunker]
        cache_vectors(catalog, "model-a", puts)
        collection.commit(Batch(puts=tuple(puts), removed=gone), run=None, embedder="model-a")
        live = {known.source.uri for known in collection.sources()}
    for _ in range(6):
        newest = collection.revision()
        to = chance.randint(0, newest)
        before, there = state(collection, to), entries(collection, to)
        done = collection.roll_back(to, run=None)
        assert state(collection) == before
        assert entries(collection, collection.revision()) == there
        assert not list(collection.verify())
        entry = collection.history.entries(limit=1)[0]
        if done.revision > newest:
            assert (entry.added, entry.changed, entry.removed) == (done.added, done.changed, done.removed)
        assert collection.roll_back(to, run=None).revision == done.revision


def test_an_index_follows_as_after_any_commit(collection: Collection, commit: Committer) -> None:
    commit(version(A, "old"), version(B, "other"))
    commit(version(A, "new"))
    held = set(collection.live_rows().tolist())
    collection.roll_back(1, run=None)
    change = collection.change(2, vectors=True)
    added = list(change.added)
    assert held - set(change.removed) | {entry.row for entry in added} == set(collection.live_rows().tolist())
    assert {entry.chunk.text for entry in added} == {"old one", "two"}


@pytest.mark.parametrize(
    ("then", "today", "after"),
    [
        (frozenset(), STAFF, STAFF),
        (STAFF, frozenset(), STAFF),
        (BOTH, STAFF, STAFF),
        (STAFF, STAFF, STAFF),
        (frozenset(), frozenset(), frozenset()),
    ],
)
@pytest.mark.parametrize("gone", [False, True])
def test_nothing_is_opened_by_going_back(
    collection: Collection, commit: Committer, then: Access, today: Access, after: Access, gone: bool
) -> None:
    commit(version(A, "old", then), version(B, "other"))
    commit(version(A, "new", today))
    if gone:
        commit(removed=(A,))
    done = collection.roll_back(1, run=None)
    found = collection.known(A)
    assert found is not None
    assert (found.source.access, done.left_out) == (after, ())
    stored = collection.document(A)
    assert stored is not None
    assert stored.document.text.startswith("old")


def test_what_nobody_may_see_stays_as_it_is(collection: Collection, commit: Committer) -> None:
    commit(version(A, "old", STAFF), version(B, "old", STAFF), version(C, "old too"))
    commit(version(A, "new", BOARD), version(C, "new too"), removed=(B,))
    run = collection.start_run("sync")
    collection.remember([(B, BOARD)], run=run)
    done = collection.roll_back(1, run=None)
    assert (done.changed, done.added, sorted(done.left_out)) == (1, 0, [A, B])
    kept = collection.document(A)
    assert kept is not None
    assert kept.document.text.startswith("new")
    assert collection.known(B) is None
    assert collection.scope(Filter(principals=BOARD)).rows() is not None
    assert not list(collection.verify())


def test_the_model_of_then_is_the_model_again(catalog: Catalog, collection: Collection, commit: Committer) -> None:
    put = version(A, "old")
    commit(put)
    cache_vectors(catalog, "model-b", [put])
    collection.switch_embedder("model-b")
    collection.roll_back(1, run=None)
    assert (collection.revision(), collection.embedder()) == (3, "model-a")


def test_a_revision_that_is_not_there_is_refused(collection: Collection, commit: Committer) -> None:
    for number in range(3):
        commit(version(A, f"{number}"))
    collection.history.forget(keep=2)
    with pytest.raises(RevisionGone, match="left are 2 to 3"):
        collection.roll_back(1, run=None)
    for to in (-1, 4):
        with pytest.raises(CatalogError, match="has no revision"):
            collection.roll_back(to, run=None)
    assert collection.revision() == 3
