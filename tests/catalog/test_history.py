"""Which revisions there are, what made them, and what `compact` keeps of them."""

from datetime import UTC, datetime, timedelta

import pytest

from penstock.catalog import Batch, Catalog, Collection, Upsert
from penstock.errors import RevisionGone, UnknownName, UsageError
from penstock.ids import text_hash
from penstock.model import Access, Filter
from penstock.testing.contracts.catalog import cache_vectors, make_put, make_source
from tests.catalog.conftest import Committer

A, B, C = "file:///a", "file:///b", "file:///c"
STAFF = frozenset({"staff"})


def version(uri: str, number: int, access: Access = frozenset()) -> Upsert:
    return make_put("books", make_source(uri, access=access, sha256=f"{uri}{number}"), [f"{uri} version {number}"])


@pytest.fixture
def edited(collection: Collection, commit: Committer) -> Collection:
    """Six revisions of a document; the fourth adds another document, which the fifth removes."""
    for number in range(1, 4):
        commit(version(A, number))
    commit(version(A, 4), version(B, 1))
    commit(version(A, 5), removed=(B,))
    commit(version(A, 6))
    return collection


def texts(collection: Collection, *, at: int | None = None, where: Filter | None = None) -> set[str]:
    scope = collection.scope(where or Filter(), at=at)
    return {hydrated.chunk.text for hydrated in collection.hydrate(collection.live_rows(at=at), scope=scope).values()}


def test_each_revision_says_what_it_changed(edited: Collection) -> None:
    counts = [(entry.revision, entry.added, entry.changed, entry.removed) for entry in edited.history.entries()]
    assert counts == [(6, 0, 1, 0), (5, 0, 1, 1), (4, 1, 1, 0), (3, 0, 1, 0), (2, 0, 1, 0), (1, 1, 0, 0)]


def test_the_list_goes_on_page_by_page(edited: Collection) -> None:
    pages = [edited.history.entries(limit=4), edited.history.entries(limit=4, before=3)]
    assert [[entry.revision for entry in page] for page in pages] == [[6, 5, 4, 3], [2, 1]]


def test_what_made_a_revision_is_the_command_of_its_run(catalog: Catalog, collection: Collection) -> None:
    put = version(A, 1)
    cache_vectors(catalog, "model-a", [put])
    cache_vectors(catalog, "model-b", [put])
    run = collection.start_run("sync")
    collection.commit(Batch(puts=(put,)), run=run, embedder="model-a")
    collection.switch_embedder("model-b")
    assert [entry.cause for entry in collection.history.entries()] == ["change of model", "sync"]


def test_what_is_left_reads_as_before_and_what_went_says_so(edited: Collection) -> None:
    before = {at: texts(edited, at=at) for at in (4, 5, 6)}
    assert edited.history.forget(keep=3) == 4
    freed = edited.history.clear(runs=10)
    assert (freed.revisions, freed.documents, freed.chunks, freed.vectors) == (3, 3, 3, 3)
    assert {at: texts(edited, at=at) for at in (4, 5, 6)} == before
    assert [entry.revision for entry in edited.history.entries()] == [6, 5, 4]
    assert edited.history.entries()[-1].changed == 1
    assert not list(edited.verify())
    for read in (
        lambda: edited.live_rows(at=3),
        lambda: edited.scope(Filter(languages=("en",)), at=3).rows(),
        lambda: edited.hydrate([1], scope=edited.scope(Filter(), at=3)),
        lambda: list(edited.sources(at=3)),
        lambda: edited.document(A, at=3),
        lambda: edited.change(3, vectors=False),
        lambda: list(edited.change(0, to=3, vectors=False).added),
    ):
        with pytest.raises(RevisionGone, match=r"revision 3: it was compacted away; left are 4 to 6"):
            read()


def test_a_change_from_the_oldest_that_is_left_is_whole(edited: Collection) -> None:
    whole = edited.change(4, vectors=False)
    edited.history.forget(keep=3)
    edited.history.clear(runs=10)
    after = edited.change(4, vectors=False)
    assert (after.removed, list(after.added)) == (whole.removed, list(whole.added))


def test_a_stream_that_is_overtaken_ends_with_an_error(edited: Collection, commit: Committer) -> None:
    stream = edited.sources(at=5)
    documents = edited.change(0, to=5, vectors=False).added
    edited.history.forget(keep=1)
    edited.history.clear(runs=10)
    for iterator in (stream, iter(documents)):
        with pytest.raises(RevisionGone, match="only revision 6, the newest, is left"):
            next(iterator)


def test_the_commits_of_one_run_count_as_one(catalog: Catalog, collection: Collection, commit: Committer) -> None:
    commit(version(A, 1))
    run = collection.start_run("sync")
    for number in (2, 3, 4):
        put = version(A, number)
        cache_vectors(catalog, "model-a", [put])
        collection.commit(Batch(puts=(put,)), run=run, embedder="model-a")
    collection.finish_run(run, None, "finished")
    assert collection.history.forget(keep=2) == 1
    assert collection.history.forget(keep=1) == 4


def test_what_a_run_found_stays_while_it_may_go_on(catalog: Catalog, edited: Collection) -> None:
    run = edited.start_run("sync")
    put = version(A, 7)
    cache_vectors(catalog, "model-a", [put])
    edited.commit(Batch(puts=(put,)), run=run, embedder="model-a")
    assert edited.history.forget(keep=1) == 6


def test_what_held_at_a_time_stays(edited: Collection) -> None:
    times = {entry.revision: entry.time for entry in edited.history.entries()}
    assert edited.history.forget(keep=None, since=times[3] - timedelta(microseconds=1)) == 2
    assert edited.history.forget(keep=3, since=datetime.now(UTC)) == 4
    assert edited.history.forget(keep=None, since=times[1]) == 4
    assert edited.history.forget(keep=None, since=datetime.now(UTC)) == 6


def test_what_would_go_is_what_goes(edited: Collection) -> None:
    oldest, foreseen = edited.history.foreseen(keep=2, since=None, runs=10)
    assert edited.history.kept().oldest == 0
    assert edited.history.forget(keep=2) == oldest
    assert edited.history.clear(runs=10) == foreseen


def test_a_clearing_that_was_cut_short_is_gone_on_with(edited: Collection) -> None:
    edited.history.forget(keep=2)
    edited.history.forget(keep=1)
    assert edited.history.clear(runs=10).documents == 6
    assert not edited.history.clear(runs=10)


def test_vectors_that_another_collection_needs_stay(catalog: Catalog, edited: Collection) -> None:
    films = catalog.collection("films", create=True)
    shared = make_put("films", make_source("file:///copy"), [f"{A} version 2"])
    films.commit(Batch(puts=(shared,)), run=None, embedder="model-a")
    edited.history.forget(keep=1)
    assert edited.history.clear(runs=10).vectors == 5
    assert not catalog.vectors.missing("model-a", [text_hash(f"{A} version 2")])
    films.remove()
    swept = edited.history.sweep()
    assert swept is not None
    assert swept.vectors == 1
    assert not catalog.vectors.missing("model-a", [text_hash(f"{A} version 6")])


def test_no_vector_goes_while_another_collection_has_a_run(catalog: Catalog, edited: Collection) -> None:
    films = catalog.collection("films", create=True)
    run = films.start_run("sync")
    edited.history.forget(keep=1)
    freed = edited.history.clear(runs=10)
    assert (freed.chunks, freed.vectors, edited.history.sweep()) == (6, 0, None)
    films.finish_run(run, None, "finished")
    swept = edited.history.sweep()
    assert swept is not None
    assert swept.vectors == 6


def test_vectors_of_a_model_stay_as_long_as_one_can_go_back_to_it(catalog: Catalog, collection: Collection) -> None:
    put = version(A, 1)
    for model in ("model-a", "model-b", "model-c"):
        cache_vectors(catalog, model, [put])
    collection.commit(Batch(puts=(put,)), run=None, embedder="model-a")
    collection.switch_embedder("model-b")
    key = [text_hash(chunk.context) for chunk in put.chunks]

    def there() -> list[str]:
        return [model for model in ("model-a", "model-b", "model-c") if not catalog.vectors.missing(model, key)]

    collection.history.sweep()
    assert there() == ["model-a", "model-b"]
    collection.history.forget(keep=1)
    collection.history.clear(runs=10)
    collection.history.sweep()
    assert there() == ["model-b"]


def test_accounts_of_old_runs_go_and_those_of_revisions_stay(catalog: Catalog, collection: Collection) -> None:
    first = collection.start_run("sync")
    put = version(A, 1)
    cache_vectors(catalog, "model-a", [put])
    collection.commit(Batch(puts=(put,)), run=first, embedder="model-a")
    numbers = [first] + [collection.start_run("sync") for _ in range(15)]
    for number in numbers:
        collection.finish_run(number, None, "finished")
    assert collection.history.clear(runs=3).runs == 5
    assert [run.id for run in collection.runs()] == [first, *numbers[6:]]


@pytest.mark.parametrize("keep", [1, 2])
def test_who_could_see_what_is_gone_is_not_forgotten(collection: Collection, commit: Committer, keep: int) -> None:
    commit(version(A, 1, STAFF), version(B, 1, STAFF))
    commit(version(A, 2, STAFF), removed=(B,))
    commit(version(C, 1))
    commit(version(C, 2))
    collection.history.forget(keep=keep)
    collection.history.clear(runs=10)
    assert collection.access_of_removed() == {B: STAFF}
    assert collection.access_of_bytes(f"{A}1") == [STAFF]
    assert collection.restricts()


def test_what_is_closed_today_is_closed_in_all_revisions(collection: Collection, commit: Committer) -> None:
    commit(version(A, 1), version(B, 1), version(C, 1, STAFF))
    commit(version(A, 2, STAFF), version(C, 2), removed=(B,))
    run = collection.start_run("sync")
    everything, visitor, staff = Filter(), Filter(principals=frozenset()), Filter(principals=STAFF)
    assert texts(collection, at=1, where=everything) == {f"{uri} version 1" for uri in (A, B, C)}
    assert texts(collection, at=1, where=staff) == {f"{uri} version 1" for uri in (A, B, C)}
    assert texts(collection, at=1, where=visitor) == {f"{B} version 1"}
    assert [known.source.uri for known in collection.sources(at=1, where=visitor)] == [B]
    assert collection.document(A, at=1, where=visitor) is None
    collection.remember([("file:///", STAFF)], run=run)
    assert texts(collection, at=1, where=visitor) == set()
    assert texts(collection, at=1, where=staff) == {f"{uri} version 1" for uri in (A, B, C)}
    collection.remember([(B, frozenset())], run=run + 1)
    assert texts(collection, at=1, where=visitor) == {f"{B} version 1"}
    counts = [(entry.added, entry.changed, entry.removed) for entry in collection.history.entries(where=visitor)]
    assert counts == [(1, 0, 1), (1, 0, 0)]


def test_a_renamed_collection_is_the_same_one(catalog: Catalog, edited: Collection) -> None:
    before = texts(edited)
    catalog.rename("books", "library")
    renamed = catalog.collection("library")
    assert (texts(renamed), renamed.uid, renamed.origin) == (before, edited.uid, "books")
    assert not list(renamed.verify())
    put = make_put("books", make_source(B), ["one more"])
    cache_vectors(catalog, "model-a", [put])
    assert renamed.commit(Batch(puts=(put,)), run=None, embedder="model-a") == 7
    assert not list(renamed.verify())
    for call in (edited.revision, lambda: edited.commit(Batch(removed=(A,)), run=None, embedder="model-a")):
        with pytest.raises(UnknownName, match="no collection named 'books'; known: 'library'"):
            call()


@pytest.mark.parametrize(("name", "new", "error"), [("no", "x", UnknownName), ("books", "films", UsageError)])
def test_a_name_that_is_taken_or_not_there_is_refused(
    catalog: Catalog, edited: Collection, name: str, new: str, error: type[Exception]
) -> None:
    catalog.collection("films", create=True)
    with pytest.raises(error):
        catalog.rename(name, new)
    with pytest.raises(UsageError, match="cannot be named"):
        catalog.rename("books", "../escape")
    assert edited.revision() == 6
