"""The change that brings an index from one revision to another, read in short transactions while it is consumed.

Rows of past revisions do not change, so a change is the same however long reading it takes and whoever commits
meanwhile.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, Select, and_, or_, select

from penstock.catalog.database.database import PAGE, Database, pages
from penstock.catalog.database.encoding import read_chunk
from penstock.catalog.database.schema import LIVE, belongs, chunks, documents, live, revisions, sources
from penstock.catalog.read.kept import check_kept
from penstock.catalog.read.reading import own_first, sources_by_content
from penstock.catalog.vectors import VectorCache, read_vectors
from penstock.errors import CatalogError
from penstock.model import Change, Entry, Source

PLACED = (
    documents.c.id.label("document_id"),
    documents.c.uri.label("document_uri"),
    documents.c.title,
    documents.c.content,
)
"""The columns of its document that a chunk's row needs."""


def row_numbers(connection: Connection, query: Select[tuple[int]]) -> NDArray[np.int64]:
    """The row numbers that a query selects, sorted: shape (n,), int64."""
    # Straight from the driver: 100,000 numbers take a third of the time that result rows take.
    cursor = connection.execute(query).cursor
    found = np.fromiter(chain.from_iterable(cursor.fetchall() if cursor else ()), dtype=np.int64)
    found.sort()
    return found


def live_rows(connection: Connection, collection: int, at: int) -> NDArray[np.int64]:
    """Rows of all chunks that are live at a revision, sorted: shape (n,), int64.

    Raises:
        RevisionGone: it was compacted away.
    """
    check_kept(connection, collection, at)
    return row_numbers(connection, select(chunks.c.row).where(belongs(chunks, collection), live(chunks, at)))


def read_change(
    database: Database, vectors: VectorCache, collection: int, *, since: int, to: int, with_vectors: bool
) -> Change:
    """The difference between two revisions; from revision 0 it contains everything live.

    Raises:
        CatalogError: `since` is later than `to`.
        RevisionGone: one of them was compacted away, so the difference is unknown; an empty index starts at 0.
    """
    if since > to:
        raise CatalogError(f"an index at revision {since} cannot follow to {to}: it is ahead; rebuild it")
    with database.read() as connection:
        check_kept(connection, collection, since or to)
        embedder = embedder_at(connection, collection, to)
        renewed = since == 0 or (with_vectors and embedder != embedder_at(connection, collection, since))
        touched = live_rows(connection, collection, to) if renewed else _touched(connection, collection, since, to)
        removed = _removed(connection, collection, since, to) if since else ()
    identity = embedder if with_vectors else None
    return Change(
        since=since,
        revision=to,
        removed=removed,
        added=_entries(database, vectors, collection, touched.tolist(), to, identity),
    )


def embedder_at(connection: Connection, collection: int, at: int) -> str:
    """Identity of the model that made a collection's vectors at a revision; empty at revision 0."""
    query = select(revisions.c.embedder).where(revisions.c.collection == collection, revisions.c.revision == at)
    return connection.execute(query).scalar() or ""


def _removed(connection: Connection, collection: int, since: int, to: int) -> tuple[int, ...]:
    # Includes rows both added and removed since: the index may have applied more than its revision says.
    query = select(chunks.c.row).where(
        belongs(chunks, collection), chunks.c.removed_rev > since, chunks.c.removed_rev <= to
    )
    return tuple(row_numbers(connection, query).tolist())


def _touched(connection: Connection, collection: int, since: int, to: int) -> NDArray[np.int64]:
    # Two queries, each answered by an index; a single query for "not removed by then" would scan all live rows.
    added = and_(belongs(chunks, collection), chunks.c.added_rev > since, chunks.c.added_rev <= to)
    lives = select(chunks.c.row).where(added, chunks.c.removed_rev == LIVE)
    lived = select(chunks.c.row).where(added, chunks.c.removed_rev > to, chunks.c.removed_rev < LIVE)
    came = and_(sources.c.added_rev > since, sources.c.added_rev <= to)
    went = and_(sources.c.removed_rev > since, sources.c.removed_rev <= to)
    moved = select(sources.c.content).where(belongs(sources, collection), or_(came, went))
    resourced = (
        select(chunks.c.row)
        .join(documents, documents.c.row == chunks.c.document)
        .where(belongs(documents, collection), live(documents, to), documents.c.content.in_(moved))
    )
    found = [row_numbers(connection, query) for query in (lives, lived, resourced)]
    return np.unique(np.concatenate(found))


def read_placed(
    connection: Connection, collection: int, rows: Sequence[int], conditions: Sequence[Any]
) -> list[Row[Any]]:
    """Chunks by their row numbers with what they need of their documents, in row order."""
    query = (
        select(chunks, *PLACED)
        .join(documents, documents.c.row == chunks.c.document)
        .where(belongs(chunks, collection), chunks.c.row.in_(rows), *conditions)
        .order_by(chunks.c.row)
    )
    return list(connection.execute(query))


def _entries(
    database: Database, vectors: VectorCache, collection: int, rows: Sequence[int], at: int, identity: str | None
) -> Iterator[Entry]:
    for page in pages(rows, PAGE):
        with database.read() as connection:
            check_kept(connection, collection, at)
            placed = read_placed(connection, collection, page, ())
            found = sources_by_content(connection, collection, (row.content for row in placed), at)
            model = None if identity is None else vectors.model(connection, identity)
            known = {} if model is None else read_vectors(connection, model, [row.context_hash for row in placed])
        for row in placed:
            vector = None if identity is None else known.get(row.context_hash)
            if identity is not None and vector is None:
                raise CatalogError(f"chunk {row.id} has no vector by {identity!r}: the catalog is damaged")
            origins = own_first(found[row.content], row.document_uri)
            yield Entry(
                row=row.row,
                chunk=read_chunk(row, row.document_id),
                title=title_of(row.title, origins),
                sources=origins,
                vector=vector,
                added=row.added_rev,
            )


def title_of(title: str, origins: Sequence[Source]) -> str:
    """A document's title, or the last part of its first source's path where the content gives none."""
    if title or not origins:
        return title
    uri = origins[0].uri
    path = urlsplit(uri).path.rstrip("/")
    return unquote(path.rpartition("/")[2]) or uri
