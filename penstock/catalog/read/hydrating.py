"""From row numbers to the chunks that a search shows: only those live at its revision that pass its filter."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Row, and_, func, select

from penstock.catalog.database.database import Database, pages
from penstock.catalog.database.encoding import read_chunk, read_places
from penstock.catalog.database.schema import belongs, chunks, documents, live, sources
from penstock.catalog.read.changes import read_placed, row_numbers, title_of
from penstock.catalog.read.filters import chunk_conditions, on_pages, source_conditions
from penstock.catalog.read.kept import check_kept
from penstock.catalog.read.reading import own_first, sources_by_content
from penstock.catalog.values import Hydrated
from penstock.model import Chunk, Filter, Scope, Source


def make_scope(database: Database, collection: int, where: Filter, at: int) -> Scope:
    """A filter at a revision; its rows are computed once, when they are first needed."""
    unrestricted = where.is_empty

    @cache
    def rows() -> NDArray[np.int64]:
        return _matching(database, collection, where, at)

    ask: Callable[[], NDArray[np.int64] | None] = (lambda: None) if unrestricted else rows
    return Scope(revision=at, where=where, rows=ask)


def _matching(database: Database, collection: int, where: Filter, at: int) -> NDArray[np.int64]:
    """Rows of live chunks that match, sorted: shape (n,), int64."""
    with database.read() as connection:
        past = check_kept(connection, collection, at)
        query = select(chunks.c.row).where(*_conditions(collection, where, at, past=past))
        if where.pages is None:
            return row_numbers(connection, query)
        first, last = where.pages
        inner, outer = chunks.c.first_page >= first, chunks.c.last_page <= last
        sure = row_numbers(connection, query.where(inner | outer))
        # A chunk that begins before the range and ends after it may skip it.
        rest = connection.execute(query.add_columns(chunks.c.places).where(~inner, ~outer))
        found = [row for row, places in rest if on_pages(read_places(json.loads(places)), where.pages)]
    return np.union1d(sure, np.array(found, dtype=np.int64))


def _conditions(collection: int, where: Filter, at: int, *, past: bool = False) -> list[ColumnElement[bool]]:
    found = [belongs(chunks, collection), live(chunks, at), *chunk_conditions(where)]
    conditions = source_conditions(where, past=past)
    if conditions:
        content = select(sources.c.content).where(belongs(sources, collection), live(sources, at), *conditions)
        inside = select(documents.c.row).where(
            belongs(documents, collection), live(documents, at), documents.c.content.in_(content)
        )
        found.append(chunks.c.document.in_(inside))
    return found


def count_languages(database: Database, collection: int, where: Filter, at: int) -> dict[str, int]:
    """Live chunks by language, most first; of those that the filter lets through, whatever their pages."""
    count = func.count().label("count")
    query = (
        select(chunks.c.language, count)
        .where(*_conditions(collection, where, at))
        .group_by(chunks.c.language)
        .order_by(count.desc(), chunks.c.language)
    )
    with database.read() as connection:
        return {language: int(number) for language, number in connection.execute(query)}


def hydrate(database: Database, collection: int, rows: Sequence[int], scope: Scope) -> dict[int, Hydrated]:
    """The chunks of the rows; those outside the scope are absent."""
    where = scope.where
    conditions = [live(chunks, scope.revision), *chunk_conditions(where)]
    found: dict[int, Hydrated] = {}
    with database.read() as connection:
        past = check_kept(connection, collection, scope.revision)
        for page in pages(rows):
            placed = read_placed(connection, collection, page, conditions)
            origins = sources_by_content(
                connection,
                collection,
                (row.content for row in placed),
                scope.revision,
                source_conditions(where, past=past),
            )
            for row in placed:
                hydrated = _hydrated(row, origins.get(row.content, []))
                if hydrated.sources and on_pages(hydrated.chunk.places, where.pages):
                    found[row.row] = hydrated
    return found


def _hydrated(row: Row[Any], origins: Sequence[Source]) -> Hydrated:
    visible = own_first(origins, row.document_uri)
    return Hydrated(
        row=row.row,
        chunk=read_chunk(row, row.document_id),
        title=title_of(row.title, visible),
        sources=visible,
        document=row.document_id,
        ordinal=row.ordinal,
    )


def row_of(database: Database, collection: int, chunk: Chunk, at: int) -> int | None:
    """The row of a chunk that is live at a revision, found through its document."""
    query = (
        select(chunks.c.row)
        .join(documents, documents.c.row == chunks.c.document)
        .where(
            belongs(documents, collection),
            documents.c.id == chunk.document_id,
            live(documents, at),
            chunks.c.id == chunk.id,
        )
    )
    with database.read() as connection:
        check_kept(connection, collection, at)
        return connection.scalar(query)


def adjacent(database: Database, collection: int, found: Sequence[Chunk], at: int) -> dict[str, tuple[str, str]]:
    """Ids of the chunks before and after each chunk in its document at a revision; empty at either end."""
    ids: dict[str, tuple[str, str]] = {}
    with database.read() as connection:
        check_kept(connection, collection, at)
        for page in pages(found):
            own = (
                select(chunks.c.id, chunks.c.document, chunks.c.ordinal)
                .join(documents, documents.c.row == chunks.c.document)
                .where(
                    belongs(documents, collection),
                    live(documents, at),
                    documents.c.id.in_({chunk.document_id for chunk in page}),
                    chunks.c.id.in_([chunk.id for chunk in page]),
                )
            ).subquery()
            beside = select(own.c.id, own.c.ordinal - chunks.c.ordinal, chunks.c.id).join_from(
                own,
                chunks,
                and_(chunks.c.document == own.c.document, chunks.c.ordinal.in_((own.c.ordinal - 1, own.c.ordinal + 1))),
            )
            for id_, after, neighbour in connection.execute(beside):
                before_id, after_id = ids.get(id_, ("", ""))
                ids[id_] = (neighbour, after_id) if after == 1 else (before_id, neighbour)
    return ids


def neighbours(
    database: Database, collection: int, row: int, before: int, after: int, scope: Scope
) -> tuple[Hydrated, ...]:
    """The chunks around a row in its document, in reading order, without the row itself."""
    with database.read() as connection:
        query = select(chunks.c.document, chunks.c.ordinal).where(belongs(chunks, collection), chunks.c.row == int(row))
        found = connection.execute(query).one_or_none()
        if found is None:
            return ()
        around = (
            select(chunks.c.row)
            .where(
                chunks.c.document == found.document,
                chunks.c.ordinal.between(found.ordinal - before, found.ordinal + after),
                chunks.c.row != int(row),
            )
            .order_by(chunks.c.ordinal)
        )
        rows = connection.scalars(around).all()
    hydrated = hydrate(database, collection, rows, scope)
    return tuple(hydrated[neighbour] for neighbour in rows if neighbour in hydrated)
