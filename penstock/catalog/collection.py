"""A collection of the catalog: its content, its history, and the only way to change it."""

from collections.abc import Collection as Several
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from penstock.catalog.commit import addresses, committing, cursors, dropping, quarantine, returning, runs, switching
from penstock.catalog.commit.addresses import Given
from penstock.catalog.commit.cursors import Cursor
from penstock.catalog.commit.returning import Returned
from penstock.catalog.database.database import Database, pages
from penstock.catalog.database.schema import LIVE, belongs, chunks, collections
from penstock.catalog.history import History
from penstock.catalog.read import below, changes, hydrating, reading, verifying
from penstock.catalog.read.filters import source_conditions
from penstock.catalog.values import (
    Batch,
    Hydrated,
    KnownMap,
    KnownSource,
    Quarantined,
    RevisionInfo,
    RunInfo,
    StoredDocument,
)
from penstock.catalog.vectors import VectorCache
from penstock.errors import CatalogError, LimitExceeded, UnknownName
from penstock.model import Access, Change, Chunk, Filter, RunReport, Scope

Rows = Sequence[int] | NDArray[np.int64]
"""Row numbers, as an index gives them or as a list."""
EVERYTHING = Filter()
NEWEST = LIVE - 1
"""A revision after all others: what is live there is live now."""


class Collection:
    """A collection; threads may share it. Every call sees what any process committed before it."""

    def __init__(self, database: Database, vectors: VectorCache, row: int, name: str, uid: str, origin: str) -> None:
        self._database = database
        self._vectors = vectors
        self._row = row
        self.name = name
        self.uid = uid
        """Never used twice, not even for a later collection of the same name: names the folders of its indexes."""
        self.origin = origin
        """The name that it was created with, from which document ids are made: a rename does not change it."""
        self.history = History(database, row, name)
        """Its revisions."""

    def revision(self) -> int:
        """The newest revision; 0 before the first commit.

        Raises:
            UnknownName: the collection was removed or renamed.
        """
        return self.head()[0]

    def embedder(self) -> str:
        """Identity of the model that made the collection's vectors; empty before the first commit."""
        return self.head()[1]

    def dimension(self) -> int:
        """Length of the collection's vectors; 0 before the first run."""
        identity = self.embedder()
        with self._database.read() as connection:
            model = self._vectors.model(connection, identity)
        return model.dimension if model else 0

    def head(self) -> tuple[int, str]:
        """`revision` and `embedder`, at one moment.

        Raises: as `revision`.
        """
        with self._database.read() as connection:
            query = select(collections.c.revision, collections.c.embedder).where(
                collections.c.row == self._row, collections.c.name == self.name
            )
            found = connection.execute(query).one_or_none()
            if found is None:
                raise UnknownName("collection", self.name, connection.scalars(select(collections.c.name)))
            return int(found.revision), str(found.embedder)

    def _at(self, at: int | None) -> int:
        newest = self.revision()
        if at is not None and not 0 <= at <= newest:
            raise CatalogError(f"collection {self.name!r} has no revision {at}; it has 0 to {newest}")
        return newest if at is None else at

    def check_uri(self, uri: str) -> None:
        """Checks whether a source with that address can be stored.

        Raises:
            LimitExceeded: the address is too long for the indexes of the database.
        """
        length, most = len(uri.encode("utf-8", "surrogatepass")), self._database.backend.longest_uri
        if length > most:
            raise LimitExceeded(f"its address is {length} bytes long; the catalog's database takes at most {most}")

    # Content

    def known(self, uri: str) -> KnownSource | None:
        """The live source of that URI."""
        return reading.known(self._database, self._row, uri)

    def known_map(self, uris: Sequence[str]) -> KnownMap:
        """The live sources among these URIs, by URI: for a run that looks up some sources of a large collection."""
        return reading.known_map(self._database, self._row, uris)

    def by_bytes(self, sha256: str, loader: str) -> KnownSource | None:
        """A live source with the same bytes that the same loader read: the oldest."""
        return reading.known_by_bytes(self._database, self._row, sha256, loader)

    def sources(self, *, at: int | None = None, where: Filter = EVERYTHING) -> Iterator[KnownSource]:
        """Live sources in the order of their URIs, streamed; only those that the filter lets through."""
        conditions = source_conditions(where, past=at is not None)
        yield from reading.stream_known(self._database, self._row, self._at(at), conditions)

    def uris(self, at: Sequence[str] | None = None) -> Iterator[str]:
        """URIs of the live sources at some addresses and below, or of all, streamed."""
        yield from below.live_uris(self._database, self._row, at)

    def known_uris(self, at: Sequence[str] | None = None) -> Iterator[str]:
        """The same, and then the URIs of sources in quarantine that were never read."""
        yield from below.known_uris(self._database, self._row, at)

    def known_count(self) -> int:
        """How many sources are live or in quarantine."""
        return below.known_count(self._database, self._row)

    def document(self, wanted: str, *, at: int | None = None, where: Filter = EVERYTHING) -> StoredDocument | None:
        """The document with an id, with a unique beginning of an id, or of a source's URI.

        A source that the filter excludes counts as missing.

        Raises:
            UsageError: several ids begin so.
        """
        conditions = source_conditions(where, past=at is not None)
        return reading.find_document(self._database, self._row, wanted, self._at(at), conditions)

    def documents(self, *, not_chunker: str | None = None) -> Iterator[StoredDocument]:
        """Live documents, oldest first, streamed; with `not_chunker` only those that another chunker cut."""
        yield from reading.stream_documents(self._database, self._row, self._at(None), not_chunker)

    def chunk_count(self) -> int:
        """How many chunks are live."""
        query = select(func.count()).select_from(chunks).where(belongs(chunks, self._row), chunks.c.removed_rev == LIVE)
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def languages(self, *, where: Filter = EVERYTHING) -> Mapping[str, int]:
        """Live chunks by language, most first; only of sources that the filter lets through."""
        return hydrating.count_languages(self._database, self._row, where, NEWEST)

    def sample(self, n: int) -> list[str]:
        """Texts of at most `n` live chunks, evenly spread: the same texts as long as nothing changes."""
        with self._database.read() as connection:
            rows = changes.live_rows(connection, self._row, NEWEST)
            if len(rows) > n:
                rows = rows[np.linspace(0, len(rows) - 1, n).astype(np.int64)]
            found: list[str] = []
            for page in pages(rows.tolist()):
                query = select(chunks.c.text).where(chunks.c.row.in_(page)).order_by(chunks.c.row)
                found += connection.scalars(query)
        return found

    def quarantined(self, uri: str) -> Quarantined | None:
        """Why the source could not be read, if it could not."""
        return quarantine.quarantined(self._database, self._row, uri)

    def quarantine(self, uris: Sequence[str] | None = None) -> tuple[Quarantined, ...]:
        """All sources that could not be read, or those among some URIs; in the order of their URIs."""
        return quarantine.read_quarantine(self._database, self._row, uris)

    # Access

    def remember(self, given: Iterable[tuple[str, Access]], *, run: int) -> None:
        """Stores the access that a run gave to addresses, for sources that are added there later.

        Raises:
            CatalogError: the database could not be written.
        """
        longest = self._database.backend.longest_uri
        addresses.remember(self._database, (self._row, self.name), given, run=run, longest=longest)

    def given(self, uris: Sequence[str] | None = None) -> Mapping[str, Given]:
        """The access last given to all addresses, or to those at or above some URIs."""
        return addresses.read_given(self._database, self._row, uris)

    def restricts(self) -> bool:
        """Whether there is, or was, a source that not everybody may see."""
        return addresses.restricts(self._database, self._row)

    def access_of_removed(self, uris: Sequence[str] | None = None) -> Mapping[str, Access]:
        """The last access of removed sources, all or some; without those that everybody could see."""
        return addresses.access_of_removed(self._database, self._row, uris)

    def access_below(self, folder: str, *, at: int = NEWEST) -> Iterator[tuple[str, Access]]:
        """The access of each source below a folder, present or removed, streamed; nothing where everybody sees all.

        Ignores what was added after the revision `at`.
        """
        yield from addresses.access_below(self._database, self._row, folder, at)

    def access_in(self, folder: str, *, before_run: int) -> Mapping[Access, int]:
        """How many sources directly in a folder had each access before a run changed anything."""
        return addresses.access_in(self._database, self._row, folder, before_run)

    def access_of_bytes(self, sha256: str) -> Sequence[Access]:
        """The access of the live sources with these bytes; where there are none, of those that were removed last."""
        return addresses.access_of_bytes(self._database, self._row, sha256)

    # Cursors of listings

    def cursor(self, address: str) -> Cursor | None:
        """Where the next listing of an address continues."""
        return cursors.read_cursor(self._database, self._row, address)

    def keep_cursors(self, kept: Sequence[Cursor], *, removed: Several[str], run: int, since: int | None) -> None:
        """Stores cursors, and deletes those of other addresses of the `removed` schemes.

        A cursor is not kept where another run than `run` removed or changed sources of its scheme after the revision
        `since`, at which the listing began.

        Raises:
            CatalogError: the database could not be written.
        """
        longest = self._database.backend.longest_uri
        key = self._row, self.name
        cursors.keep_cursors(self._database, key, kept, removed=removed, longest=longest, run=run, since=since)

    # Changes

    def locked(self, name: str, doing: str, *, timeout: float) -> AbstractContextManager[object]:
        """Holds a lock of the collection against processes of other machines; `doing` says what its holder does.

        Raises:
            CollectionLocked: another process still holds it after `timeout` seconds; names it.
        """
        return self._database.locked(f"{name} {self.uid}", doing, timeout)

    def live_contents(self, contents: Iterable[str]) -> Several[str]:
        """The contents that have a live document."""
        with self._database.read() as connection:
            return committing.live_documents(connection, self._row, contents).keys()

    def lacks_vectors(self, hashes: Sequence[str], identity: str) -> bool:
        """Whether a text of these hashes has no vector by the model."""
        return bool(self._vectors.missing(identity, hashes))

    def commit(self, batch: Batch, *, run: int | None, embedder: str) -> int:
        """Makes the batch visible, all at once; gives the newest revision.

        The revision is new when something visible changed; quarantine alone does not count.

        Raises:
            CatalogError: the batch contradicts itself or the catalog, a chunk of it has no vector by `embedder` in the
                cache, or the database could not be written. Nothing is written then.
        """
        if batch.is_empty:
            return self.revision()
        return committing.commit(
            self._database,
            self._vectors,
            (self._row, self.name, self.origin),
            batch,
            run=run,
            embedder=embedder,
        )

    def roll_back(self, to: int, *, run: int | None) -> Returned:
        """Makes the content of a past revision live again, as a new revision; nothing is read, chunked or embedded.

        Raises:
            RevisionGone: that revision was compacted away.
            CatalogError: there is no such revision, or nothing could be written.
        """
        key = self._row, self.name, self.origin
        return returning.roll_back(self._database, self._vectors, key, self._at(to), run=run)

    def know_model(self, identity: str, dimension: int) -> None:
        """Stores a model whose vectors the collection is about to hold.

        Raises:
            CatalogError: vectors of that identity have another length.
        """
        self._vectors.know(identity, dimension)

    def switch_embedder(self, identity: str) -> int:
        """Switches the collection to another model's vectors; gives the new revision.

        Raises:
            CatalogError: a live chunk has no vector by that model.
        """
        key = self._row, self.name
        return switching.switch_embedder(self._database, self._vectors, key, identity)

    def missing_vectors(self, identity: str) -> Iterator[tuple[str, str]]:
        """Hash and text of each live chunk text that the model has not embedded, each text once, streamed."""
        yield from switching.missing_vectors(self._database, self._vectors, self._row, identity)

    def remove(self) -> None:
        """Drops the collection with its history; the embedding cache stays, because all collections use it.

        Raises:
            UnknownName: it was removed before.
        """
        dropping.drop(self._database, self._row, self.name)

    # Queries of indexes and searches

    def change(self, since: int, *, to: int | None = None, vectors: bool) -> Change:
        """The change that brings an index from revision `since` to `to`, or to the newest revision.

        From 0 it contains everything live, for an empty index. An index that takes vectors gets everything again when
        the collection's embedder was switched in between.

        Raises:
            CatalogError: `since` is later than `to`: the index is ahead of the catalog.
        """
        return changes.read_change(
            self._database, self._vectors, self._row, since=since, to=self._at(to), with_vectors=vectors
        )

    def scope(self, where: Filter, *, at: int | None = None) -> Scope:
        """What a search with that filter may see, at the newest or an earlier revision."""
        return hydrating.make_scope(self._database, self._row, where, self._at(at))

    def hydrate(self, rows: Rows, *, scope: Scope) -> dict[int, Hydrated]:
        """The chunks of the rows, by row; those outside the scope are absent."""
        return hydrating.hydrate(self._database, self._row, [int(row) for row in rows], scope)

    def neighbours(self, row: int, before: int, after: int, *, scope: Scope) -> tuple[Hydrated, ...]:
        """The chunks around a row in its document, in reading order, without the row itself."""
        return hydrating.neighbours(self._database, self._row, row, before, after, scope)

    def adjacent(self, found: Sequence[Chunk], *, at: int) -> dict[str, tuple[str, str]]:
        """Ids of the chunks before and after each chunk in its document; empty at either end."""
        return hydrating.adjacent(self._database, self._row, found, at)

    def row_of(self, chunk: Chunk, *, scope: Scope) -> int | None:
        """The row number of a chunk that a search gave; None when it is not live at the scope's revision."""
        return hydrating.row_of(self._database, self._row, chunk, scope.revision)

    def live_rows(self, *, at: int | None = None) -> NDArray[np.int64]:
        """Rows of all live chunks, sorted: shape (n,), int64."""
        revision = self._at(at)
        with self._database.read() as connection:
            return changes.live_rows(connection, self._row, revision)

    def chunk_ids(self, rows: Rows) -> dict[int, str]:
        """The chunk ids of rows of this collection, live or not."""
        found: dict[int, str] = {}
        with self._database.read() as connection:
            for page in pages([int(row) for row in rows]):
                query = select(chunks.c.row, chunks.c.id).where(belongs(chunks, self._row), chunks.c.row.in_(page))
                found.update((row, id_) for row, id_ in connection.execute(query))
        return found

    def verify(self) -> Iterator[str]:
        """Flaws of the database and of live content, whose ids and hashes are all recomputed; streamed.

        Raises:
            CatalogError: the database cannot be read.
        """
        return verifying.flaws(self._database, self._row, self.origin, self.revision())

    # Runs and revisions

    def start_run(self, command: str) -> int:
        """Records that a run begins; gives its number."""
        return runs.start_run(self._database, self._row, command)

    def finish_run(self, run: int, report: RunReport | None, status: str) -> None:
        """Records how a run ended."""
        runs.finish_run(self._database, self._row, run, report, status)

    def runs(self) -> tuple[RunInfo, ...]:
        """All runs, oldest first; a run that was killed has no end."""
        return runs.read_runs(self._database, self._row)

    def last_run(self) -> RunInfo | None:
        """The run that started last."""
        return next(iter(runs.read_runs(self._database, self._row, last=1)), None)

    def revisions(self) -> tuple[RevisionInfo, ...]:
        """All commits, oldest first."""
        return runs.read_revisions(self._database, self._row)
