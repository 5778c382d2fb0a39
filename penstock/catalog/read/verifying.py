"""Verifies that the catalog still holds what was written: the database's own checks, and every hash recomputed."""

from collections.abc import Iterator

from penstock.catalog.database.database import Database, pages
from penstock.catalog.database.encoding import read_chunk
from penstock.catalog.read.changes import live_rows, read_placed
from penstock.catalog.read.reading import stream_documents
from penstock.catalog.values import StoredDocument
from penstock.errors import CatalogError
from penstock.ids import chunk_id, content_hash, document_id, text_hash
from penstock.urls import without_secrets


def flaws(database: Database, collection: int, name: str, at: int) -> Iterator[str]:
    """Flaws of the live documents of a collection at a revision, and of the whole database; streamed.

    Values that are not part of a hash are not checked, such as the date of a source or the page of a chunk.
    """
    with database.read() as connection:
        yield from database.backend.flaws(connection)
    try:
        for stored in stream_documents(database, collection, at, None):
            yield from _document_flaws(stored, name)
        yield from _context_flaws(database, collection, at)
    except CatalogError as error:
        yield str(error)


def _document_flaws(stored: StoredDocument, name: str) -> Iterator[str]:
    document = stored.document
    where = f"document {document.id} ({without_secrets(document.source.uri)!r})"
    if document.id != document_id(name, document.source.uri):
        yield f"{where}: its id is not the one of its address"
    if stored.content != content_hash(document.title, document.language, document.text, document.blocks):
        yield f"{where}: its text is not what was read: the hash differs"
    if len(stored.chunks) != stored.known.chunks:
        yield f"{where}: {len(stored.chunks)} chunks are there, {stored.known.chunks} were written"
    for chunk in stored.chunks:
        if chunk.text != document.text[chunk.span.start : chunk.span.end]:
            yield f"{where}: chunk {chunk.id} is not its span of the text"
        elif chunk.id != chunk_id(stored.content, chunk.span, stored.chunker):
            yield f"{where}: chunk {chunk.id} does not have the id of its span"


def _context_flaws(database: Database, collection: int, at: int) -> Iterator[str]:
    with database.read() as connection:
        rows = live_rows(connection, collection, at).tolist()
    for page in pages(rows):
        with database.read() as connection:
            placed = read_placed(connection, collection, page, ())
        for row in placed:
            if row.context_hash != text_hash(read_chunk(row, row.document_id).context):
                yield f"chunk {row.id}: its headings and text are not what its vector was computed from"
