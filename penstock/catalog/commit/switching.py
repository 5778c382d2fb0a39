"""Switches to another embedding model: finds what is still to be embedded, and commits the switch."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, exists, func, select

from penstock.catalog.commit import committing
from penstock.catalog.database.database import Database, pages
from penstock.catalog.database.encoding import read_chunk
from penstock.catalog.database.schema import LIVE, belongs, chunks
from penstock.catalog.database.schema import vectors as vectors_table
from penstock.catalog.read import changes
from penstock.catalog.vectors import VectorCache
from penstock.errors import CatalogError


def switch_embedder(database: Database, cache: VectorCache, key: tuple[int, str], identity: str) -> int:
    """Switches a collection, by its row and name, to another model's vectors; gives the new revision.

    Raises:
        CatalogError: a live chunk has no vector by that model.
    """
    row, name = key
    with database.write() as connection:
        head = committing.lock_collection(database, connection, row, name)
        if head.embedder == identity:
            return int(head.revision)
        absent = select(func.count()).select_from(chunks).where(*_without_vector(connection, cache, row, identity))
        count = connection.execute(absent).scalar_one()
        if count:
            raise CatalogError(
                f"{count} chunks of collection {name!r} have no vector by {identity!r}; embed them first"
            )
        return committing.next_revision(connection, head, run=None, embedder=identity)


def missing_vectors(
    database: Database, cache: VectorCache, collection: int, identity: str
) -> Iterator[tuple[str, str]]:
    """Hash and text of each live chunk text that the model has not embedded, each text once, streamed."""
    with database.read() as connection:
        query = select(chunks.c.row).where(*_without_vector(connection, cache, collection, identity))
        rows = changes.row_numbers(connection, query).tolist()
    given: set[str] = set()
    for page in pages(rows):
        with database.read() as connection:
            placed = changes.read_placed(connection, collection, page, ())
        for row in placed:
            if row.context_hash not in given:
                given.add(row.context_hash)
                yield row.context_hash, read_chunk(row, row.document_id).context


def _without_vector(
    connection: Connection, cache: VectorCache, collection: int, identity: str
) -> list[ColumnElement[bool]]:
    conditions = [belongs(chunks, collection), chunks.c.removed_rev == LIVE]
    model = cache.model(connection, identity)
    if model is not None:
        table = vectors_table.c
        conditions.append(~exists().where(table.model == model.row, table.hash == chunks.c.context_hash))
    return conditions
