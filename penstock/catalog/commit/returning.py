"""Rolls back: makes a new revision with the content of an earlier one from stored rows; nothing is read again.

Texts, chunks and labels are those of then. A reader sees a source only if its access of then and of now both allow it,
so that a rollback shows nothing that was restricted since.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, exists, select

from penstock.catalog.commit import addresses
from penstock.catalog.commit.committing import (
    Prepared,
    attached_to,
    live_documents,
    lock_collection,
    next_revision,
    write_plan,
)
from penstock.catalog.commit.cursors import forget_cursors
from penstock.catalog.commit.planning import CommitPlan, LiveDocument, Move
from penstock.catalog.database.database import Database, pages
from penstock.catalog.database.encoding import read_source
from penstock.catalog.database.schema import LIVE, belongs, chunks, documents, live, sources, vectors
from penstock.catalog.read.changes import embedder_at
from penstock.catalog.read.kept import check_kept
from penstock.catalog.values import Batch, Upsert
from penstock.catalog.vectors import VectorCache
from penstock.errors import CatalogError
from penstock.ids import document_id
from penstock.model import Access, narrowest


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What a rollback changed."""

    revision: int
    """The newest revision now; the same as before where nothing had to change."""
    added: int
    changed: int
    removed: int
    left_out: tuple[str, ...]
    """Addresses that stay as they are: their access of then and of now share no reader."""


def roll_back(
    database: Database, vectors_of: VectorCache, key: tuple[int, str, str], to: int, *, run: int | None
) -> Returned:
    """Makes the content of revision `to` live again, all at once; `key` as in `commit`.

    Raises:
        RevisionGone: that revision was compacted away.
        CatalogError: the catalog is damaged, or could not be written; nothing was written.
    """
    row, name, origin = key
    with database.write() as connection:
        head = lock_collection(database, connection, row, name)
        check_kept(connection, row, to)
        forget_cursors(connection, row)
        now = {source.uri: source for source in connection.execute(_rows(row).where(_came_since(to)))}
        then = {source.uri: source for source in connection.execute(_rows(row).where(_went_since(to)))}
        upserts, left_out = _upserts(then, now, _today(connection, row, then, now))
        removed = [uri for uri in now if uri not in then]
        batch = Batch(puts=tuple(upserts), removed=tuple(removed))
        closed = [now[uri] for uri in (*removed, *(upsert.source.uri for upsert in upserts)) if uri in now]
        plan = CommitPlan(close_sources=[source.row for source in closed], open_sources=upserts)
        _place(connection, plan, (row, origin), to, closed)
        embedder = embedder_at(connection, row, to) or head.embedder
        revision = head.revision
        if not plan.is_empty or plan.moves or plan.close_documents or embedder != head.embedder:
            revision = next_revision(connection, head, run=run, embedder=embedder)
            write_plan(connection, row, revision, plan, Prepared(batch))
            since = revision if embedder == head.embedder else 0
            _check_vectors(connection, vectors_of, row, embedder, since)
    changed = sum(upsert.source.uri in now for upsert in upserts)
    return Returned(
        revision=revision,
        added=len(upserts) - changed,
        changed=changed,
        removed=len(removed),
        left_out=tuple(left_out),
    )


def _rows(collection: int) -> Any:
    return select(sources).where(belongs(sources, collection)).order_by(sources.c.row)


def _came_since(to: int) -> Any:
    return (sources.c.added_rev > to) & (sources.c.removed_rev == LIVE)


def _went_since(to: int) -> Any:
    return live(sources, to) & (sources.c.removed_rev != LIVE)


def _today(
    connection: Connection, collection: int, then: Iterable[str], now: Mapping[str, Row[Any]]
) -> Mapping[str, Access | None]:
    """The present access of the sources of these addresses; for removed ones, what they would get if added again."""
    found: dict[str, Access | None] = {uri: read_source(stored).access for uri, stored in now.items()}
    gone = [uri for uri in then if uri not in now]
    for page in pages(gone):
        last = addresses.last_access(connection, collection, page)
        access_given = addresses.given_at(connection, collection, page)
        for uri in page:
            given = addresses.last_given(uri, access_given)
            found[uri] = narrowest([last.get(uri, frozenset()), given.access if given else frozenset()])
    return found


def _upserts(
    then: Mapping[str, Row[Any]], now: Mapping[str, Row[Any]], today: Mapping[str, Access | None]
) -> tuple[list[Upsert], list[str]]:
    """Upserts of the sources that come back; and the addresses of those that cannot."""
    upserts, left_out = [], []
    for uri, old in then.items():
        source = read_source(old)
        access = narrowest([source.access, today[uri]])
        if access is None:
            left_out.append(uri)
            continue
        upsert = Upsert(
            source=replace(source, access=access),
            outcome=old.outcome,
            reason=old.reason,
            content=old.content,
            loader=old.loader,
            chunker=old.chunker,
        )
        if uri not in now or _as_upsert(now[uri]) != upsert:
            upserts.append(upsert)
    return upserts, left_out


def _as_upsert(row: Row[Any]) -> Upsert:
    return Upsert(
        source=read_source(row),
        outcome=row.outcome,
        reason=row.reason,
        content=row.content,
        loader=row.loader,
        chunker=row.chunker,
    )


def _place(connection: Connection, plan: CommitPlan, key: tuple[int, str], to: int, closed: Sequence[Row[Any]]) -> None:
    """Chooses the document of each affected content: the one of then, if possible."""
    row, origin = key
    old = _old_documents(connection, row, to)
    concerned = {source.content for source in closed} | {upsert.content for upsert in plan.open_sources} | set(old)
    concerned |= set(_new_contents(connection, row, to))
    concerned.discard("")
    before = live_documents(connection, row, concerned)
    uris = {content: dict.fromkeys(found) for content, found in attached_to(connection, row, concerned).items()}
    for source in closed:
        uris.get(source.content, {}).pop(source.uri, None)
    for upsert in plan.open_sources:
        uris.setdefault(upsert.content, {})[upsert.source.uri] = None
    for content in sorted(concerned):
        _settle(plan, origin, list(uris.get(content, ())), before.get(content), old.get(content))


def _settle(
    plan: CommitPlan, origin: str, uris: Sequence[str], present: LiveDocument | None, old: LiveDocument | None
) -> None:
    if not uris:
        if present is not None:
            plan.close_documents.append(present.row)
        return
    base = present if old is None else old
    if base is None:
        raise CatalogError(f"the document of {uris[0]!r} is not there: the catalog is damaged; nothing was written")
    uri = base.uri if base.uri in uris else uris[0]
    if present is not None and (present.uri, present.chunker) == (uri, base.chunker):
        return
    id_ = base.id if uri == base.uri else document_id(origin, uri)
    plan.moves.append(Move(document=base, id=id_, uri=uri))
    if present is not None:
        plan.close_documents.append(present.row)


def _old_documents(connection: Connection, collection: int, to: int) -> dict[str, LiveDocument]:
    table = documents.c
    query = select(table.row, table.id, table.uri, table.content, table.chunker).where(
        belongs(documents, collection), live(documents, to), table.removed_rev != LIVE
    )
    return {document.content: LiveDocument(**document._mapping) for document in connection.execute(query)}


def _new_contents(connection: Connection, collection: int, to: int) -> Iterable[str]:
    query = select(documents.c.content).where(
        belongs(documents, collection), documents.c.added_rev > to, documents.c.removed_rev == LIVE
    )
    return connection.scalars(query)


def _check_vectors(connection: Connection, vectors_of: VectorCache, collection: int, embedder: str, since: int) -> None:
    model = vectors_of.model(connection, embedder)
    own = [belongs(chunks, collection), chunks.c.removed_rev == LIVE, chunks.c.added_rev >= since]
    if model is not None:
        own.append(~exists().where(vectors.c.model == model.row, vectors.c.hash == chunks.c.context_hash))
    if connection.execute(select(exists().where(*own))).scalar_one():
        raise CatalogError(
            f"not all chunks of that revision have a vector by {embedder!r}; nothing was written. Ingest again instead"
        )
