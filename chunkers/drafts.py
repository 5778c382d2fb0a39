"""From where to cut (`Draft`) to finished chunks that fit the model."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from penstock.analysis.scripts import language_of
from penstock.chunkers.cutting import by_tokens
from penstock.chunkers.measure import Ruler
from penstock.errors import SettingsError
from penstock.ids import chunk_id
from penstock.model import Chunk, Document, Draft, Place, Span

if TYPE_CHECKING:  # the ports bring numpy, which a process that parses has no use for
    from penstock.ports import TokenCounter

SMALLEST = 16
"""Tokens: below this no heading and no sentence fits."""
BATCH = 512


def checked_size(size: int) -> int:
    """The size, if chunks can be cut to it.

    Raises:
        SettingsError: it is too small to hold a sentence.
    """
    if size < SMALLEST:
        raise SettingsError(f"chunks of {size} tokens cannot be cut: give a chunker size of {SMALLEST} or more")
    return size


def finished(
    drafts: Iterable[Draft], document: Document, content: str, *, fingerprint: str, counter: "TokenCounter", size: int
) -> Iterator[Chunk]:
    """The chunks of the drafts. One whose embedded text does not fit after all is cut further.

    Tokens are looked up by position in the whole text, and a model may join the ends of a piece otherwise than it did
    there; so each chunk is counted once more as it will be embedded.
    """
    return chunks_of(_fitting(drafts, document, counter, size), document, content, fingerprint=fingerprint)


def chunks_of(drafts: Iterable[Draft], document: Document, content: str, *, fingerprint: str) -> Iterator[Chunk]:
    """The chunks at the places where a document is cut; `fingerprint` is that of the chunker that cut it."""
    places = _Places(document)
    for draft in drafts:
        yield _chunk(draft, document, content, fingerprint, places.of(draft.span))


def _fitting(drafts: Iterable[Draft], document: Document, counter: "TokenCounter", size: int) -> Iterator[Draft]:
    stream = iter(drafts)
    while batch := list(islice(stream, BATCH)):
        counts = counter.count([_context(document, draft) for draft in batch])
        for draft, tokens in zip(batch, counts, strict=True):
            yield from [draft] if tokens <= size else _cut(draft, document, counter, size, tokens)


def _context(document: Document, draft: Draft) -> str:
    head = " > ".join(draft.headings)
    text = document.text[draft.span.start : draft.span.end]
    return "\n".join(part for part in (head, draft.table_header, text) if part)


def _cut(draft: Draft, document: Document, counter: "TokenCounter", size: int, tokens: int) -> Iterator[Draft]:
    """The draft in smaller pieces; a piece that cannot be cut further goes without its headings."""
    start, end = draft.span
    text = document.text[start:end]
    ruler = Ruler(text, counter)
    own = ruler.tokens(0, len(text))
    if own < 2:
        yield replace(draft, headings=(), table_header="")
        return
    # The headings above the text stay as they are, so the text alone is cut to fit.
    limit = max(1, min(own - 1, size - (tokens - own)))
    for piece in by_tokens(text, Span(0, len(text)), limit, ruler):
        smaller = replace(draft, span=Span(start + piece.start, start + piece.end))
        (count,) = counter.count([_context(document, smaller)])
        if count <= size:
            yield smaller
        else:
            yield from _cut(smaller, document, counter, size, count)


class _Places:
    """The places of the blocks that a span touches."""

    def __init__(self, document: Document) -> None:
        self._blocks = document.blocks
        self._starts = [block.span.start for block in document.blocks]

    def of(self, span: Span) -> tuple[Place, ...]:
        first = max(0, bisect_right(self._starts, span.start) - 1)
        after = bisect_left(self._starts, span.end)
        touched = (block for block in self._blocks[first:after] if block.span.end > span.start)
        return tuple(dict.fromkeys(place for block in touched for place in block.places))


def _chunk(draft: Draft, document: Document, content: str, fingerprint: str, places: tuple[Place, ...]) -> Chunk:
    text = document.text[draft.span.start : draft.span.end]
    language = language_of(text)
    return Chunk(
        id=chunk_id(content, draft.span, fingerprint),
        document_id=document.id,
        span=draft.span,
        text=text,
        headings=draft.headings,
        places=places,
        language=document.language if language == "und" else language,
        table_header=draft.table_header,
    )
