"""What a commit makes visible, and what it refuses."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from penstock.catalog import Batch, Catalog, Collection, Quarantined, Upsert
from penstock.errors import CatalogError, UnknownName
from penstock.ids import document_id
from penstock.model import Failure
from penstock.testing.contracts.catalog import cache_vectors, make_put, make_source

Committer = Callable[..., int]
A, B, C = "file:///a.txt", "file:///b.txt", "file:///c.txt"


def put(uri: str, *paragraphs: str, chunker: str = "paragraphs-1", **of_source: object) -> Upsert:
    source = make_source(uri, **of_source)  # type: ignore[arg-type]  # passed on as it comes
    return make_put("books", source, paragraphs, chunker=chunker)


def copy_of(original: Upsert, uri: str) -> Upsert:
    return dataclasses.replace(original, source=make_source(uri), document=None, chunks=())


def texts(collection: Collection) -> dict[str, tuple[str, ...]]:
    """Live texts by the URIs that have them."""
    return {
        " ".join(source.uri for source in stored.sources): tuple(chunk.text for chunk in stored.chunks)
        for stored in collection.documents()
    }


def failure(uri: str, since: datetime | None = None) -> Quarantined:
    return Quarantined(
        source=make_source(uri, labels={"team": "red"}),
        loader="lines-1",
        failure=Failure(uri=uri, stage="parse", kind="BrokenSource", message="cut short", retryable=False, page=3),
        since=since or datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
    )


def test_a_commit_makes_documents_visible_in_one_new_revision(commit: Committer, collection: Collection) -> None:
    assert (collection.revision(), collection.embedder()) == (0, "")
    assert commit(put(A, "one", "two"), put(B, "three")) == 1
    assert texts(collection) == {A: ("one", "two"), B: ("three",)}
    assert (collection.revision(), collection.embedder(), collection.chunk_count()) == (1, "model-a", 3)


def test_an_empty_batch_commits_nothing(collection: Collection) -> None:
    assert collection.commit(Batch(), run=None, embedder="model-a") == 0
    assert collection.revisions() == ()


def test_the_same_put_again_changes_nothing(commit: Committer, collection: Collection) -> None:
    commit(put(A, "one"))
    rows = collection.live_rows()
    assert commit(put(A, "one")) == 1
    assert collection.live_rows().tolist() == rows.tolist()


def test_removing_what_is_not_there_changes_nothing(commit: Committer) -> None:
    assert commit(removed=(A,)) == 0


def test_a_changed_file_replaces_its_document(commit: Committer, collection: Collection) -> None:
    commit(put(A, "old"))
    before = collection.known(A)
    commit(put(A, "new"))
    after = collection.known(A)
    assert texts(collection) == {A: ("new",)}
    assert before is not None
    assert after is not None
    assert (before.document_id, before.added_rev) == (after.document_id, 1)
    assert after.added_rev == 2


def test_relabelling_keeps_the_chunk_rows(commit: Committer, collection: Collection) -> None:
    commit(put(A, "one"))
    rows = collection.live_rows().tolist()
    assert commit(dataclasses.replace(put(A, "one", labels={"team": "red"}), document=None, chunks=())) == 2
    assert collection.live_rows().tolist() == rows
    known = collection.known(A)
    assert known is not None
    assert known.source.labels == {"team": "red"}


@pytest.mark.parametrize("given", ["without the document", "with the document"])
@pytest.mark.parametrize("when", ["in a later commit", "in the same commit"])
def test_an_exact_copy_is_attached_and_not_indexed_twice(
    commit: Committer, collection: Collection, given: str, when: str
) -> None:
    original = put(A, "one")
    copy = copy_of(original, B) if given.startswith("without") else put(B, "one")
    if when == "in a later commit":
        commit(original)
        commit(copy)
    else:
        commit(original, copy)
    assert texts(collection) == {f"{A} {B}": ("one",)}
    known = collection.known(B)
    assert known is not None
    assert known.document_id == document_id("books", A)


def test_a_document_lives_on_under_its_next_source(commit: Committer, collection: Collection) -> None:
    original = put(A, "one", "two")
    commit(original, copy_of(original, B), copy_of(original, C))
    rows, ids = collection.live_rows(), collection.chunk_ids(collection.live_rows())
    commit(removed=(A,))
    moved = collection.chunk_ids(collection.live_rows())
    assert texts(collection) == {f"{B} {C}": ("one", "two")}
    assert list(moved.values()) == list(ids.values())
    assert not set(moved) & set(rows.tolist())
    assert (found := collection.document(B)) is not None
    assert found.document.id == document_id("books", B)
    assert {chunk.document_id for chunk in found.chunks} == {found.document.id}


def test_a_moved_file_is_neither_parsed_nor_embedded_again(commit: Committer, collection: Collection) -> None:
    original = put(A, "one")
    commit(original)
    commit(copy_of(original, B), removed=(A,))
    assert texts(collection) == {B: ("one",)}


def test_two_files_that_swap_their_contents(commit: Committer, collection: Collection) -> None:
    first, second = put(A, "one"), put(B, "two")
    commit(first, second)
    commit(copy_of(second, A), copy_of(first, B))
    assert texts(collection) == {B: ("one",), A: ("two",)}
    assert {stored.document.id for stored in collection.documents()} == {
        document_id("books", A),
        document_id("books", B),
    }


def test_cutting_anew_takes_the_copies_along(commit: Committer, collection: Collection) -> None:
    original = put(A, "one")
    commit(original, copy_of(original, B))
    (stored,) = collection.documents(not_chunker="window-1")
    commit(put(A, "one", chunker="window-1"))
    assert stored.sources == (make_source(A), make_source(B))
    assert [collection.known(uri).chunker for uri in (A, B)] == ["window-1"] * 2  # type: ignore[union-attr]  # live
    assert list(collection.documents(not_chunker="window-1")) == []
    assert collection.chunk_count() == 1


def test_a_source_without_text_is_known(commit: Committer, collection: Collection) -> None:
    blank = Upsert(source=make_source(A), outcome="empty", reason="no text", content="", loader="lines-1", chunker="c")
    commit(blank)
    known = collection.known(A)
    assert known is not None
    assert (known.outcome, known.reason, known.document_id, known.chunks) == ("empty", "no text", "", 0)
    assert collection.document(A) is None


def test_a_failure_keeps_the_last_good_version_and_a_good_one_clears_it(
    commit: Committer, collection: Collection
) -> None:
    commit(put(A, "one"))
    assert collection.commit(Batch(failures=(failure(A), failure(B))), run=None, embedder="model-a") == 1
    assert texts(collection) == {A: ("one",)}
    assert collection.quarantine() == (failure(A), failure(B))
    commit(put(A, "one"))
    assert collection.quarantined(A) is None
    assert collection.quarantined(B) == failure(B)
    commit(removed=(B,))
    assert collection.quarantine() == ()


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        pytest.param(Batch(puts=(put(A, "x"), put(A, "y"))), "twice", id="a URI put twice"),
        pytest.param(Batch(puts=(put(A, "x"),), removed=(A,)), "twice", id="put and removed"),
        pytest.param(Batch(puts=(put(A, "x"),)), "has no vector", id="not embedded"),
        pytest.param(Batch(puts=(copy_of(put(A, "x"), B),)), "a copy of", id="a copy of nothing"),
        pytest.param(
            Batch(puts=(dataclasses.replace(put(A, "x"), document=None),)), "no document", id="chunks of nothing"
        ),
        pytest.param(Batch(puts=(dataclasses.replace(put(A, "x"), content=""),)), "no content", id="no hash"),
    ],
)
def test_refused_batches_leave_nothing_behind(collection: Collection, batch: Batch, message: str) -> None:
    with pytest.raises(CatalogError, match=message):
        collection.commit(batch, run=None, embedder="model-a")
    assert collection.revision() == 0
    assert list(collection.sources()) == []


def test_the_refusal_names_the_chunk_that_has_no_vector(
    catalog: Catalog, commit: Committer, collection: Collection
) -> None:
    commit(put(A, "one"))
    wanted = put(B, "two")
    with pytest.raises(CatalogError, match=wanted.chunks[0].id):
        collection.commit(Batch(puts=(wanted,), removed=(A,)), run=None, embedder="model-a")
    assert texts(collection) == {A: ("one",)}


def test_another_embedder_is_refused_until_the_collection_is_switched(
    catalog: Catalog, commit: Committer, collection: Collection
) -> None:
    commit(put(A, "one"))
    with pytest.raises(CatalogError, match="model-b"):
        commit(put(B, "two"), embedder="model-b")
    with pytest.raises(CatalogError, match="1 chunks"):
        collection.switch_embedder("model-c")
    cache_vectors(catalog, "model-b", [put(A, "one")])
    assert collection.switch_embedder("model-b") == 2
    assert collection.switch_embedder("model-b") == 2
    assert commit(put(B, "two"), embedder="model-b") == 3
    assert collection.embedder() == "model-b"


def test_an_emptied_collection_takes_any_embedder(commit: Committer, collection: Collection) -> None:
    commit(put(A, "one"))
    commit(removed=(A,))
    commit(put(A, "one"), embedder="model-b")
    assert collection.embedder() == "model-b"


def test_half_a_surrogate_pair_is_refused_with_its_reason(commit: Committer, collection: Collection) -> None:
    broken = put(A, "fine")
    reason = dataclasses.replace(broken, reason="\ud800")
    with pytest.raises(CatalogError, match="surrogate"):
        commit(reason)
    assert collection.revision() == 0


def test_removing_a_collection_leaves_the_others_and_the_cache(
    catalog: Catalog, commit: Committer, collection: Collection
) -> None:
    upsert = put(A, "one", labels={"team": "red"}, access=["ann"])
    commit(upsert)
    collection.finish_run(collection.start_run("ingest"), None, "done")
    second = catalog.collection("other", create=True)
    second.commit(Batch(puts=(make_put("other", make_source(A), ["one"]),)), run=None, embedder="model-a")
    collection.remove()
    assert [info.name for info in catalog.collections()] == ["other"]
    for gone in (collection.revision, collection.remove, lambda: commit(upsert)):
        with pytest.raises(UnknownName, match="'other'"):
            gone()
    again = catalog.collection("books", create=True)
    assert again.uid != collection.uid
    assert again.commit(Batch(puts=(upsert,)), run=None, embedder="model-a") == 1
    assert min(again.live_rows()) > max(second.live_rows())
