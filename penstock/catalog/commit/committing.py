"""The only commit point: reads what a batch touches, plans, and writes everything in one short transaction."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, insert, literal, select, update

from penstock.catalog.commit.planning import CommitPlan, LiveDocument, LiveSource, Opened, check_batch, plan_commit
from penstock.catalog.database.database import Database, by_row, inserted, inserted_rows, pages
from penstock.catalog.database.dialect import insert_if_absent
from penstock.catalog.database.encoding import (
    chunk_row,
    dump,
    dump_failure,
    label_key,
    microseconds,
    pack_body,
    short,
    source_row,
)
from penstock.catalog.database.schema import (
    LIVE,
    belongs,
    chunks,
    collections,
    contents,
    documents,
    quarantine,
    revisions,
    source_access,
    source_labels,
    sources,
)
from penstock.catalog.values import Batch, Quarantined, Upsert
from penstock.catalog.vectors import VectorCache, missing_hashes
from penstock.errors import CatalogError, UnknownName
from penstock.urls import without_secrets

COPIED = [column for column in chunks.c if column.name not in ("row", "document", "added_rev", "removed_rev")]


class Prepared:
    """A batch with its rows encoded, so that the transaction only writes."""

    def __init__(self, batch: Batch) -> None:
        check_batch(batch)
        self.batch = batch
        self.sources = {upsert.source.uri: _source_values(upsert) for upsert in batch.puts}
        self.bodies = {
            upsert.content: pack_body(upsert.document) for upsert in batch.puts if upsert.document is not None
        }
        self.chunks = {
            upsert.source.uri: [chunk_row(chunk, ordinal) for ordinal, chunk in enumerate(upsert.chunks)]
            for upsert in batch.puts
        }


def commit(
    database: Database,
    vectors: VectorCache,
    key: tuple[int, str, str],
    batch: Batch,
    *,
    run: int | None,
    embedder: str,
) -> int:
    """Makes a batch visible, all at once; `key` is the collection's row, its name and the name it was created with.

    Returns the newest revision, which is new when something visible changed.

    Raises:
        CatalogError: the batch contradicts itself or the catalog, a chunk has no vector, or nothing could be written.
    """
    prepared = Prepared(batch)
    row, name, origin = key
    with database.write() as connection:
        head = lock_collection(database, connection, row, name)
        _check_embedder(connection, head, embedder)
        plan = _planned(connection, prepared, row, origin)
        _check_vectors(connection, vectors, plan, prepared, embedder)
        _write_quarantine(connection, row, batch)
        if plan.is_empty:
            return int(head.revision)
        revision = next_revision(connection, head, run=run, embedder=embedder)
        write_plan(connection, row, revision, plan, prepared)
        return revision


def lock_collection(database: Database, connection: Connection, row: int, name: str) -> Row[Any]:
    """The collection's row; other commits to it wait until this transaction ends.

    Raises:
        UnknownName: the collection was removed or renamed.
        CollectionLocked: this process held the writer's lock and lost it.
    """
    found = connection.execute(select(collections).where(collections.c.row == row).with_for_update()).one_or_none()
    if found is None or found.name != name:
        raise UnknownName("collection", name, connection.scalars(select(collections.c.name)))
    database.check_writer(connection, name)
    return found


def next_revision(connection: Connection, head: Row[Any], *, run: int | None, embedder: str) -> int:
    """Raises the collection's revision and records the time, the run and the embedder."""
    now = time.time_ns() // 1000
    connection.execute(
        update(collections)
        .where(collections.c.row == head.row)
        .values(revision=collections.c.revision + 1, embedder=embedder, updated=now)
    )
    revision: int = connection.execute(select(collections.c.revision).where(collections.c.row == head.row)).scalar_one()
    connection.execute(
        insert(revisions).values(collection=head.row, revision=revision, time=now, run=run, embedder=embedder)
    )
    return revision


def _check_embedder(connection: Connection, head: Row[Any], embedder: str) -> None:
    if head.embedder in ("", embedder):
        return
    query = select(exists().where(belongs(chunks, head.row), chunks.c.removed_rev == LIVE))
    if connection.execute(query).scalar_one():
        raise CatalogError(
            f"collection {head.name!r} is embedded by {head.embedder!r}, and the commit by {embedder!r}: vectors of "
            "two models cannot be compared. Switch the whole collection first"
        )


def _check_vectors(
    connection: Connection, vectors: VectorCache, plan: CommitPlan, prepared: Prepared, embedder: str
) -> None:
    wanted: dict[str, tuple[str, str]] = {}
    for opened in plan.opened:
        uri = opened.upsert.source.uri
        wanted.update((row["context_hash"], (row["id"], uri)) for row in prepared.chunks[uri])
    model = vectors.model(connection, embedder)
    absent = set(wanted) if model is None else missing_hashes(connection, model, list(wanted))
    if absent:
        chunk, uri = wanted[min(absent)]
        uri = without_secrets(uri)
        raise CatalogError(
            f"chunk {chunk} of {uri!r} has no vector by {embedder!r} ({len(absent)} such chunks in the commit): both "
            "indexes hold a chunk, or neither does. Nothing was written; embed first"
        )


def _source_values(upsert: Upsert) -> dict[str, Any]:
    return source_row(upsert.source) | {
        "outcome": upsert.outcome,
        "reason": upsert.reason,
        "content": upsert.content,
        "loader": upsert.loader,
        "chunker": upsert.chunker,
    }


def _planned(connection: Connection, prepared: Prepared, row: int, origin: str) -> CommitPlan:
    batch = prepared.batch
    before = _live_sources(connection, row, [*prepared.sources, *batch.removed])
    same = {uri for uri, values in prepared.sources.items() if uri in before and _is_same(before[uri], values)}
    documents_before = live_documents(
        connection, row, {found.content for found in before.values()} | {upsert.content for upsert in batch.puts}
    )
    upserts = [
        upsert
        for upsert in batch.puts
        if upsert.source.uri not in same
        or (upsert.document is not None and documents_before[upsert.content].chunker != upsert.chunker)
    ]
    uris = {upsert.source.uri for upsert in upserts} | set(batch.removed)
    gone = [LiveSource(row=found.row, uri=uri, content=found.content) for uri, found in before.items() if uri in uris]
    involved = {source.content for source in gone} | {upsert.content for upsert in upserts}
    attached = attached_to(connection, row, involved)
    return plan_commit(origin, upserts, gone, attached, documents_before)


def _is_same(found: Row[Any], values: Mapping[str, Any]) -> bool:
    stored = found._mapping
    return all(stored[name] == value for name, value in values.items())


def _live_sources(connection: Connection, row: int, uris: Sequence[str]) -> dict[str, Row[Any]]:
    found: dict[str, Row[Any]] = {}
    for page in pages(uris):
        query = select(sources).where(belongs(sources, row), sources.c.uri.in_(page), sources.c.removed_rev == LIVE)
        found.update((source.uri, source) for source in connection.execute(query))
    return found


def live_documents(connection: Connection, row: int, hashes: Iterable[str]) -> dict[str, LiveDocument]:
    """The live documents of some contents, by content."""
    table = documents.c
    found: dict[str, LiveDocument] = {}
    for page in pages(sorted(hashes)):
        query = select(table.row, table.id, table.uri, table.content, table.chunker).where(
            belongs(documents, row), table.content.in_(page), table.removed_rev == LIVE
        )
        found.update((document.content, LiveDocument(**document._mapping)) for document in connection.execute(query))
    return found


def attached_to(connection: Connection, row: int, hashes: Iterable[str]) -> dict[str, list[str]]:
    """The live URIs of some contents, oldest first, by content."""
    found: dict[str, list[str]] = defaultdict(list)
    for page in pages(sorted(key for key in hashes if key)):
        query = select(sources.c.row, sources.c.content, sources.c.uri).where(
            belongs(sources, row), sources.c.content.in_(page), sources.c.removed_rev == LIVE
        )
        for _, content, uri in by_row(connection.execute(query)):
            found[content].append(uri)
    return found


def write_plan(connection: Connection, row: int, revision: int, plan: CommitPlan, prepared: Prepared) -> None:
    """Writes all of a plan as one revision."""
    for page in pages(plan.close_sources):
        connection.execute(update(sources).where(sources.c.row.in_(page)).values(removed_rev=revision))
    for page in pages(plan.close_documents):
        connection.execute(update(documents).where(documents.c.row.in_(page)).values(removed_rev=revision))
        connection.execute(update(chunks).where(chunks.c.document.in_(page)).values(removed_rev=revision))
    born = {"collection": row, "added_rev": revision, "removed_rev": LIVE}
    _write_sources(connection, plan, prepared, born)
    _write_documents(connection, plan, prepared, born)
    _move_documents(connection, plan, born)


def _write_sources(connection: Connection, plan: CommitPlan, prepared: Prepared, born: dict[str, Any]) -> None:
    if not plan.open_sources:
        return
    numbers = inserted_rows(
        connection, sources, [prepared.sources[upsert.source.uri] | born for upsert in plan.open_sources]
    )
    labels, access = [], []
    for row, upsert in zip(numbers, plan.open_sources, strict=True):
        given = upsert.source
        labels += [
            {"source": row, "name": short(key), "value": label_key(value)} for key, value in given.labels.items()
        ]
        access += [{"source": row, "principal": short(principal)} for principal in sorted(given.access)]
    if labels:
        connection.execute(insert(source_labels), labels)
    if access:
        connection.execute(insert(source_access), access)


def _write_documents(connection: Connection, plan: CommitPlan, prepared: Prepared, born: dict[str, Any]) -> None:
    if not plan.opened:
        return
    bodies = {opened.upsert.content: prepared.bodies[opened.upsert.content] for opened in plan.opened}
    rows = [{"collection": born["collection"], "hash": key, "body": body} for key, body in bodies.items()]
    connection.execute(insert_if_absent(connection, contents), rows)
    numbers = inserted_rows(connection, documents, [_document_row(opened) | born for opened in plan.opened])
    # One statement for all chunks: one round trip to a server, not one a document.
    cut = [
        {"document": number, **values, **born}
        for number, opened in zip(numbers, plan.opened, strict=True)
        for values in prepared.chunks[opened.upsert.source.uri]
    ]
    if cut:
        connection.execute(insert(chunks), cut)


def _document_row(opened: Opened) -> dict[str, Any]:
    return {
        "id": opened.id,
        "uri": opened.uri,
        "content": opened.upsert.content,
        "title": opened.document.title,
        "language": opened.document.language,
        "chunker": opened.upsert.chunker,
        "chunks": len(opened.upsert.chunks),
    }


def _move_documents(connection: Connection, plan: CommitPlan, born: dict[str, Any]) -> None:
    for move in plan.moves:
        old = connection.execute(select(documents).where(documents.c.row == move.document.row)).one()
        values = {name: value for name, value in old._mapping.items() if name != "row"}
        values |= {"id": move.id, "uri": move.uri, **born}
        row = inserted(connection, documents, values)
        copies = (
            select(literal(row), literal(born["added_rev"]), literal(LIVE), *COPIED)
            .where(chunks.c.document == move.document.row)
            .order_by(chunks.c.ordinal)
        )
        connection.execute(insert(chunks).from_select(["document", "added_rev", "removed_rev", *COPIED], copies))


def _write_quarantine(connection: Connection, row: int, batch: Batch) -> None:
    uris = [upsert.source.uri for upsert in batch.puts] + list(batch.removed)
    uris += [failed.source.uri for failed in batch.failures]
    for page in pages(uris):
        connection.execute(delete(quarantine).where(belongs(quarantine, row), quarantine.c.uri.in_(page)))
    rows = {failed.source.uri: quarantine_row(row, failed) for failed in batch.failures}
    if rows:
        connection.execute(insert(quarantine), list(rows.values()))


def quarantine_row(row: int, failed: Quarantined) -> dict[str, Any]:
    """A source that could not be read as columns."""
    return {
        "collection": row,
        "uri": failed.source.uri,
        "source": dump(source_row(failed.source)),
        "loader": failed.loader,
        "failure": dump_failure(failed.failure),
        "since": microseconds(failed.since),
    }
