"""The smallest pieces that structure-aware chunks are made of, and what it costs to part or to join them.

Costs are in chunks: a cost of 1 is worth as much as one chunk more (see `penstock.chunkers.partition`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from penstock.analysis.list_marks import has_sign
from penstock.chunkers.cutting import fitted, lines, sentences
from penstock.chunkers.heads import Heads
from penstock.chunkers.measure import Ruler
from penstock.chunkers.outline import Part
from penstock.model import Span

CUT_AFTER_HEADING = 3.0
"""A heading goes with what follows it; only lack of room parts them."""
CUT_CAPTION = 1.0
CUT_INTRODUCTION = 0.6
"""A line that ends in a colon goes with the list, table or code that it announces."""
CUT_LIST = 0.4
CUT_INSIDE = 0.3
"""Inside a paragraph, a table or a piece of code, always between sentences, rows or lines."""
JOIN_SECTIONS = 0.8
"""Two neighbouring sections share a chunk only where that saves a tiny one: joining shares x and y of the size saves
1 - 2xy, so a section of a quarter of the size joins one of up to two fifths, and two of a third stay apart."""
JOIN_OUTER = 0.9
"""The same where the second section is on a higher level than the first."""
JOIN_SLIDES = 0.96
JOIN_AFTER_BARE_HEADING = 0.3
"""A slide or section that is nothing but its heading merges forward."""

DECK_SHARE = 0.6
"""A document is a deck where at least this share of its pages begins with a heading."""
DECK_PAGES = 3

MANY, TINY = 128, 3
"""A run of more units than the first, with fewer tokens each than the second, is no prose, and no list that anybody
reads: its units are joined to parts of a chunk, because weighing each against each takes long and changes nothing."""
SHARE = 16
"""The largest of such parts is a chunk's size divided by this."""

_SEPARATOR_ROW = re.compile(r"[\s|:+-]*-{2,}[\s|:+-]*")


_SENTENCE = re.compile(r".*[;；。]$", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A stretch that is not cut, with the cost of beginning a chunk here and the cost of not doing so."""

    span: Span
    path: tuple[str, ...]
    cut: float = 0.0
    join: float = 0.0
    table_header: str = ""
    """What is repeated above a chunk that begins here: the header of the table that the unit goes on with."""
    header_tokens: int = 0


class Units:
    """Turns the parts of one document into units."""

    def __init__(self, text: str, parts: list[Part], *, size: int, ruler: Ruler, heads: Heads) -> None:
        self._text, self._size, self._ruler, self._heads = text, size, ruler, heads
        self._deck = is_deck(parts)

    def of(self, run: list[Part]) -> list[Unit]:
        """The units of one run of parts, in order."""
        units: list[Unit] = []
        for before, part in zip([None, *run], run, strict=False):
            cut, join = self._costs(before, part) if before else (0.0, 0.0)
            units += self._split(part, cut, join)
        if len(units) > MANY and self._tokens(units[0], units[-1]) < TINY * len(units):
            return list(self._coarser(units))
        return units

    def _coarser(self, units: list[Unit]) -> Iterator[Unit]:
        """The units; neighbours in one section that are a small part of a chunk together become one unit."""
        first = last = units[0]
        for unit in units[1:]:
            alike = (unit.path, unit.table_header) == (last.path, last.table_header) and not unit.join
            if alike and unit.cut <= CUT_LIST and self._tokens(first, unit) * SHARE <= self._size:
                last = unit
            else:
                yield replace(first, span=Span(first.span.start, last.span.end))
                first = last = unit
        yield replace(first, span=Span(first.span.start, last.span.end))

    def _tokens(self, first: Unit, last: Unit) -> int:
        return self._ruler.tokens(first.span.start, last.span.end)

    def _costs(self, before: Part, part: Part) -> tuple[float, float]:
        kinds = (before.block.kind, part.block.kind)
        if self._deck and _page(before) != _page(part):
            return (0.0, JOIN_AFTER_BARE_HEADING if kinds[0] == "heading" else JOIN_SLIDES)
        if kinds[0] == "heading":
            return CUT_AFTER_HEADING, 0.0
        if kinds[1] == "heading":
            return 0.0, JOIN_OUTER if len(part.path) < len(before.path) - 1 else JOIN_SECTIONS
        if kinds in (("caption", "table"), ("table", "caption")):
            return CUT_CAPTION, 0.0
        if kinds == ("list", "list"):
            return CUT_LIST, 0.0
        announced = kinds[1] in ("list", "table", "code", "formula")
        if announced and self._text[before.block.span.end - 1] in ":：":
            return CUT_INTRODUCTION, 0.0
        return (CUT_INSIDE, 0.0) if "formula" in kinds else (0.0, 0.0)

    def _split(self, part: Part, cut: float, join: float) -> Iterator[Unit]:
        block, limit = part.block, self._size - self._heads.tokens(part.path)
        if self._ruler.tokens(*block.span) <= limit:
            yield Unit(span=block.span, path=part.path, cut=cut, join=join)
            return
        if block.kind == "table":
            yield from self._rows(part, cut, join, limit)
            return
        inside = CUT_LIST if block.kind == "list" else CUT_INSIDE
        by_line = block.kind in ("list", "code")
        pieces = (lines if by_line else sentences)(self._text, block.span)
        for number, span in enumerate(fitted(self._text, pieces, limit, self._ruler)):
            yield Unit(span=span, path=part.path, cut=inside if number else cut, join=0.0 if number else join)

    def _rows(self, part: Part, cut: float, join: float, limit: int) -> Iterator[Unit]:
        """Rows of a table; from the second row on, a chunk that begins with one repeats the header."""
        rows = _with_header(self._text, lines(self._text, part.block.span))
        first = self._text[rows[0].start : rows[0].end]
        header, tokens = ("", 0) if has_sign(first) or _SENTENCE.match(first) else self._heads.line(first)
        for number, row in enumerate(rows):
            room = limit - (tokens if number else 0)
            for order, span in enumerate(fitted(self._text, [row], room, self._ruler)):
                if number == 0 and order == 0:
                    yield Unit(span=span, path=part.path, cut=cut, join=join)
                elif number == 0:
                    yield Unit(span=span, path=part.path, cut=CUT_INSIDE)
                else:
                    yield Unit(
                        span=span,
                        path=part.path,
                        cut=CUT_CAPTION if number == 1 or order else CUT_INSIDE,
                        table_header=header,
                        header_tokens=tokens,
                    )


def is_deck(parts: list[Part]) -> bool:
    """Whether the document is a deck of slides: most of its pages begin with a heading."""
    firsts: dict[int, bool] = {}
    for part in parts:
        if part.block.places:
            firsts.setdefault(_page(part), part.block.kind == "heading")
    return len(firsts) >= DECK_PAGES and sum(firsts.values()) >= DECK_SHARE * len(firsts)


def _page(part: Part) -> int:
    return part.block.places[0].page if part.block.places else 0


def _with_header(text: str, rows: list[Span]) -> list[Span]:
    """The rows, a line of dashes below the first one taken as part of the header."""
    if len(rows) > 1 and _SEPARATOR_ROW.fullmatch(text, *rows[1]):
        return [Span(rows[0].start, rows[1].end), *rows[2:]]
    return rows
