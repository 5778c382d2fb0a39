"""Deletes what only dropped revisions needed, page by page, so that no commit waits long.

First the oldest kept revision is recorded: from then on no earlier revision can be read. Everything deleted afterwards
is unreachable already, so a process that dies in the middle leaves nothing wrong, and the next one continues.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, delete, exists, func, or_, select, update

from penstock.catalog.commit.committing import lock_collection
from penstock.catalog.commit.runs import RUNNING
from penstock.catalog.database.database import Database, pages
from penstock.catalog.database.schema import (
    belongs,
    chunks,
    collections,
    contents,
    documents,
    models,
    revisions,
    runs,
    source_access,
    source_labels,
    sources,
    vectors,
)
from penstock.catalog.read.kept import read_kept

ROWS = 2000
"""Rows that one transaction removes."""
RUNS = 10
"""Reports of this many last runs are always kept."""
MAY_STILL_RUN = 24 * 3600 * 10**6
"""Microseconds for which a run without an end counts as still running, and not as killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """How much was removed, or would be."""

    revisions: int = 0
    sources: int = 0
    documents: int = 0
    chunks: int = 0
    vectors: int = 0
    runs: int = 0

    def __add__(self, other: "Freed") -> "Freed":
        return Freed(**{field.name: getattr(self, field.name) + getattr(other, field.name) for field in fields(self)})

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))


def oldest_to_keep(connection: Connection, collection: int, *, keep: int | None, since: int | None) -> int:
    """The oldest revision to keep for the newest `keep` and those valid since `since` (microseconds).

    The commits of one run count as one. The revision at which a run started that may still be running is kept, too.
    """
    oldest = read_kept(connection, collection).oldest
    wanted = [_newest_but(connection, collection, keep)] if keep is not None else []
    wanted += [_holding_at(connection, collection, since)] if since is not None else []
    going_on = (
        select(revisions.c.revision)
        .join(runs, runs.c.row == revisions.c.run)
        .where(revisions.c.collection == collection, _goes_on())
        .order_by(revisions.c.revision)
        .limit(1)
    )
    found = connection.execute(going_on).scalar()
    wanted += [] if found is None else [found - 1]
    return max(oldest, min(wanted, default=oldest))


def _newest_but(connection: Connection, collection: int, keep: int) -> int:
    query = select(revisions.c.revision, revisions.c.run).where(revisions.c.collection == collection)
    seen: set[tuple[str, int]] = set()  # commits of runs at the same time alternate
    for revision, run in connection.execute(query.order_by(revisions.c.revision.desc())):
        seen.add(("revision", revision) if run is None else ("run", run))
        if len(seen) == keep:
            return int(revision)
    return 0


def _holding_at(connection: Connection, collection: int, since: int) -> int:
    query = select(revisions.c.revision).where(revisions.c.collection == collection, revisions.c.time <= since)
    return int(connection.execute(query.order_by(revisions.c.revision.desc()).limit(1)).scalar() or 0)


def forget(database: Database, key: tuple[int, str], *, keep: int | None, since: int | None) -> int:
    """Records which revision is the oldest from now on; gives it.

    Raises:
        UnknownName: the collection was removed.
        CatalogError: the database cannot be written.
    """
    row, name = key
    with database.read() as connection:
        known = read_kept(connection, row).oldest
        if oldest_to_keep(connection, row, keep=keep, since=since) == known:
            return known
    with database.write() as connection:
        lock_collection(database, connection, row, name)
        oldest = oldest_to_keep(connection, row, keep=keep, since=since)
        connection.execute(update(collections).where(collections.c.row == row).values(oldest=oldest))
        return oldest


def clear(database: Database, key: tuple[int, str], *, runs_kept: int) -> Freed:
    """Deletes what no kept revision needs, and reports of all but the last `runs_kept` runs.

    Vectors of deleted texts are deleted as well, if no other collection has a run in progress: that run may have seen
    such a vector, and be about to use it.

    Raises:
        UnknownName: the collection was removed.
        CatalogError: the database cannot be written; what was deleted is gone, and the next call continues.
    """
    row, name = key
    freed = Freed()
    for rows_of, drop in _STEPS:
        while True:
            with database.read() as connection:
                rows = connection.scalars(rows_of(connection, row, runs_kept).limit(ROWS)).all()
            if not rows:
                break
            with database.write() as connection:
                database.backend.hold_runs(connection)
                lock_collection(database, connection, row, name)
                for page in pages(rows):
                    freed += drop(connection, row, page, nothing_runs_beside(connection, row))
    return freed


def foreseen(
    database: Database, collection: int, *, keep: int | None, since: int | None, runs_kept: int
) -> tuple[int, Freed]:
    """The oldest revision that `forget` would leave, and what it, `clear` and `sweep` would remove."""
    with database.read() as connection:
        oldest = oldest_to_keep(connection, collection, keep=keep, since=since)
        count = partial(_count, connection)
        return oldest, Freed(
            revisions=count(_old_revisions(collection, oldest)),
            sources=count(_old_sources(collection, oldest)),
            documents=count(_old(documents, collection, oldest)),
            chunks=count(_old(chunks, collection, oldest)),
            vectors=sum(count(query) for _, query in _unused(connection, collection, oldest)),
            runs=count(_old_runs(connection, collection, oldest, runs_kept)),
        )


def sweep(database: Database, own: int) -> Freed | None:
    """Deletes the vectors, of every model, that no revision of any collection needs.

    A vector is needed where a kept revision has its text and its model: so a model's vectors stay exactly as long as a
    rollback to it is possible. Deletes nothing and gives None where a collection other than that of the row `own` has
    a run in progress.

    Raises:
        CatalogError: the database cannot be written.
    """
    with database.write() as connection:
        database.backend.hold_runs(connection)
        if not nothing_runs_beside(connection, own):
            return None
        found = 0
        for model, unused in _unused(connection):
            gone = connection.execute(delete(vectors).where(vectors.c.model == model, vectors.c.hash.in_(unused)))
            found += gone.rowcount
        return Freed(vectors=found)


def _count(connection: Connection, query: Any) -> int:
    return int(connection.execute(select(func.count()).select_from(query.subquery())).scalar_one())


def nothing_runs_beside(connection: Connection, own: int) -> bool:
    """Whether no collection but that of the row has a run in progress, as far as is known."""
    return not connection.execute(select(exists().where(~belongs(runs, own), _goes_on()))).scalar_one()


def _goes_on() -> ColumnElement[bool]:
    return and_(runs.c.status == RUNNING, runs.c.started > time.time_ns() // 1000 - MAY_STILL_RUN)


def _unused(connection: Connection, collection: int = 0, oldest: int = 0) -> Iterator[tuple[int, Any]]:
    """Each model with a query of its hashes that no chunk would need without the revisions before `oldest`."""
    for model, identity in connection.execute(select(models.c.row, models.c.identity)).all():
        kept = or_(revisions.c.collection != collection, revisions.c.revision >= oldest)
        using = select(revisions.c.collection).where(revisions.c.embedder == identity, kept)
        there = or_(chunks.c.collection != collection, chunks.c.removed_rev > oldest)
        needed = select(chunks.c.context_hash).where(there, chunks.c.collection.in_(using))
        yield model, select(vectors.c.hash).where(vectors.c.model == model).except_(needed)


def _old(table: Table, collection: int, oldest: int) -> Select[tuple[int]]:
    return select(table.c.row).where(belongs(table, collection), table.c.removed_rev <= oldest)


def _old_sources(collection: int, oldest: int) -> Select[tuple[int]]:
    """Old sources, without those from which new sources inherit their access.

    Those are the last of their address and the last with their bytes, where not everybody could see them. Sources
    removed in the oldest revision stay as well, because the history of that revision counts them.
    """
    peers, table = sources.alias(), sources.c
    of_address = exists().where(peers.c.collection == collection, peers.c.uri == table.uri, peers.c.row > table.row)
    same_bytes = and_(peers.c.collection == collection, peers.c.sha256 == table.sha256)
    of_bytes = exists().where(same_bytes, peers.c.removed_rev > table.removed_rev)
    closed = exists().where(same_bytes, peers.c.access != "[]")
    inherited = or_(
        and_(table.access != "[]", ~of_address),
        and_(table.sha256 != "", closed, ~of_bytes),
    )
    return select(table.row).where(belongs(sources, collection), table.removed_rev < oldest, ~inherited)


def _old_revisions(collection: int, oldest: int) -> Select[tuple[int]]:
    return select(revisions.c.revision).where(revisions.c.collection == collection, revisions.c.revision < oldest)


def _old_runs(connection: Connection, collection: int, oldest: int, keep: int) -> Select[tuple[int]]:
    last = select(runs.c.row).where(belongs(runs, collection)).order_by(runs.c.row.desc())
    first = connection.execute(last.offset(max(keep, RUNS)).limit(1)).scalar() or 0
    used = exists().where(
        revisions.c.collection == collection, revisions.c.run == runs.c.row, revisions.c.revision >= oldest
    )
    return select(runs.c.row).where(belongs(runs, collection), runs.c.row <= first, runs.c.status != RUNNING, ~used)


def _drop_chunks(connection: Connection, _collection: int, rows: Sequence[int], alone: bool) -> Freed:
    hashes = connection.scalars(select(chunks.c.context_hash).where(chunks.c.row.in_(rows)).distinct()).all()
    connection.execute(delete(chunks).where(chunks.c.row.in_(rows)))
    if not alone:
        return Freed(chunks=len(rows))
    unused = ~exists().where(chunks.c.context_hash == vectors.c.hash)
    models_of = connection.scalars(select(models.c.row)).all()
    gone = connection.execute(delete(vectors).where(vectors.c.model.in_(models_of), vectors.c.hash.in_(hashes), unused))
    return Freed(chunks=len(rows), vectors=gone.rowcount)


def _drop_documents(connection: Connection, collection: int, rows: Sequence[int], _: bool) -> Freed:
    bodies = connection.scalars(select(documents.c.content).where(documents.c.row.in_(rows)).distinct()).all()
    connection.execute(delete(documents).where(documents.c.row.in_(rows)))
    used = exists().where(documents.c.collection == collection, documents.c.content == contents.c.hash)
    connection.execute(delete(contents).where(belongs(contents, collection), contents.c.hash.in_(bodies), ~used))
    return Freed(documents=len(rows))


def _drop_sources(connection: Connection, _collection: int, rows: Sequence[int], _: bool) -> Freed:
    for table in (source_labels, source_access):
        connection.execute(delete(table).where(table.c.source.in_(rows)))
    connection.execute(delete(sources).where(sources.c.row.in_(rows)))
    return Freed(sources=len(rows))


def _drop_revisions(connection: Connection, collection: int, rows: Sequence[int], _: bool) -> Freed:
    own = and_(revisions.c.collection == collection, revisions.c.revision.in_(rows))
    connection.execute(delete(revisions).where(own))
    return Freed(revisions=len(rows))


def _drop_runs(connection: Connection, collection: int, rows: Sequence[int], _: bool) -> Freed:
    connection.execute(delete(runs).where(belongs(runs, collection), runs.c.row.in_(rows)))
    return Freed(runs=len(rows))


RowsOf = Callable[[Connection, int, int], Select[tuple[int]]]
Drop = Callable[[Connection, int, Sequence[int], bool], Freed]


def _at_oldest(rows_of: Callable[[int, int], Select[tuple[int]]]) -> RowsOf:
    return lambda connection, collection, _: rows_of(collection, read_kept(connection, collection).oldest)


def _runs_at_oldest(connection: Connection, collection: int, keep: int) -> Select[tuple[int]]:
    return _old_runs(connection, collection, read_kept(connection, collection).oldest, keep)


_STEPS: tuple[tuple[RowsOf, Drop], ...] = (
    (_at_oldest(partial(_old, chunks)), _drop_chunks),
    (_at_oldest(partial(_old, documents)), _drop_documents),
    (_at_oldest(_old_sources), _drop_sources),
    (_at_oldest(_old_revisions), _drop_revisions),
    (_runs_at_oldest, _drop_runs),
)
"""Tables that refer to others come first; each with the query of its rows and the function that deletes them."""
