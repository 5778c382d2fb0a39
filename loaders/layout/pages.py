"""What an engine sees on one page, before any layout: pieces of text with their places, tables, and size.

Every engine that reads pages (two for PDF, one for pictures) gives these values, and all of them go through the same
layout (`columns`, `text_rows`, `paragraphs`, `layout`). Lengths are points, or pixels for pictures; origin top left.
"""

from dataclasses import dataclass
from typing import NamedTuple

from penstock.model import Box, Place


class Rect(NamedTuple):
    """A rectangle on a page in its own unit, origin top left."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Horizontal extent."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Vertical extent."""
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """Vertical centre."""
        return (self.top + self.bottom) / 2

    def holds(self, inner: "Rect") -> bool:
        """Whether the centre of the other rectangle lies in this one."""
        across = (inner.left + inner.right) / 2
        return self.left <= across <= self.right and self.top <= inner.middle <= self.bottom


def turned(rect: Rect, height: float) -> Rect:
    """The rectangle after a quarter turn clockwise of its page, which was so high."""
    return Rect(height - rect.bottom, rect.left, height - rect.top, rect.right)


def union(rects: "list[Rect]") -> Rect:
    """The smallest rectangle around all of them; there must be at least one."""
    return Rect(
        min(rect.left for rect in rects),
        min(rect.top for rect in rects),
        max(rect.right for rect in rects),
        max(rect.bottom for rect in rects),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of text on one line without a wide gap in it, or a whole table (`cells`)."""

    text: str
    rect: Rect
    size: float
    """Size of most of its letters."""
    boldness: float = 0.0
    """Share of its letters that are bold."""
    mono: bool = False
    """Whether its letters are of a typewriter font."""
    cells: tuple[tuple[str, ...], ...] = ()
    """Rows of a table that the engine found; `text` is empty then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page as an engine saw it."""

    number: int
    """1-based."""
    width: float
    height: float
    pieces: tuple[Piece, ...]
    aside: tuple[Piece, ...] = ()
    """Text that does not run from left to right, such as a stamp along the margin."""
    label: str = ""
    measured: bool = True
    """Whether letter sizes are known, or were guessed from the height of what OCR found."""
    turns: int = 0
    """Quarter turns clockwise that the page was given so that its text runs from left to right; `width`, `height` and
    all rectangles are those of the turned page, places are not."""

    def place(self, rect: Rect) -> Place:
        """Where a rectangle of this page is, as fractions of the page as a reader sees it."""
        across, down = self.width or 1.0, self.height or 1.0
        part = Rect(rect.left / across, rect.top / down, rect.right / across, rect.bottom / down)
        for _ in range(-self.turns % 4):
            part = turned(part, 1.0)
        return Place(page=self.number, box=Box(*map(_fraction, part)), label=self.label)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineEntry:
    """One line of a document's own table of contents."""

    level: int
    """From 1."""
    title: str
    page: int
    """1-based."""


def _fraction(value: float) -> float:
    return round(min(max(value, 0.0), 1.0), 4)
