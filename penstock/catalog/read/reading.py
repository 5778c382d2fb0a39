"""Sources and documents of a collection at a revision."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, or_, select

from penstock.catalog.database.database import Database, by_row, pages
from penstock.catalog.database.encoding import read_chunk, read_source, unpack_body
from penstock.catalog.database.schema import LIVE, belongs, chunks, contents, documents, live, sources
from penstock.catalog.read.kept import check_kept
from penstock.catalog.values import KnownSource, StoredDocument
from penstock.errors import UsageError
from penstock.model import Document, Source

STREAMED = 1000
"""Rows of one page of a stream."""
DOCUMENTS_AT_ONCE = 20
"""Documents of one page: their texts are in memory together."""


def known_query(collection: int, at: int = LIVE - 1) -> Select[Any]:
    """Live sources with their documents; the default revision is the newest, whichever that is."""
    same_content = and_(
        documents.c.collection == sources.c.collection,
        documents.c.content == sources.c.content,
        live(documents, at),
    )
    return (
        select(
            sources,
            documents.c.row.label("document_row"),
            documents.c.id.label("document_id"),
            documents.c.uri.label("document_uri"),
            documents.c.chunker.label("document_chunker"),
            documents.c.chunks,
        )
        .select_from(sources.outerjoin(documents, same_content))
        .where(belongs(sources, collection), live(sources, at))
    )


def read_known(row: Row[Any]) -> KnownSource:
    """A row of `known_query`."""
    return KnownSource(
        source=read_source(row),
        outcome=row.outcome,
        reason=row.reason,
        document_id=row.document_id or "",
        content=row.content,
        loader=row.loader,
        chunker=row.chunker if row.document_chunker is None else row.document_chunker,
        chunks=row.chunks or 0,
        added_rev=row.added_rev,
    )


def known(database: Database, collection: int, uri: str) -> KnownSource | None:
    """The live source of that URI."""
    with database.read() as connection:
        row = connection.execute(known_query(collection).where(sources.c.uri == uri)).one_or_none()
    return None if row is None else read_known(row)


def known_map(database: Database, collection: int, uris: Sequence[str]) -> dict[str, KnownSource]:
    """The live sources among these URIs, by URI."""
    with database.read() as connection:
        return {
            row.uri: read_known(row)
            for page in pages(uris)
            for row in connection.execute(known_query(collection).where(sources.c.uri.in_(page)))
        }


def known_by_bytes(database: Database, collection: int, sha256: str, loader: str) -> KnownSource | None:
    """The oldest live source with these bytes, read by this loader."""
    query = (
        known_query(collection)
        .where(sources.c.sha256 == sha256, sources.c.loader == loader)
        .order_by(sources.c.row)
        .limit(1)
    )
    with database.read() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else read_known(row)


def stream_known(
    database: Database, collection: int, at: int, conditions: Sequence[ColumnElement[bool]] = ()
) -> Iterator[KnownSource]:
    """Live sources at a revision in the order of their URIs; only those that fulfil the conditions."""
    last: str | None = None
    while True:
        query = known_query(collection, at).where(*conditions).order_by(sources.c.uri).limit(STREAMED)
        if last is not None:
            query = query.where(sources.c.uri > last)
        with database.read() as connection:
            check_kept(connection, collection, at)
            rows = connection.execute(query).all()
        yield from map(read_known, rows)
        if len(rows) < STREAMED:
            return
        last = rows[-1].uri


def sources_by_content(
    connection: Connection, collection: int, hashes: Iterable[str], at: int, conditions: Sequence[Any] = ()
) -> dict[str, list[Source]]:
    """Live sources by content, oldest first; only those that fulfil the conditions."""
    found: dict[str, list[Source]] = defaultdict(list)
    for page in pages(sorted(set(hashes))):
        query = select(sources).where(
            belongs(sources, collection), sources.c.content.in_(page), live(sources, at), *conditions
        )
        for row in by_row(connection.execute(query)):
            found[row.content].append(read_source(row))
    return found


def own_first(found: Iterable[Source], uri: str) -> tuple[Source, ...]:
    """The sources, first the one from whose URI the document's id is made."""
    return tuple(sorted(found, key=lambda source: source.uri != uri))


def find_document(
    database: Database, collection: int, wanted: str, at: int, conditions: Sequence[ColumnElement[bool]] = ()
) -> StoredDocument | None:
    """The document of that id, of that source's URI, or with an id that alone begins so.

    A source that does not fulfil the conditions counts as missing.

    Raises:
        UsageError: several ids begin so.
    """
    table = documents.c
    alive = and_(belongs(documents, collection), live(documents, at))
    there = select(sources.c.content).where(
        belongs(sources, collection), live(sources, at), sources.c.content != "", *conditions
    )
    of_source = there.where(sources.c.uri == wanted)
    if conditions:
        alive = and_(alive, table.content.in_(there))
    with database.read() as connection:
        check_kept(connection, collection, at)
        row = connection.scalar(select(table.row).where(alive, or_(table.id == wanted, table.content.in_(of_source))))
        if row is None and wanted:
            row = _by_prefix(connection, alive, wanted)
        return None if row is None else read_documents(connection, collection, [row], at, conditions)[0]


def _by_prefix(connection: Connection, alive: Any, wanted: str) -> int | None:
    query = select(documents.c.row, documents.c.id).where(alive, documents.c.id.startswith(wanted, autoescape=True))
    rows = connection.execute(query.order_by(documents.c.id).limit(6)).all()
    if len(rows) > 1:
        listed = ", ".join(row.id for row in rows[:5])
        raise UsageError(f"several documents have ids that begin with {wanted!r}: {listed}; give more of the id")
    return rows[0].row if rows else None


def stream_documents(database: Database, collection: int, at: int, not_chunker: str | None) -> Iterator[StoredDocument]:
    """Live documents at a revision, oldest first; with `not_chunker` only those that another chunker cut."""
    query = select(documents.c.row).where(belongs(documents, collection), live(documents, at))
    if not_chunker is not None:
        query = query.where(documents.c.chunker != not_chunker)
    with database.read() as connection:
        rows = connection.scalars(query.order_by(documents.c.row)).all()
    for page in pages(rows, DOCUMENTS_AT_ONCE):
        with database.read() as connection:
            stored = read_documents(connection, collection, page, at)
        yield from stored


def read_documents(
    connection: Connection,
    collection: int,
    rows: Sequence[int],
    at: int,
    conditions: Sequence[ColumnElement[bool]] = (),
) -> list[StoredDocument]:
    """Documents by their row numbers, in that order, with those of their sources that fulfil the conditions.

    Raises:
        RevisionGone: the revision was compacted away.
    """
    check_kept(connection, collection, at)
    query = (
        select(documents, contents.c.body)
        .join(contents, and_(contents.c.collection == documents.c.collection, contents.c.hash == documents.c.content))
        .where(documents.c.row.in_(rows))
        .order_by(documents.c.row)
    )
    found = connection.execute(query).all()
    read: dict[str, list[Row[Any]]] = defaultdict(list)
    origins = known_query(collection, at).where(sources.c.content.in_([row.content for row in found]), *conditions)
    for origin in by_row(connection.execute(origins)):
        read[origin.content].append(origin)
    cut: dict[int, list[Row[Any]]] = defaultdict(list)
    pieces = select(chunks).where(chunks.c.document.in_(rows)).order_by(chunks.c.document, chunks.c.ordinal)
    for chunk in connection.execute(pieces):
        cut[chunk.document].append(chunk)
    return [_stored(row, read[row.content], cut[row.row]) for row in found]


def _stored(row: Row[Any], origins: Sequence[Row[Any]], cut: Sequence[Row[Any]]) -> StoredDocument:
    own, *others = sorted(map(read_known, origins), key=lambda origin: origin.source.uri != row.uri)
    text, blocks = unpack_body(row.body)
    document = Document(
        id=row.id,
        source=own.source,
        title=row.title,
        language=row.language,
        text=text,
        blocks=blocks,
        loader=own.loader,
    )
    return StoredDocument(
        document=document,
        content=row.content,
        chunker=row.chunker,
        known=own,
        sources=(own.source, *(copy.source for copy in others)),
        chunks=tuple(read_chunk(chunk, row.id) for chunk in cut),
    )
