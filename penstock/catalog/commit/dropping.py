"""Drops a collection: deletes all of its rows in one transaction."""

from sqlalchemy import delete, select

from penstock.catalog.commit.committing import lock_collection
from penstock.catalog.database.database import Database
from penstock.catalog.database.schema import (
    addresses,
    belongs,
    chunks,
    collections,
    contents,
    cursors,
    documents,
    quarantine,
    revisions,
    runs,
    source_access,
    source_labels,
    sources,
)

OWN = (chunks, documents, sources, contents, quarantine, addresses, cursors, revisions, runs)
"""Tables whose rows belong to one collection each."""


def drop(database: Database, row: int, name: str) -> None:
    """Drops the collection with its history; the embedding cache stays, because all collections use it.

    Raises:
        UnknownName: it was removed before.
    """
    with database.write() as connection:
        lock_collection(database, connection, row, name)
        own = select(sources.c.row).where(belongs(sources, row))
        connection.execute(delete(source_labels).where(source_labels.c.source.in_(own)))
        connection.execute(delete(source_access).where(source_access.c.source.in_(own)))
        for table in OWN:
            connection.execute(delete(table).where(belongs(table, row)))
        connection.execute(delete(collections).where(collections.c.row == row))
