"""What was read (`Source`, `Document`, `Block`, `Place`) and its answerable pieces (`Chunk`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

from penstock.model.access import Access

Labels = Mapping[str, str | int | float]
"""Fields that a user attaches to a source, for filtering."""

BlockKind = Literal["heading", "paragraph", "list", "table", "code", "caption", "note", "formula", "furniture"]
"""What a block is. `furniture` (running headers, footers, page numbers) stays in the record and is never chunked."""


class Span(NamedTuple):
    """A half-open range `[start, end)` of code points in `Document.text`."""

    start: int
    end: int


class Box(NamedTuple):
    """A rectangle on a page, as fractions of its width and height; origin top left."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a reader can look: a page, slide or sheet, and the rectangle on it."""

    page: int
    """1-based page, slide or sheet."""
    box: Box | None = None
    label: str = ""
    """The name that the document itself gives the page: `iv`, `A-3`, a sheet's title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A source as a listing knows it, before its bytes are fetched."""

    uri: str
    size: int | None = None
    """Bytes, where the listing says."""
    modified: datetime | None = None
    """Aware, UTC."""
    version: str = ""
    """Any text, where the listing gives one: the same text as when the source was read means that nothing changed."""
    labels: Labels | None = None
    """In place of those that the source has; None where the listing does not say. A run's own go before."""
    access: Access | Literal["everybody"] | None = None
    """Principals that may see the source; none: nobody, so that it stays out. None where the listing does not say."""
    cursor: str = ""
    """Where a later listing may go on, as far as this source; the last one of a listing is remembered."""
    below: str = ""
    """Real path that a file must have, or lie below, when it is opened; empty where the file itself was named."""
    named_by: str = ""
    """URI of the list or sitemap that names the page; empty where the page itself was named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What a listing reports as gone, in place of not listing it: for listings of what changed."""

    uri: str
    cursor: str = ""
    """As of `Listed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The bytes of a source in a local file, with what the origin said about them."""

    path: Path
    """Valid as long as the context in which it was fetched; need not be the path that the source is known by."""
    sha256: str
    size: int
    """Bytes."""
    modified: datetime | None = None
    etag: str = ""
    declared_type: str = ""
    """Media type that the origin declared (HTTP `Content-Type`, with its charset); a hint, never believed alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where bytes came from, which bytes they were, and who may see them."""

    uri: str
    media_type: str
    sha256: str
    size: int
    """Bytes."""
    modified: datetime | None = None
    """Aware, UTC; None where the origin does not say."""
    etag: str = ""
    """Of a web server; of a source whose listing says a `version`, that."""
    labels: Labels
    access: frozenset[str] = frozenset()
    """Principals that may see this source; empty means everybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A view on `Document.text`: one paragraph, heading, table and so on, and its places."""

    kind: BlockKind
    span: Span
    places: tuple[Place, ...] = ()
    level: int = 0
    """Heading level from 1, list nesting from 1; 0 elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A part of a source that could not be read, while the rest could: it makes the outcome `partial`."""

    message: str
    page: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """What a loader read from one source, before cleaning: text, the blocks on it, and what could not be read.

    The title is what the content says (metadata or first heading), empty where it says nothing; it never comes from
    the file's name, so that renaming or copying a file does not change its content.
    """

    title: str
    text: str
    blocks: tuple[Block, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Where a chunk lies in a document's text, and what is embedded above it."""

    span: Span
    headings: tuple[str, ...] = ()
    """The headings above the chunk, outermost first."""
    table_header: str = ""
    """The header row of the table that the chunk continues, where that row is not part of the chunk itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Everything that was read from a source, in reading order."""

    id: str
    source: Source
    title: str
    language: str
    """ISO 639-1 code of the main language (`zh`, `en`, ...), `und` where there is too little text to decide."""
    text: str
    blocks: tuple[Block, ...]
    loader: str
    """Fingerprint of the loader and cleaning that produced the text: a change means that it must be read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One answerable piece: exactly the characters `Document.text[span]`, with the places to look them up."""

    id: str
    document_id: str
    span: Span
    text: str
    headings: tuple[str, ...] = ()
    """The headings above the chunk, outermost first."""
    places: tuple[Place, ...] = ()
    """Copied from the blocks; several when the chunk crosses pages."""
    language: str
    table_header: str = ""
    """The header row of the table that the chunk continues, where that row is not part of the chunk itself."""

    @property
    def context(self) -> str:
        """What is embedded and indexed: headings, repeated table header, then the text. Only `text` is ever quoted."""
        head = " > ".join(self.headings)
        return "\n".join(part for part in (head, self.table_header, self.text) if part)
