"""What goes into the catalog (`Upsert`, `Batch`, `Quarantined`) and what comes out of it, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from penstock.model import Chunk, Document, Failure, Outcome, RunReport, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Upsert:
    """A source that was read, with its document."""

    source: Source
    outcome: Outcome
    reason: str
    content: str
    """Content hash of the document; empty for a source without text."""
    loader: str
    """Fingerprint of the loader and cleaning that read the bytes."""
    chunker: str
    """Fingerprint of the chunker that cut the text."""
    document: Document | None = None
    """None for an exact copy of a document that is live, or that another upsert of the batch has."""
    chunks: tuple[Chunk, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A source that could not be read, kept until its bytes or its loader change."""

    source: Source
    loader: str
    failure: Failure
    since: datetime
    """Aware, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The changes of one commit: all of them become visible at once, or none does."""

    puts: tuple[Upsert, ...] = ()
    removed: tuple[str, ...] = ()
    """URIs that are no longer there."""
    failures: tuple[Quarantined, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not (self.puts or self.removed or self.failures)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionInfo:
    """A collection in numbers; counts only live rows."""

    name: str
    revision: int
    sources: int
    documents: int
    chunks: int
    embedder: str
    """Identity of the embedding model; empty before the first commit."""
    updated: datetime
    """Time of the last commit, or of the creation. Aware, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSource:
    """A live source as the last run left it."""

    source: Source
    outcome: Outcome
    reason: str
    document_id: str
    """Empty where the source gave no text."""
    content: str
    loader: str
    chunker: str
    """Fingerprint of the chunker that cut the source's document."""
    chunks: int
    added_rev: int
    """Revision in which the source was last changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDocument:
    """A document with its sources and chunks: enough to chunk it again without parsing it."""

    document: Document
    content: str
    chunker: str
    known: KnownSource
    """The source from whose URI the document's id is made."""
    sources: tuple[Source, ...]
    """All sources with this content, the document's own first."""
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hydrated:
    """A chunk of the catalog as a search shows it."""

    row: int
    chunk: Chunk
    title: str
    """Title of the document, or the last part of its first source's path."""
    sources: tuple[Source, ...]
    """The sources that the scope lets through, the document's own first."""
    document: str
    """Id of the document."""
    ordinal: int
    """Place of the chunk in its document, from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """A run over a collection, finished or not."""

    id: int
    command: str
    started: datetime
    finished: datetime | None
    """None while it runs, or when it was killed."""
    status: str
    report: RunReport | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionInfo:
    """A commit."""

    revision: int
    time: datetime
    run: int | None
    embedder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionEntry:
    """A revision as `history` lists it: its cause, and how many sources it changed."""

    revision: int
    time: datetime
    cause: str
    """The command of the run that made it."""
    run: int | None
    embedder: str
    added: int
    changed: int
    removed: int


KnownMap = Mapping[str, KnownSource]
"""Live sources by URI."""
