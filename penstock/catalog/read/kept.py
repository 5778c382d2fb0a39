"""Which revisions of a collection can be read: from the oldest that `compact` left to the newest."""

from typing import NamedTuple

from sqlalchemy import Connection, select

from penstock.catalog.database.schema import collections
from penstock.errors import RevisionGone, UnknownName


class KeptRevisions(NamedTuple):
    """A collection's name, and the ends of its history."""

    name: str
    oldest: int
    newest: int


def read_kept(connection: Connection, collection: int) -> KeptRevisions:
    """What can be read of the collection of that row.

    Raises:
        UnknownName: it was removed.
    """
    query = select(collections.c.name, collections.c.oldest, collections.c.revision)
    found = connection.execute(query.where(collections.c.row == collection)).one_or_none()
    if found is None:
        raise UnknownName("collection", f"of row {collection}", connection.scalars(select(collections.c.name)))
    return KeptRevisions(*found)


def check_kept(connection: Connection, collection: int, at: int) -> bool:
    """Whether a revision is past: older than the newest.

    Called in each transaction that reads the state at a revision, because `compact` may run between two of them.

    Raises:
        RevisionGone: it was compacted away.
        UnknownName: the collection was removed.
    """
    kept = read_kept(connection, collection)
    if at < kept.oldest:
        raise RevisionGone(
            f"collection {kept.name!r} no longer holds revision {at}: it was compacted away; {left(kept)}"
        )
    return at < kept.newest


def left(kept: KeptRevisions) -> str:
    """Which revisions there are, in words."""
    if kept.oldest == kept.newest:
        return f"only revision {kept.newest}, the newest, is left"
    return f"left are {kept.oldest} to {kept.newest} (`penstock history` lists them)"
