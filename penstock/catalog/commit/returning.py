"""Going back: a new revision that holds what an earlier one held, of rows that the catalog has; nothing is read anew.

Texts, chunks and labels are those of then. Who may see a source is what was so then and is so today, so that nothing
that was closed since is opened by going back.
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
    """What going back changed."""

    revision: int
    """The newest now; the one before where nothing had to change."""
    added: int
    changed: int
    removed: int
    left_out: tuple[str, ...]
    """Addresses that stay as they are: those who saw them then and those who may today have no reader in common."""


def roll_back(
    database: Database, vectors_of: VectorCache, key: tuple[int, str, str], to: int, *, run: int | None
) -> Returned:
    """Makes what was live at revision `to` live again, all at once; `key` as in `commit`.

    Raises:
        RevisionGone: that revision was compacted away.
        CatalogError: the catalog is damaged, or could not be written; nothing was written.
    """
    row, name, origin = key
    with database.write() as connection:
        head = lock_collection(database, connection, row, name)
        check_kept(connection, row, to)
        forget_cursors(connection, row)
        now = {one.uri: one for one in connection.execute(_rows(row).where(_came_since(to)))}
        then = {one.uri: one for one in connection.execute(_rows(row).where(_went_since(to)))}
        puts, left_out = _puts(then, now, _today(connection, row, then, now))
        removed = [uri for uri in now if uri not in then]
        batch = Batch(puts=tuple(puts), removed=tuple(removed))
        closed = [now[uri] for uri in (*removed, *(put.source.uri for put in puts)) if uri in now]
        plan = CommitPlan(close_sources=[one.row for one in closed], open_sources=puts)
        _place(connection, plan, (row, origin), to, closed)
        embedder = embedder_at(connection, row, to) or head.embedder
        revision = head.revision
        if not plan.is_empty or plan.moves or plan.close_documents or embedder != head.embedder:
            revision = next_revision(connection, head, run=run, embedder=embedder)
            write_plan(connection, row, revision, plan, Prepared(batch))
            since = revision if embedder == head.embedder else 0
            _check_vectors(connection, vectors_of, row, embedder, since)
    changed = sum(put.source.uri in now for put in puts)
    return Returned(
        revision=revision,
        added=len(puts) - changed,
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
    """Who may see the sources of these addresses now; of those that are gone, whoever could if they came back."""
    found: dict[str, Access | None] = {uri: read_source(one).access for uri, one in now.items()}
    gone = [uri for uri in then if uri not in now]
    for page in pages(gone):
        last = addresses.last_access(connection, collection, page)
        said = addresses.given_at(connection, collection, page)
        for uri in page:
            given = addresses.last_given(uri, said)
            found[uri] = narrowest([last.get(uri, frozenset()), given.access if given else frozenset()])
    return found


def _puts(
    then: Mapping[str, Row[Any]], now: Mapping[str, Row[Any]], today: Mapping[str, Access | None]
) -> tuple[list[Upsert], list[str]]:
    """Sources that come back, with what they were; and those that cannot."""
    puts, left_out = [], []
    for uri, old in then.items():
        source = read_source(old)
        access = narrowest([source.access, today[uri]])
        if access is None:
            left_out.append(uri)
            continue
        put = Upsert(
            source=replace(source, access=access),
            outcome=old.outcome,
            reason=old.reason,
            content=old.content,
            loader=old.loader,
            chunker=old.chunker,
        )
        if uri not in now or _as_put(now[uri]) != put:
            puts.append(put)
    return puts, left_out


def _as_put(row: Row[Any]) -> Upsert:
    return Upsert(
        source=read_source(row),
        outcome=row.outcome,
        reason=row.reason,
        content=row.content,
        loader=row.loader,
        chunker=row.chunker,
    )


def _place(connection: Connection, plan: CommitPlan, key: tuple[int, str], to: int, closed: Sequence[Row[Any]]) -> None:
    """Finds for each content that is concerned the document that it has from now on, as it was then if it can be."""
    row, origin = key
    old = _old_documents(connection, row, to)
    concerned = {one.content for one in closed} | {put.content for put in plan.open_sources} | set(old)
    concerned |= set(_new_contents(connection, row, to))
    concerned.discard("")
    before = live_documents(connection, row, concerned)
    uris = {content: dict.fromkeys(found) for content, found in attached_to(connection, row, concerned).items()}
    for one in closed:
        uris.get(one.content, {}).pop(one.uri, None)
    for put in plan.open_sources:
        uris.setdefault(put.content, {})[put.source.uri] = None
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
    return {one.content: LiveDocument(**one._mapping) for one in connection.execute(query)}


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
