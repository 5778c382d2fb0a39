"""Plans what a commit changes, before anything is written: a pure function over small values.

A document is live as long as a live source has its content, and its id is made from the URI of one of these sources.
At any revision a collection holds one document for each content.
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
    """A document that moves to another of its sources: same content, same chunk ids, new rows."""

    document: LiveDocument
    id: str
    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A document that becomes live with the chunks of an upsert."""

    upsert: Upsert
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
    """Checks that a batch does not contradict itself.

    Raises:
        CatalogError: a URI is named twice, or the parts of an upsert contradict each other.
    """
    named = [upsert.source.uri for upsert in batch.puts] + list(batch.removed)
    if len(set(named)) != len(named):
        twice = sorted({uri for uri in named if named.count(uri) > 1})
        raise CatalogError(f"one commit names {twice[0]!r} twice; a source has one outcome")
    for upsert in batch.puts:
        if upsert.document is None and upsert.chunks:
            raise CatalogError(f"{without_secrets(upsert.source.uri)!r} is put with chunks and no document")
        if upsert.document is not None and not upsert.content:
            raise CatalogError(f"{without_secrets(upsert.source.uri)!r} is put with a document and no content hash")


def plan_commit(
    collection: str,
    upserts: Sequence[Upsert],
    gone: Iterable[LiveSource],
    attached: Mapping[str, Sequence[str]],
    documents: Mapping[str, LiveDocument],
) -> CommitPlan:
    """The plan of a commit.

    `upserts` are those that differ from what is live; `gone` are the live sources that they replace and those that
    were removed; `attached` are the live URIs by content, oldest first; `documents` are the live documents by content.
    Both cover every content that the upserts or the gone sources name.

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
    for upsert in upserts:
        plan.open_sources.append(upsert)
        if upsert.content:
            remaining.setdefault(upsert.content, {})[upsert.source.uri] = None
            live = documents.get(upsert.content)
            if upsert.document is not None and (live is None or live.chunker != upsert.chunker):
                cuts.setdefault(upsert.content, upsert)
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
        plan.opened.append(Opened(upsert=cut, document=cut.document, id=id_, uri=uri))
    elif live is not None and live.uri != uri:
        plan.moves.append(Move(document=live, id=id_, uri=uri))
    else:
        return
    if live is not None:
        plan.close_documents.append(live.row)
