"""What a commit does to the live state, worked out before anything is written: a pure function over small values.

A document is live as long as a live source has its content, and its id is made of the URI of one of them. At any
revision a collection holds one document for one content.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from penstock.catalog.values import Batch, Upsert
from penstock.errors import CatalogError
from penstock.ids import document_id
from penstock.model import Document
from penstock.urls import without_secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSource:
    """A source row before the commit."""

    row: int
    uri: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveDocument:
    """A document row before the commit."""

    row: int
    id: str
    uri: str
    content: str
    chunker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A document that goes on under another of its sources: same content, same chunk ids, new rows."""

    document: LiveDocument
    id: str
    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A document that becomes live with the chunks of a put."""

    put: Upsert
    document: Document
    id: str
    uri: str


@dataclass(slots=True, kw_only=True)
class CommitPlan:
    """What a commit writes."""

    close_sources: list[int] = field(default_factory=list)
    open_sources: list[Upsert] = field(default_factory=list)
    close_documents: list[int] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    opened: list[Opened] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing visible changes."""
        return not (self.close_sources or self.open_sources)


def check_batch(batch: Batch) -> None:
    """Holds a batch to its rules.

    Raises:
        CatalogError: a URI is named twice, or a put's parts contradict each other.
    """
    named = [put.source.uri for put in batch.puts] + list(batch.removed)
    if len(set(named)) != len(named):
        twice = sorted({uri for uri in named if named.count(uri) > 1})
        raise CatalogError(f"one commit names {twice[0]!r} twice; a source has one outcome")
    for put in batch.puts:
        if put.document is None and put.chunks:
            raise CatalogError(f"{without_secrets(put.source.uri)!r} is put with chunks and no document")
        if put.document is not None and not put.content:
            raise CatalogError(f"{without_secrets(put.source.uri)!r} is put with a document and no content hash")


def plan_commit(
    collection: str,
    puts: Sequence[Upsert],
    gone: Iterable[LiveSource],
    attached: Mapping[str, Sequence[str]],
    documents: Mapping[str, LiveDocument],
) -> CommitPlan:
    """The plan of a commit.

    `puts` are those that differ from what is live; `gone` are the live sources that they replace and those that were
    removed; `attached` are the live URIs by content, oldest first; `documents` are the live documents by content. Both
    cover every content that the puts or the gone sources name.

    Raises:
        CatalogError: a copy of a document that is neither live nor in the batch.
    """
    remaining = {content: dict.fromkeys(uris) for content, uris in attached.items()}
    plan = CommitPlan()
    for source in gone:
        plan.close_sources.append(source.row)
        if source.content:
            remaining[source.content].pop(source.uri)
    cuts: dict[str, Upsert] = {}
    for put in puts:
        plan.open_sources.append(put)
        if put.content:
            remaining.setdefault(put.content, {})[put.source.uri] = None
            live = documents.get(put.content)
            if put.document is not None and (live is None or live.chunker != put.chunker):
                cuts.setdefault(put.content, put)
    for content, uris in remaining.items():
        _place(plan, collection, content, list(uris), documents.get(content), cuts.get(content))
    return plan


def _place(
    plan: CommitPlan, collection: str, content: str, uris: Sequence[str], live: LiveDocument | None, cut: Upsert | None
) -> None:
    if not uris:
        if live is not None:
            plan.close_documents.append(live.row)
        return
    if live is None and cut is None:
        raise CatalogError(
            f"{uris[0]!r} is put as a copy of content {content}, of which no document is live or in the same commit"
        )
    if live is not None and live.uri in uris:
        uri, id_ = live.uri, live.id
    else:
        uri = cut.source.uri if cut is not None else uris[0]
        id_ = document_id(collection, uri)
    if cut is not None and cut.document is not None:
        plan.opened.append(Opened(put=cut, document=cut.document, id=id_, uri=uri))
    elif live is not None and live.uri != uri:
        plan.moves.append(Move(document=live, id=id_, uri=uri))
    else:
        return
    if live is not None:
        plan.close_documents.append(live.row)
