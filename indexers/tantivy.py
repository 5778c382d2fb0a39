"""The keyword index on disk: tantivy, a search library in Rust, fed with our own tokens and ranked by its BM25.

BM25 has k1 = 1.2 and b = .75. tantivy keeps the length of a text in one byte, so that its scores differ a little from
those of an implementation that counts exactly.
"""

import json
import os
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import tantivy
from numpy.typing import NDArray
from tantivy import Occur, Query

from penstock.errors import DamagedIndex, IndexingError
from penstock.files import sync_folder
from penstock.indexers.changes import in_batches, is_step
from penstock.indexers.comparing import compared
from penstock.indexers.durable import read_checked, unreadable
from penstock.indexers.footers import META, changed_files
from penstock.indexers.manifest import DataFile, Manifest, ManifestFile, Segment
from penstock.indexers.ordering import best, contained
from penstock.indexers.snapshots import Snapshots
from penstock.model import Candidate, Change, Entry, Flaw, Scope
from penstock.ports import Analyser

FORMAT = 1
HEAP_BYTES = 64 * 1024 * 1024
"""Memory of the writer, which then writes a segment; tantivy wants 15 MB or more."""
BATCH = 1000
"""Entries that are replaced by one deletion."""
WIDE = 50
"""A scope of a fiftieth of the index or more is cheaper to check on what was found than to put into the query."""
_NUMBERED = re.compile(r"os error (\d{1,6})\)|Os \{ code: (\d{1,6})")
"""How programs in Rust write an error of the operating system."""
DELETED_SHARE = 1 / 3
"""Deleted texts count in BM25's statistics until their segment is rewritten: at this share, all segments are."""


class TantivyIndex:
    """Keyword index in a folder; any number of processes read while one writes.

    While a snapshot is opened tantivy takes a lock of its own in the folder, for some thousandths of a second.

    Raises:
        DamagedIndex: the folder holds what this version, or this analyser, cannot use.
    """

    wants_vectors = False

    def __init__(self, folder: Path, *, analyser: Analyser) -> None:
        self._folder = folder / "segments"
        self._analyser = analyser
        self._manifest = ManifestFile(folder, kind="tantivy", version=FORMAT, built_for=analyser.fingerprint)
        self._schema = _schema()
        self._snapshots: Snapshots[_OpenIndex] = Snapshots(
            self._manifest,
            lambda manifest, _before: self._load(manifest),
            _OpenIndex(searcher=None, visible_revision=0),
        )

    @property
    def revision(self) -> int:
        """The last revision that was applied and is safe on disk."""
        return self._snapshots.newest().revision

    @property
    def visible_revision(self) -> int:
        """The revision that a search sees: ahead of `revision` from tantivy's commit until the manifest has it."""
        return self._snapshots.newest().data.visible_revision

    def apply(self, change: Change) -> None:
        """Brings the index to the change's revision.

        Raises:
            IndexingError: the index cannot be written; what it held can still be searched.
        """
        if not is_step(change, self.revision):
            return
        with _translated(IndexingError, f"{self._folder} cannot be written"):
            self._folder.mkdir(parents=True, exist_ok=True)
            index = tantivy.Index(self._schema, path=str(self._folder))
            with index.writer(heap_size=HEAP_BYTES, num_threads=1) as writer:
                try:
                    self._write(index, writer, change)
                except BaseException:
                    writer.rollback()  # else leaving the context would commit what was written until then
                    raise
                self._announce(change.revision)
                writer.commit()
                writer.wait_merging_threads()
            sync_folder(self._folder)  # tantivy omits that after it has renamed its list of files
            index.reload()
            entries = index.searcher().num_docs
            segments = _listed(self._meta(), entries)
        self._manifest.write(Manifest(revision=change.revision, entries=entries, segments=segments))

    def search(self, query: Sequence[str], *, k: int, scope: Scope) -> list[Candidate]:
        """At most `k` rows that hold a token of the query; a token that it has twice counts twice.

        Raises:
            DamagedIndex: the files of the index cannot be read.
            IndexingError: they cannot be read now.
        """
        searcher = self._snapshots.newest().data.searcher
        if searcher is None or not query or k < 1 or not searcher.num_docs:
            return []
        allowed = scope.rows()
        asked = _within(searcher, _any_of(query, self._schema), allowed, self._schema)
        with _translated(DamagedIndex, f"{self._folder} cannot be searched"):
            return _search(searcher, *asked, min(k, searcher.num_docs))

    def rows(self) -> NDArray[np.int64]:
        """The rows that the index holds: int64, shape (rows,), sorted."""
        searcher = self._snapshots.newest().data.searcher
        if searcher is None or not searcher.num_docs:
            return np.empty(0, np.int64)
        with _translated(DamagedIndex, f"{self._folder} cannot be read"):
            return np.sort(np.array([row for row, _ in _all(searcher)], np.int64))

    def count(self) -> int:
        """How many rows the index holds."""
        searcher = self._snapshots.newest().data.searcher
        return 0 if searcher is None else int(searcher.num_docs)

    def verify(self, live: Iterable[Entry]) -> list[Flaw]:
        """Checks all files by their checksums, and compares the tokens of each entry with those that its text gives.

        Raises:
            DamagedIndex: the files cannot be read.
        """
        searcher = self._snapshots.newest().data.searcher
        if searcher is None:
            return []
        manifest = self._manifest.read()
        for segment in manifest.segments if manifest else ():  # earlier versions named none
            read_checked(self._folder / segment.data.name, segment.data.crc32)
        with _translated(DamagedIndex, f"{self._folder} cannot be read"):
            changed = [Flaw(message=message) for message in changed_files(self._folder)]
            if changed:
                return changed  # damaged files may give any value
            held = {row: searcher.doc(address).get_first("tokens") or "" for row, address in _all(searcher)}
        return compared(held, live, lambda entry: " ".join(self._analyser.tokens(entry.chunk.context)), "tokens")

    def close(self) -> None:
        """Closes the files."""
        self._snapshots.forget()

    def _announce(self, revision: int) -> None:
        """Records which revision the data will have once tantivy has committed, which replaces the present data."""
        held = self._snapshots.newest().data
        if held.searcher is not None:
            entries = held.searcher.num_docs
            segments = _listed(self._meta(), entries)
            self._manifest.write(
                Manifest(revision=held.visible_revision, entries=entries, segments=segments, coming=revision)
            )

    def _load(self, manifest: Manifest) -> "_OpenIndex":
        with _translated(DamagedIndex, f"{self._folder} cannot be opened"):
            while True:
                meta = self._meta()
                searcher = self._open()
                if meta == self._meta():  # else a writer has committed meanwhile
                    break
        if manifest != self._manifest.read():
            raise DamagedIndex(f"{self._folder} was written while it was opened")  # and is opened once more
        if manifest.segments in ((), _listed(meta, manifest.entries)):  # earlier versions noted none
            return _OpenIndex(searcher=searcher, visible_revision=manifest.revision)
        if not manifest.coming:
            raise DamagedIndex(f"{self._folder / META} is not what was written: its checksum differs")
        return _OpenIndex(searcher=searcher, visible_revision=manifest.coming)

    def _meta(self) -> bytes:
        return (self._folder / META).read_bytes()

    def _open(self) -> tantivy.Searcher:
        if os.access(self._folder, os.W_OK):
            return _searcher(self._folder)
        with TemporaryDirectory(prefix="penstock-index-") as beside:  # for the lock; the files stay where they are
            for path in self._folder.resolve().iterdir():
                if path.suffix != ".lock":
                    Path(beside, path.name).symlink_to(path)
            return _searcher(Path(beside))

    def _write(self, index: tantivy.Index, writer: tantivy.IndexWriter, change: Change) -> None:
        searcher = index.searcher()
        if change.since == 0:  # all that is live; what a folder without its manifest still holds is not known to be
            writer.delete_all_documents()
        elif _deleted_share(self._folder, len(change.removed)) > DELETED_SHARE:
            writer.delete_all_documents()
            for row, address in _all(searcher):
                writer.add_document(_document(row, searcher.doc(address).get_first("tokens") or ""))
        for batch in in_batches(change.removed, BATCH):
            _delete(writer, self._schema, batch)
        for entries in in_batches(change.added, BATCH):
            if searcher.num_docs:
                _delete(writer, self._schema, [entry.row for entry in entries])
            for entry in entries:
                writer.add_document(_document(entry.row, " ".join(self._analyser.tokens(entry.chunk.context))))


@dataclass(frozen=True, slots=True, kw_only=True)
class _OpenIndex:
    """The searcher, and the revision of its data."""

    searcher: tantivy.Searcher | None
    visible_revision: int


def _listed(meta: bytes, entries: int) -> tuple[Segment, ...]:
    """tantivy's list of its files, as the manifest names it."""
    return (Segment(data=DataFile(name=META, crc32=zlib.crc32(meta), entries=entries)),)


def _searcher(folder: Path) -> tantivy.Searcher:
    index = tantivy.Index.open(str(folder))
    index.config_reader("manual")  # else a thread of its own watches the folder
    return index.searcher()


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("row", indexed=True, fast=True)
    builder.add_text_field("tokens", stored=True, tokenizer_name="whitespace", index_option="freq")
    return builder.build()


def _document(row: int, tokens: str) -> tantivy.Document:
    document = tantivy.Document()
    document.add_unsigned("row", row)
    document.add_text("tokens", tokens)
    return document


def _delete(writer: tantivy.IndexWriter, schema: tantivy.Schema, rows: list[int]) -> None:
    # delete_documents_by_term takes an int for a signed number, matches nothing and says nothing (tantivy-py 0.27)
    writer.delete_documents_by_query(Query.term_set_query(schema, "row", rows))


def _any_of(tokens: Sequence[str], schema: tantivy.Schema) -> Query:
    terms = []
    for token, count in Counter(tokens).items():
        term = Query.term_query(schema, "tokens", token, "freq")
        terms.append((Occur.Should, term if count == 1 else Query.boost_query(term, float(count))))
    return Query.boolean_query(terms)


def _within(
    searcher: tantivy.Searcher, query: Query, allowed: NDArray[np.int64] | None, schema: tantivy.Schema
) -> tuple[Query, NDArray[np.int64] | None]:
    """The query within a scope, and the rows that are still to be checked; None where the query alone is exact.

    `allowed` are the rows of the scope: int64, shape (n,), sorted; None: all.
    """
    if allowed is None or len(allowed) * WIDE >= searcher.num_docs:
        return query, allowed
    within = Query.const_score_query(Query.term_set_query(schema, "row", allowed.tolist()), 0.0)
    return Query.boolean_query([(Occur.Must, query), (Occur.Must, within)]), None


def _search(searcher: tantivy.Searcher, query: Query, allowed: NDArray[np.int64] | None, k: int) -> list[Candidate]:
    """The best `k` of the query's hits that are `allowed`: int64, shape (n,), sorted; None: all."""
    limit = min(k + 16, searcher.num_docs)
    while True:
        hits = searcher.search(query, limit, count=False).hits
        scores = np.array([score for score, _ in hits], np.float64)
        rows = np.array(searcher.fast_field_values("row", [address for _, address in hits]), np.int64)
        kept = scores > 0 if allowed is None else contained(rows, allowed)
        last = scores[kept][k - 1] if kept.sum() >= k else 0.0
        if len(hits) < limit or limit == searcher.num_docs or last > scores[-1]:  # all that tie with the last were seen
            return best(rows[kept], scores[kept], k)
        limit = min(4 * limit, searcher.num_docs)


def _all(searcher: tantivy.Searcher) -> list[tuple[int, tantivy.DocAddress]]:
    return searcher.search(Query.all_query(), max(searcher.num_docs, 1), count=False, order_by_field="row").hits


def _deleted_share(folder: Path, more: int) -> float:
    """Share of deleted texts in the index after `more` of them go; tantivy reports it in a file only."""
    segments = json.loads((folder / "meta.json").read_text("utf-8"))["segments"]
    held = sum(segment["max_doc"] for segment in segments)
    deleted = sum((segment["deletes"] or {}).get("num_deleted_docs", 0) for segment in segments)
    return float(min(deleted + more, held) / held) if held else 0.0


@contextmanager
def _translated(kind: type[IndexingError], action: str) -> Iterator[None]:
    """Raises errors of tantivy, its panics (which are no Exceptions), and nonsense read from damaged files, as our own.

    What the machine lacks for now, such as descriptors, is no damage; tantivy reports it in words only.
    """
    try:
        yield
    except MemoryError as error:
        raise unreadable(action, error) from error
    except (ValueError, OSError, RuntimeError, KeyError, TypeError, OverflowError) as error:
        number = _error_number(error)
        if kind is DamagedIndex and number:
            raise unreadable(action, OSError(number, os.strerror(number))) from error
        locked = "Failed to acquire" in str(error)  # by another writer, or in a folder that may only be read
        raise (IndexingError if locked else kind)(f"{action}: {error}") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        number = _error_number(error)
        if kind is DamagedIndex and number:
            raise unreadable(action, OSError(number, os.strerror(number))) from error
        raise kind(f"{action}: {error}") from error


def _error_number(error: BaseException) -> int:
    """The operating system's number of the error; 0 where tantivy does not give it."""
    if isinstance(error, OSError) and error.errno:
        return error.errno
    found = _NUMBERED.search(str(error))
    return int(found[1] or found[2]) if found else 0
