"""Where the listing of an address goes on at the next run, as its connector said at the end of the last one."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, delete, insert, select

from penstock.catalog.commit.committing import lock_collection
from penstock.catalog.database.database import Database
from penstock.catalog.database.schema import LIVE, belongs, cursors, revisions, sources
from penstock.urls import scheme_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where a listing goes on."""

    address: str
    text: str
    mark: str
    """What it was listed for (readers, labels, how files are read): a listing for anything else begins anew."""


def read_cursor(database: Database, collection: int, address: str) -> Cursor | None:
    """What is remembered of an address."""
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
    """Remembers the cursors of a run; forgets other addresses of schemes of which it removed sources (`removed`).

    A listing of those would not name again what is missing now. Nor is a cursor kept of a scheme of which another run
    removed or changed sources since the revision `since`, at which the listing began: that may be after it was listed.
    `key` and `longest` are as in `addresses.remember`.
    """
    row, name = key
    fit = {one.address: one for one in kept if len(one.address.encode("utf-8", "surrogatepass")) <= longest}
    if not fit and not removed:
        return
    with database.write() as connection:
        lock_collection(database, connection, row, name)
        rows = connection.execute(select(cursors).where(belongs(cursors, row))).all()
        known = {one.uri: Cursor(address=one.uri, text=one.cursor, mark=one.mark) for one in rows}
        gone = {uri for uri in known if uri not in fit and scheme_of(uri) in removed}
        beside = _changed_beside(connection, row, run, since) if fit and since is not None else set()
        new = [one for one in fit.values() if known.get(one.address) != one and scheme_of(one.address) not in beside]
        for uri in (*gone, *(one.address for one in new)):
            connection.execute(delete(cursors).where(belongs(cursors, row), cursors.c.uri == uri))
        if new:
            values = [{"collection": row, "uri": one.address, "cursor": one.text, "mark": one.mark} for one in new]
            connection.execute(insert(cursors), values)


def _changed_beside(connection: Connection, collection: int, run: int, since: int) -> set[str]:
    """The schemes of the sources that other runs removed or changed since a revision."""
    own = and_(revisions.c.collection == collection, revisions.c.revision == sources.c.removed_rev)
    query = select(sources.c.uri).join(revisions, own)
    others = revisions.c.run.is_distinct_from(run)
    query = query.where(belongs(sources, collection), sources.c.removed_rev > since, sources.c.removed_rev < LIVE)
    return {scheme_of(uri) for uri in connection.scalars(query.where(others))}


def forget_cursors(connection: Connection, collection: int) -> None:
    """Has all listings begin anew: the collection holds something else than they left it with."""
    connection.execute(delete(cursors).where(belongs(cursors, collection)))
