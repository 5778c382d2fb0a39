"""Where the listing of an address goes on at the next run, as its connector said at the end of the last one."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from penstock.catalog.commit.committing import lock_collection
from penstock.catalog.database.database import Database
from penstock.catalog.database.schema import belongs, cursors
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
    database: Database, key: tuple[int, str], kept: Sequence[Cursor], *, removed: Collection[str], longest: int
) -> None:
    """Remembers the cursors of a run; forgets other addresses of schemes of which it removed sources (`removed`).

    A listing of those would not name again what is missing now. `key` and `longest` are as in `addresses.remember`.
    """
    row, name = key
    fit = {one.address: one for one in kept if len(one.address.encode("utf-8", "surrogatepass")) <= longest}
    with database.read() as connection:
        rows = connection.execute(select(cursors).where(belongs(cursors, row))).all()
    known = {one.uri: Cursor(address=one.uri, text=one.cursor, mark=one.mark) for one in rows}
    gone = {uri for uri in known if uri not in fit and scheme_of(uri) in removed}
    new = [one for one in fit.values() if known.get(one.address) != one]
    if not gone and not new:
        return
    with database.write() as connection:
        lock_collection(database, connection, row, name)
        for uri in (*gone, *(one.address for one in new)):
            connection.execute(delete(cursors).where(belongs(cursors, row), cursors.c.uri == uri))
        if new:
            values = [{"collection": row, "uri": one.address, "cursor": one.text, "mark": one.mark} for one in new]
            connection.execute(insert(cursors), values)


def forget_cursors(connection: Connection, collection: int) -> None:
    """Has all listings begin anew: the collection holds something else than they left it with."""
    connection.execute(delete(cursors).where(belongs(cursors, collection)))
