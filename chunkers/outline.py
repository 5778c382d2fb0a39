"""Which blocks follow each other, and under which headings is each block?"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from penstock.analysis.list_marks import CHAPTER, NUMERALS
from penstock.model import Block, Document, Span

_SPACE = re.compile(r"\s+")
_NUMBERED = re.compile(
    rf"{CHAPTER.pattern}|[{NUMERALS}]+、|\d+(?:\.\d+)*[.、)]?\s|[IVX]+\.\s"
    r"|(?:chapter|section|part|appendix)\s+[\divxa-z]+\b",
    re.IGNORECASE,
)
"""A numbered heading, one of several: no title of the whole, though a loader may have taken the first one for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A block and the headings above it, outermost first; a heading is not below itself."""

    block: Block
    path: tuple[str, ...]


def runs(document: Document) -> list[list[Part]]:
    """The blocks that may share a chunk: stretches of the document with no furniture between.

    A document's title is above everything in it, except above the heading that says the same. A title that is
    numbered like a chapter is the first chapter's, and is above that alone.
    """
    found: list[list[Part]] = [[]]
    outline = _Outline(document.title)
    for block in _whole(document):
        if block.kind == "furniture":
            found.append([])
        elif block.kind == "heading":
            found[-1].append(outline.heading(block, one_line(document.text[block.span.start : block.span.end])))
        else:
            found[-1].append(Part(block=block, path=outline.path))
    return [run for run in found if run]


def one_line(text: str) -> str:
    """The text with every run of white space as one space."""
    return _SPACE.sub(" ", text).strip()


class _Outline:
    """The headings in force while a document is walked through."""

    def __init__(self, title: str) -> None:
        title = one_line(title)
        self._title = "" if _NUMBERED.match(title) else title
        self._open: list[tuple[int, str]] = []

    @property
    def path(self) -> tuple[str, ...]:
        above = (self._title,) if self._title else ()
        return above + tuple(text for _, text in self._open)

    def heading(self, block: Block, text: str) -> Part:
        if self._title and text.casefold() == self._title.casefold():
            self._open.clear()
            return Part(block=block, path=())
        level = max(block.level, 1)
        while self._open and self._open[-1][0] >= level:
            self._open.pop()
        part = Part(block=block, path=self.path)
        self._open.append((level, text))
        return part


def _whole(document: Document) -> Iterator[Block]:
    """The blocks that are not blank; text outside of all blocks becomes paragraphs between them."""
    reached = 0
    for block in document.blocks:
        yield from _blocks(document.text, reached, block.span.start, None)
        yield from _blocks(document.text, max(reached, block.span.start), block.span.end, block)
        reached = max(reached, block.span.end)
    yield from _blocks(document.text, reached, len(document.text), None)


def _blocks(text: str, start: int, end: int, block: Block | None) -> Iterator[Block]:
    content = text[start:end] if start < end else ""
    if not content.strip():
        return
    span = Span(start + len(content) - len(content.lstrip()), start + len(content.rstrip()))
    if block is None:
        yield Block(kind="paragraph", span=span)
    else:
        yield replace(block, span=span)
