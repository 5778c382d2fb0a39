"""Broken programs, each made by a small patch: they show that the checks find such a fault.

A patch is applied in each child, so that the same broken program works, is killed and is opened again.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import tantivy
from sqlalchemy import Connection, text

from benchmarks.faults.work import KINDS, Kind
from penstock.catalog import Batch
from penstock.catalog.commit import committing
from penstock.errors import DamagedIndex
from penstock.indexers import durable, faiss, manifest
from penstock.indexers.changes import is_step
from penstock.indexers.manifest import Manifest
from penstock.indexers.tantivy import HEAP_BYTES, TantivyIndex, _delete, _document
from penstock.model import Change
from penstock.pipelines.indexing.following import Follower
from penstock.pipelines.ingest.ingest import Ingestion


class Variant(NamedTuple):
    """A patch, and the steps in which a kill shows it."""

    patch: Callable[[], None]
    steps: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ("add", "change", "remove")
    """The operations to kill."""


def no_replay() -> None:
    """An index that was just opened assumes that it missed nothing."""
    catch_up = Follower.catch_up

    def trusting(self: Follower[Any], newest: int) -> None:
        fresh = "trusted" not in vars(self)
        _patch(self, "trusted", True)
        with suppress(DamagedIndex):
            since = self.index.revision
            if fresh and 0 < since < newest:
                self.index.apply(Change(since=since, revision=newest, removed=(), added=()))
                return
        catch_up(self, newest)

    _patch(Follower, "catch_up", trusting)


def prune_before_snapshot() -> None:
    """Files that the manifest still names are deleted before the next manifest is in its place."""
    write = manifest.ManifestFile.write

    def early(self: manifest.ManifestFile, new: Manifest) -> None:
        named = {file.name for segment in new.segments for file in (segment.data, segment.removed) if file}
        for suffix in (faiss.VECTORS, faiss.REMOVED):
            durable.remove_others(self.path.parent, suffix, named)
        write(self, new)

    _patch(manifest.ManifestFile, "write", early)


def two_transactions() -> None:
    """Sources and revision are committed before the documents that belong to them."""
    write = committing._write_documents

    def apart(connection: Connection, *given: Any) -> None:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("BEGIN")
        write(connection, *given)

    _patch(committing, "_write_documents", apart)


def write_in_place() -> None:
    """Files are written in place, and not beside their place and then renamed."""

    def in_place(path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb", buffering=0) as file:
            half = len(data) // 2
            file.write(data[:half])
            file.write(data[half:])

    for module in (durable, faiss, manifest):
        _patch(module, "write_durably", in_place)


def row_numbers_used_again() -> None:
    """Removed rows are deleted, and their row numbers are used again."""
    write = committing._write_documents

    def again(connection: Connection, plan: Any, prepared: Any, born: dict[str, Any]) -> None:
        gone = {"now": born["added_rev"]}
        connection.execute(text("DELETE FROM chunks WHERE removed_rev < :now"), gone)
        connection.execute(text("DELETE FROM documents WHERE removed_rev < :now"), gone)
        for table in ("chunks", "documents"):
            last = f"(SELECT coalesce(max(row), 0) FROM {table})"
            connection.exec_driver_sql(f"UPDATE sqlite_sequence SET seq = {last} WHERE name = '{table}'")
        write(connection, plan, prepared, born)

    _patch(committing, "_write_documents", again)


def mark_ahead() -> None:
    """The manifest names a revision before the index holds it."""
    apply = TantivyIndex.apply

    def ahead(self: TantivyIndex, change: Change) -> None:
        before = self.revision
        if is_step(change, before):
            self._manifest.write(Manifest(revision=change.revision, entries=0))
            write, revision = self._manifest.write, TantivyIndex.revision
            _patch(TantivyIndex, "revision", property(lambda _: before))
            _patch(self._manifest, "write", lambda _: None)
            try:
                apply(self, change)
            finally:
                _patch(self._manifest, "write", write)
                _patch(TantivyIndex, "revision", revision)

    _patch(TantivyIndex, "apply", ahead)


def switch_before_whole() -> None:
    """A rebuilt index replaces the old one when only half of it is written."""
    build = Follower._build

    def early(self: Follower[Any], timeout: float | None) -> None:
        index = self.replacement()
        whole = self._collection.change(0, vectors=index.wants_vectors)
        added = [*whole.added]
        index.apply(replace(whole, added=added[: len(added) // 2]))
        index.close()
        self.put_in_place()
        build(self, timeout)

    _patch(Follower, "_build", early)


def delete_before_tombstone() -> None:
    """What a batch replaces or removes is deleted from the keyword index before the catalog removes it."""
    commit = Ingestion._commit

    def early(self: Ingestion, batch: Batch) -> None:
        uris = [*batch.removed, *(upsert.source.uri for upsert in batch.puts)]
        found = [self._collection.document(uri) for uri in uris]
        ids = {chunk.id for stored in found if stored for chunk in stored.chunks}
        live = self._collection.live_rows()
        gone = [row for row, id_ in self._collection.chunk_ids(live).items() if id_ in ids]
        _write_past_the_catalog(self, lambda index, writer: _delete(writer, index._schema, gone))
        commit(self, batch)

    _patch(Ingestion, "_commit", early)


def index_in_no_transaction() -> None:
    """Chunks are put into the keyword index first, under the row numbers that the catalog will give them."""
    commit = Ingestion._commit

    def early(self: Ingestion, batch: Batch) -> None:
        with self._collection._database.read() as connection:
            last = connection.execute(text("SELECT coalesce(max(row), 0) FROM chunks")).scalar_one()
        texts = [chunk.context for upsert in batch.puts for chunk in upsert.chunks]

        def add_documents(index: TantivyIndex, writer: tantivy.IndexWriter) -> None:
            for row, content in enumerate(texts, start=last + 1):
                writer.add_document(_document(row, " ".join(index._analyser.tokens(content))))

        _write_past_the_catalog(self, add_documents)
        commit(self, batch)

    _patch(Ingestion, "_commit", early)


def _patch(owner: object, name: str, replacement: object) -> None:
    """Replaces the attribute of that name."""
    setattr(owner, name, replacement)


def _write_past_the_catalog(run: Ingestion, write: Callable[[TantivyIndex, tantivy.IndexWriter], None]) -> None:
    """Writes into the keyword index at its present revision, before the catalog is written."""
    index: Any = run._followers.keyword.index
    if not isinstance(index, TantivyIndex) or not index.revision:
        return
    with tantivy.Index(index._schema, path=str(index._folder)).writer(heap_size=HEAP_BYTES, num_threads=1) as writer:
        write(index, writer)
        writer.commit()
        writer.wait_merging_threads()


WHOLE = Variant(patch=lambda: None, kinds=KINDS)
"""The program as it is."""
VARIANTS: Mapping[str, Variant] = {
    "no-replay": Variant(no_replay, ("commit", "follow")),
    "prune-before-snapshot": Variant(prune_before_snapshot, ("prune", "manifest")),
    "two-transactions": Variant(two_transactions, ("commit",)),
    "write-in-place": Variant(write_in_place, ("manifest",)),
    "row-numbers-used-again": Variant(row_numbers_used_again, ("commit",)),
    "mark-ahead": Variant(mark_ahead, ("follow", "manifest")),
    "switch-before-whole": Variant(switch_before_whole, ("rebuild", "change places"), ("add", "repair")),
    "delete-before-tombstone": Variant(delete_before_tombstone, ("commit",)),
    "index-in-no-transaction": Variant(index_in_no_transaction, ("commit",)),
}
"""Each breaks one thing that keeps catalog and indexes in agreement."""
