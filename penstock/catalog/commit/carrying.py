"""Moves a collection to another catalog: reads it at one revision, and imports it completely or not at all."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, exists, insert, select

from penstock.catalog.commit import addresses
from penstock.catalog.commit.committing import Prepared, next_revision, quarantine_row, write_plan
from penstock.catalog.commit.planning import CommitPlan, Opened
from penstock.catalog.database.database import Database, inserted, inserted_rows
from penstock.catalog.database.encoding import read_source, source_row
from penstock.catalog.database.schema import (
    LIVE,
    belongs,
    chunks,
    collections,
    documents,
    live,
    quarantine,
    runs,
    source_access,
    sources,
    vectors,
)
from penstock.catalog.database.schema import addresses as addresses_table
from penstock.catalog.read.kept import check_kept
from penstock.catalog.read.reading import STREAMED
from penstock.catalog.values import Batch, Quarantined, Upsert
from penstock.catalog.vectors import VectorCache
from penstock.errors import CatalogError, UsageError
from penstock.model import Access, Source
from penstock.ports import Float32Array

FIRST = 1
"""The first revision of an imported collection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """Everything that a collection is made of, streamed in this order."""

    origin: str
    embedder: str
    dimension: int
    documents: Iterable[Upsert]
    """Each with its text and chunks, under the address from which its id is made."""
    sources: Iterable[Upsert]
    """Without documents."""
    gone: Iterable[Source]
    """Removed sources whose last access is stored."""
    quarantine: Iterable[Quarantined]
    addresses: Iterable[tuple[str, Access | None, int]]
    """The access given to addresses, with its order."""
    vectors: Iterable[Mapping[str, Float32Array]]
    """By hash of the text, some at a time."""


def sources_by_age(database: Database, collection: int, at: int) -> Iterator[Upsert]:
    """The live sources at a revision, oldest first, streamed; without their documents."""
    for row in _by_row(database, collection, at):
        yield Upsert(
            source=read_source(row),
            outcome=row.outcome,
            reason=row.reason,
            content=row.content,
            loader=row.loader,
            chunker=row.chunker,
        )


def _by_row(database: Database, collection: int, at: int) -> Iterator[Row[Any]]:
    last = 0
    while True:
        query = select(sources).where(belongs(sources, collection), live(sources, at), sources.c.row > last)
        with database.read() as connection:
            check_kept(connection, collection, at)
            found = connection.execute(query.order_by(sources.c.row).limit(STREAMED)).all()
        yield from found
        if len(found) < STREAMED:
            return
        last = found[-1].row


def text_hashes(database: Database, collection: int, at: int) -> Iterator[Sequence[str]]:
    """The keys of all vectors that the live chunks at a revision need, in order, each once, streamed."""
    last = ""
    while True:
        query = select(chunks.c.context_hash).distinct()
        query = query.where(belongs(chunks, collection), live(chunks, at), chunks.c.context_hash > last)
        with database.read() as connection:
            check_kept(connection, collection, at)
            found = connection.scalars(query.order_by(chunks.c.context_hash).limit(STREAMED)).all()
        if found:
            yield found
        if len(found) < STREAMED:
            return
        last = found[-1]


def gone_sources(database: Database, collection: int) -> Iterator[Source]:
    """Removed sources that not everybody could see, as they were last."""
    with database.read() as connection:
        rows = connection.execute(addresses.gone_query(collection)).all()
    yield from map(read_source, rows)


def receive(database: Database, cache: VectorCache, name: str, parcel: Parcel) -> None:
    """Creates a collection from a parcel, in one transaction.

    Raises:
        UsageError: there is a collection of that name.
        CatalogError: the parcel contradicts itself, or could not be written; nothing was written.
    """
    with database.write() as connection:
        if connection.execute(select(exists().where(collections.c.name == name))).scalar_one():
            raise UsageError(f"there is a collection named {name!r} already; give another name, or remove that first")
        now = time.time_ns() // 1000
        head = {"name": name, "uid": uuid4().hex, "revision": 0, "embedder": parcel.embedder, "updated": now}
        row = inserted(connection, collections, {**head, "origin": parcel.origin, "oldest": FIRST})
        run = {"collection": row, "command": "import", "status": "finished", "started": now, "finished": now}
        number = inserted(connection, runs, run)
        made = connection.execute(select(collections).where(collections.c.row == row)).one()
        revision = next_revision(connection, made, run=number, embedder=parcel.embedder)
        _write(connection, row, revision, parcel)
        _write_memory(connection, row, number, parcel)
        if parcel.dimension:
            model = cache.interned(connection, parcel.embedder, parcel.dimension).row
            _write_vectors(connection, cache, row, parcel)
            _check_whole(connection, row, model)
        else:
            _check_whole(connection, row, 0)


def _write(connection: Connection, row: int, revision: int, parcel: Parcel) -> None:
    for upserts in _paged(parcel.documents, 20):
        opened = [
            Opened(upsert=upsert, document=upsert.document, id=upsert.document.id, uri=upsert.source.uri)
            for upsert in upserts
            if upsert.document is not None
        ]
        write_plan(connection, row, revision, CommitPlan(opened=opened), Prepared(Batch(puts=tuple(upserts))))
    for upserts in _paged(parcel.sources, STREAMED):
        write_plan(
            connection, row, revision, CommitPlan(open_sources=list(upserts)), Prepared(Batch(puts=tuple(upserts)))
        )


def _write_memory(connection: Connection, row: int, run: int, parcel: Parcel) -> None:
    for gone in _paged(parcel.gone, STREAMED):
        never: dict[str, Any] = {"collection": row, "added_rev": 0, "removed_rev": 0}
        never |= {"outcome": "indexed", "reason": "", "content": "", "loader": "", "chunker": ""}
        numbers = inserted_rows(connection, sources, [source_row(source) | never for source in gone])
        seen = [
            {"source": number, "principal": principal}
            for number, source in zip(numbers, gone, strict=True)
            for principal in sorted(source.access)
        ]
        if seen:
            connection.execute(insert(source_access), seen)
    for failed in _paged(parcel.quarantine, STREAMED):
        connection.execute(insert(quarantine), [quarantine_row(row, entry) for entry in failed])
    given = list(parcel.addresses)
    last = max((when for _, _, when in given), default=0)
    for page in _paged(given, STREAMED):
        rows = [addresses.address_row(row, uri, access, run + when - last) for uri, access, when in page]
        connection.execute(insert(addresses_table), rows)


def _write_vectors(connection: Connection, cache: VectorCache, row: int, parcel: Parcel) -> None:
    for found in parcel.vectors:
        needed = select(chunks.c.context_hash).where(belongs(chunks, row), chunks.c.context_hash.in_(list(found)))
        if set(found) - set(connection.scalars(needed)):
            raise CatalogError("there is a vector for a text that is in no chunk; nothing was written")
        cache.write(connection, parcel.embedder, found)


def _check_whole(connection: Connection, row: int, model: int) -> None:
    own, of = [belongs(documents, row), documents.c.removed_rev == LIVE], sources.c.content == documents.c.content
    here = [belongs(sources, row), sources.c.removed_rev == LIVE]
    vector = exists().where(vectors.c.model == model, vectors.c.hash == chunks.c.context_hash)
    for what, wrong in {
        "a document has no source of its address": exists().where(
            *own, ~exists().where(*here, of, sources.c.uri == documents.c.uri)
        ),
        "a source's document is not there": exists().where(*here, sources.c.content != "", ~exists().where(*own, of)),
        "a chunk has no vector": exists().where(belongs(chunks, row), ~vector),
    }.items():
        if connection.execute(select(wrong)).scalar_one():
            raise CatalogError(f"{what}; nothing was written")


def _paged(values: Iterable[Any], size: int) -> Iterator[Sequence[Any]]:
    page: list[Any] = []
    for value in values:
        page.append(value)
        if len(page) == size:
            yield page
            page = []
    if page:
        yield page
