"""What a collection knows of its sources, documents, runs and revisions."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from penstock.catalog import Batch, Catalog, Collection, Upsert
from penstock.errors import CatalogError, UnknownName, UsageError
from penstock.ids import document_id
from penstock.model import Box, ChunkCounts, Place, RunReport, SourceResult
from penstock.testing.contracts.catalog import make_put, make_source

Committer = Callable[..., int]
A, B = "file:///books/a%20b.txt", "file:///books/c.txt"


def test_a_source_comes_back_as_it_went_in(commit: Committer, collection: Collection) -> None:
    eastern = datetime(2026, 3, 1, 8, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    source = make_source(
        A,
        media_type="application/pdf",
        modified=eastern,
        labels={"团队": "红", "year": 2024, "share": 0.5},
        access=["ann"],
    )
    commit(make_put("books", dataclasses.replace(source, etag='W/"7"'), ["one", "two"]))
    known = collection.known(A)
    assert known is not None
    assert known.source == dataclasses.replace(source, etag='W/"7"')
    assert (known.chunks, known.added_rev, known.loader, known.chunker) == (2, 1, "lines-1", "paragraphs-1")


def test_a_document_comes_back_as_it_went_in(commit: Committer, collection: Collection) -> None:
    put = make_put("books", make_source(A), ["一个段落。", "second\x00\u2028 half"], title="书", languages=["zh", "en"])
    assert put.document is not None
    boxed = dataclasses.replace(put.chunks[0], places=(Place(page=1, box=Box(0.1, 1 / 3, 0.5, 1.0), label="iv"),))
    tabular = dataclasses.replace(put.chunks[1], table_header="| a | b |", headings=("x", "y"))
    blocks = tuple(dataclasses.replace(block, places=boxed.places, level=2) for block in put.document.blocks)
    document = dataclasses.replace(put.document, blocks=blocks)
    put = dataclasses.replace(put, chunks=(boxed, tabular), document=document)
    commit(put)
    stored = collection.document(A)
    assert stored is not None
    assert stored.document == document
    assert stored.chunks == (boxed, tabular)
    assert (stored.content, stored.chunker, stored.sources) == (put.content, "paragraphs-1", (make_source(A),))


def test_documents_are_found_by_id_beginning_and_uri(commit: Committer, collection: Collection) -> None:
    commit(*(make_put("books", make_source(f"file:///{n}"), [f"text {n}"]) for n in range(40)))
    wanted = document_id("books", "file:///7")
    for name in (wanted, wanted[:12], "file:///7"):
        found = collection.document(name)
        assert found is not None
        assert found.document.id == wanted
    assert collection.document("nothing") is None
    assert collection.document("") is None
    assert collection.document("%") is None
    with pytest.raises(UsageError, match="several"):
        collection.document(next(first for first in "0123456789abcdef" if _count(first) > 1))


def _count(first: str) -> int:
    return sum(document_id("books", f"file:///{n}").startswith(first) for n in range(40))


def test_an_old_revision_shows_what_was_live_then(commit: Committer, collection: Collection) -> None:
    commit(make_put("books", make_source(A), ["old"]))
    commit(make_put("books", make_source(A), ["new"]))
    commit(removed=(A,))
    shown = [collection.document(A, at=at) for at in (0, 1, 2, 3)]
    assert [stored and stored.document.text for stored in shown] == [None, "old", "new", None]
    assert [len(collection.live_rows(at=at)) for at in (0, 1, 2, 3)] == [0, 1, 1, 0]
    assert [known.added_rev for known in collection.sources(at=2)] == [2]
    with pytest.raises(CatalogError, match="0 to 3"):
        collection.live_rows(at=4)


def test_sources_are_streamed_in_order_over_several_pages(
    commit: Committer, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.catalog.read.reading.STREAMED", 3)
    uris = [f"file:///{n:02}" for n in range(10)]
    commit(*(make_put("books", make_source(uri), [uri]) for uri in reversed(uris)))
    assert [known.source.uri for known in collection.sources()] == uris
    assert sorted(collection.known_map([*uris, A])) == uris


def test_the_same_bytes_are_known_again_only_for_the_same_loader(commit: Committer, collection: Collection) -> None:
    commit(make_put("books", make_source(B, sha256="77"), ["x"]), make_put("books", make_source(A, sha256="77"), ["x"]))
    found = collection.by_bytes("77", "lines-1")
    assert found is not None
    assert found.source.uri == B
    assert collection.by_bytes("77", "lines-2") is None
    assert collection.by_bytes("78", "lines-1") is None
    commit(removed=(A, B))
    assert collection.by_bytes("77", "lines-1") is None


def test_languages_and_samples(commit: Committer, collection: Collection) -> None:
    paragraphs = [f"paragraph {n}" for n in range(10)]
    commit(make_put("books", make_source(A), paragraphs, languages=["zh", "zh", "en"]))
    assert list(collection.languages().items()) == [("zh", 7), ("en", 3)]
    assert collection.sample(100) == paragraphs
    assert collection.sample(4) == [paragraphs[n] for n in (0, 3, 6, 9)]
    assert collection.sample(0) == []


def test_collections_are_listed_with_their_numbers(catalog: Catalog, commit: Committer, collection: Collection) -> None:
    catalog.collection("空", create=True)
    commit(make_put("books", make_source(A), ["x", "y"]), make_put("books", make_source(B), ["x", "y"]))
    books, empty = catalog.collections()
    assert (books.name, books.revision, books.sources, books.documents, books.chunks) == ("books", 1, 2, 1, 2)
    assert (books.embedder, empty.embedder, empty.name) == ("model-a", "", "空")
    assert datetime.now(UTC) - books.updated < timedelta(minutes=5)


def test_an_unknown_collection_is_told_with_the_known_ones(catalog: Catalog, collection: Collection) -> None:
    with pytest.raises(UnknownName, match="no collection named 'bools'; known: 'books'"):
        catalog.collection("bools")


@pytest.mark.parametrize("name", ["", "../x", "a/b", "-a", "a" * 101, "a\n"])
def test_a_collection_cannot_be_named_so(catalog: Catalog, name: str) -> None:
    with pytest.raises(UsageError):
        catalog.collection(name, create=True)


def test_runs_and_revisions_are_recorded(commit: Committer, collection: Collection) -> None:
    run = collection.start_run("ingest ./books")
    killed = collection.start_run("ingest ./more")
    collection.commit(Batch(puts=(_empty(A),)), run=run, embedder="model-a")
    report = RunReport(
        collection="books",
        revision=1,
        results=(SourceResult(uri=A, outcome="empty", reason="no text"),),
        parsed=1,
        embedded=0,
        chunks=ChunkCounts(catalog=0, keyword=0, vector=0),
        seconds=0.25,
    )
    collection.finish_run(run, report, "done")
    first, second = collection.runs()
    assert (first.id, first.command, first.status, first.report) == (run, "ingest ./books", "done", report)
    assert first.finished is not None
    assert (second.id, second.status, second.finished, second.report) == (killed, "running", None, None)
    (revision,) = collection.revisions()
    assert (revision.revision, revision.run, revision.embedder) == (1, run, "model-a")


def _empty(uri: str) -> Upsert:
    put = make_put("books", make_source(uri), [])
    return dataclasses.replace(put, content="", document=None, outcome="empty")


def test_a_time_without_a_zone_is_refused(commit: Committer) -> None:
    with pytest.raises(UsageError, match="time zone"):
        commit(make_put("books", make_source(A, modified=datetime(2026, 1, 1)), ["x"]))
