"""The revisions of a collection: which there are, what made them, and what each changed."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select

from penstock.catalog.commit import carrying, compacting
from penstock.catalog.commit.compacting import Freed
from penstock.catalog.database.database import Database
from penstock.catalog.database.encoding import microseconds, moment
from penstock.catalog.database.schema import belongs, revisions, runs, sources
from penstock.catalog.read import reading
from penstock.catalog.read.changes import embedder_at
from penstock.catalog.read.filters import source_conditions
from penstock.catalog.read.kept import KeptRevisions, check_kept, left, read_kept
from penstock.catalog.values import RevisionEntry, StoredDocument, Upsert
from penstock.errors import CatalogError
from penstock.model import Filter, Source

CHANGE_OF_MODEL = "change of model"
"""The cause of a revision that no run made: the collection was switched to another model."""
EVERYTHING = Filter()


class History:
    """The past of a collection, as far back as it is kept."""

    def __init__(self, database: Database, row: int, name: str) -> None:
        self._database = database
        self._row = row
        self._key = row, name

    def kept(self) -> KeptRevisions:
        """The oldest revision that can be read, and the newest.

        Raises:
            UnknownName: the collection was removed.
        """
        with self._database.read() as connection:
            return read_kept(connection, self._row)

    def forget(self, *, keep: int | None, since: datetime | None = None) -> int:
        """Keeps the newest `keep` revisions and those valid since `since`; gives the oldest that is kept.

        The commits of one run count as one. Earlier revisions cannot be read any more; `clear` deletes their rows.

        Raises:
            UnknownName: the collection was removed.
            CatalogError: the database cannot be written.
        """
        return compacting.forget(self._database, self._key, keep=keep, since=_micro(since))

    def clear(self, *, runs: int) -> Freed:
        """Deletes what no kept revision needs, and the reports of all but the last `runs` runs.

        Vectors are deleted as well, if no other collection has a run in progress that may be about to use them.

        Raises: as `forget`; what was deleted is gone, and the next call continues.
        """
        return compacting.clear(self._database, self._key, runs_kept=runs)

    def sweep(self) -> Freed | None:
        """Deletes the vectors that no revision of any collection needs.

        Deletes nothing and gives None where another collection has a run in progress.

        Raises:
            CatalogError: the database cannot be written.
        """
        return compacting.sweep(self._database, self._row)

    def foreseen(self, *, keep: int | None, since: datetime | None, runs: int) -> tuple[int, Freed]:
        """The oldest revision that `forget` would keep, and how much would be deleted."""
        return compacting.foreseen(self._database, self._row, keep=keep, since=_micro(since), runs_kept=runs)

    def embedder(self, at: int) -> str:
        """Identity of the model that made the vectors of a revision; empty at revision 0.

        Raises:
            RevisionGone: the revision was compacted away.
            CatalogError: there is no such revision.
        """
        with self._database.read() as connection:
            kept = read_kept(connection, self._row)
            if not 0 <= at <= kept.newest:
                raise CatalogError(f"collection {kept.name!r} has no revision {at}; {left(kept)}")
            check_kept(connection, self._row, at)
            return embedder_at(connection, self._row, at)

    def documents(self, at: int) -> Iterator[StoredDocument]:
        """The documents of a revision, oldest first, streamed."""
        yield from reading.stream_documents(self._database, self._row, at, None)

    def sources(self, at: int) -> Iterator[Upsert]:
        """The sources of a revision, oldest first, streamed; without their documents."""
        yield from carrying.sources_by_age(self._database, self._row, at)

    def gone(self) -> Iterator[Source]:
        """Removed sources that not everybody could see, as they were last."""
        yield from carrying.gone_sources(self._database, self._row)

    def text_hashes(self, at: int) -> Iterator[Sequence[str]]:
        """The keys of the vectors of a revision in order, streamed in pages."""
        yield from carrying.text_hashes(self._database, self._row, at)

    def entries(
        self, *, limit: int | None = None, before: int | None = None, where: Filter = EVERYTHING
    ) -> tuple[RevisionEntry, ...]:
        """The revisions, newest first: at most `limit`, before `before`; counts only sources that the filter shows."""
        table = revisions.c
        query = (
            select(table.revision, table.time, table.run, table.embedder, runs.c.command)
            .outerjoin(runs, runs.c.row == table.run)
            .where(table.collection == self._row)
            .order_by(table.revision.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            query = query.where(table.revision >= read_kept(connection, self._row).oldest)
            rows = connection.execute(query if before is None else query.where(table.revision < before)).all()
            if not rows:
                return ()
            counted = _counts(connection, self._row, rows[-1].revision, rows[0].revision, where)
        return tuple(
            RevisionEntry(
                revision=row.revision,
                time=moment(row.time),
                cause=row.command or CHANGE_OF_MODEL,
                run=row.run,
                embedder=row.embedder,
                **_change_counts(row.revision, *counted),
            )
            for row in rows
        )


def _micro(time: datetime | None) -> int | None:
    return None if time is None else microseconds(time)


Counts = Mapping[int, int]


def _counts(connection: Connection, collection: int, first: int, last: int, where: Filter) -> tuple[Counts, ...]:
    """By revision: how many sources were added, were removed, and both under the same address."""
    conditions = source_conditions(where, past=True)
    came = _moved(sources.c.added_rev, collection, first, last, conditions).subquery()
    went = _moved(sources.c.removed_rev, collection, first, last, conditions).subquery()
    both = came.join(went, and_(came.c.revision == went.c.revision, came.c.uri == went.c.uri))
    found = []
    for table in (came, went, both):
        count = select(came.c.revision if table is both else table.c.revision, func.count()).select_from(table)
        rows = connection.execute(count.group_by(came.c.revision if table is both else table.c.revision))
        found.append({int(revision): int(number) for revision, number in rows})
    return tuple(found)


def _moved(
    revision: ColumnElement[int], collection: int, first: int, last: int, conditions: Sequence[ColumnElement[bool]]
) -> Select[Any]:
    return select(revision.label("revision"), sources.c.uri).where(
        belongs(sources, collection), revision.between(first, last), *conditions
    )


def _change_counts(revision: int, came: Counts, went: Counts, both: Counts) -> dict[str, int]:
    changed = both.get(revision, 0)
    return {
        "added": came.get(revision, 0) - changed,
        "changed": changed,
        "removed": went.get(revision, 0) - changed,
    }
