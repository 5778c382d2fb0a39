"""Cursors: where the next run continues the listing of an address, as its connector returned it in the last run."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, delete, insert, select

from penstock.catalog.commit.committing import lock_collection
from penstock.catalog.database.database import Database
from penstock.catalog.database.schema import LIVE, belongs, cursors, revisions, sources
from penstock.urls import scheme_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where a listing continues."""

    address: str
    text: str
    mark: str
    """A hash of readers, labels and how files are read: a listing with another mark starts from the beginning."""


def read_cursor(database: Database, collection: int, address: str) -> Cursor | None:
    """The stored cursor of an address."""
    query = select(cursors).where(belongs(cursors, collection), cursors.c.uri == address)
    with database.read() as connection:
        row = connection.execute(query).one_or_none()
    return Cursor(address=row.uri, text=row.cursor, mark=row.mark) if row else None


def keep_cursors(
    database: Database,
    key: tuple[int, str],
    kept: Sequence[Cursor],
    *,
    removed: Collection[str],
    longest: int,
    run: int,
    since: int | None,
) -> None:
    """Stores the cursors of a run; deletes those of other addresses of the schemes whose sources it removed.

    From such a cursor, a listing would not name the removed sources again. A cursor is not stored either if another
    run removed or changed sources of its scheme after the revision `since`, at which the listing began: the listing
    may have missed that. `key` and `longest` are as in `addresses.remember`.
    """
    row, name = key
    fit = {cursor.address: cursor for cursor in kept if len(cursor.address.encode("utf-8", "surrogatepass")) <= longest}
    if not fit and not removed:
        return
    with database.write() as connection:
        lock_collection(database, connection, row, name)
        rows = connection.execute(select(cursors).where(belongs(cursors, row))).all()
        known = {stored.uri: Cursor(address=stored.uri, text=stored.cursor, mark=stored.mark) for stored in rows}
        gone = {uri for uri in known if uri not in fit and scheme_of(uri) in removed}
        beside = _changed_beside(connection, row, run, since) if fit and since is not None else set()
        new = [
            cursor
            for cursor in fit.values()
            if known.get(cursor.address) != cursor and scheme_of(cursor.address) not in beside
        ]
        for uri in (*gone, *(cursor.address for cursor in new)):
            connection.execute(delete(cursors).where(belongs(cursors, row), cursors.c.uri == uri))
        if new:
            values = [
                {"collection": row, "uri": cursor.address, "cursor": cursor.text, "mark": cursor.mark} for cursor in new
            ]
            connection.execute(insert(cursors), values)


def _changed_beside(connection: Connection, collection: int, run: int, since: int) -> set[str]:
    """The schemes of the sources that other runs removed or changed since a revision."""
    own = and_(revisions.c.collection == collection, revisions.c.revision == sources.c.removed_rev)
    query = select(sources.c.uri).join(revisions, own)
    by_others = revisions.c.run.is_distinct_from(run)
    query = query.where(belongs(sources, collection), sources.c.removed_rev > since, sources.c.removed_rev < LIVE)
    return {scheme_of(uri) for uri in connection.scalars(query.where(by_others))}


def forget_cursors(connection: Connection, collection: int) -> None:
    """Makes all listings start from the beginning: the collection no longer holds what they left in it."""
    connection.execute(delete(cursors).where(belongs(cursors, collection)))
