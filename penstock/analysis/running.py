"""Running headers, footers and page numbers: what comes again at one place of page after page.

Where lines have boxes, they lie in the outer zones of the page and keep their height on it; where they have only a
page, they are its first and last blocks.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from penstock.model import Box

ZONE = 0.12
"""Share of the page's height, at its top and at its bottom, in which furniture is looked for."""
HEADING_ZONE = 0.08
"""The same for headings: titles of slides are higher than any text, but lower than a running header."""
DRIFT = 0.015
"""How far, in shares of the page's height, a running line may move from page to page."""
PAGES = 3
"""On how many pages a line must come again."""
DENSITY = 0.4
"""On what share of the pages from its first to its last: left and right pages may have headers of their own."""
SHARE_WITHOUT_BOX = 0.5
"""The same as a share of all pages, where only the order shows where a block is."""
LONGEST = 200
"""Characters: a longer text is no header."""

_DIGITS = re.compile(r"\d+")
_ROMAN = re.compile(r"[\s\-–—.|]*[ivxlc]{1,7}[\s\-–—.|]*")
_SPACE = re.compile(r"\s+")
_PAGE_NUMBER = re.compile(
    r"[\s\-–—|·]*(?:page|p\.|seite|第)?\s*#\s*页?(?:\s*(?:of|/|von|共|，\s*共|,\s*共)\s*#\s*页?)?[\s\-–—|·]*"
)

Zone = Literal["top", "bottom", "first", "last"]
"""Of a page, by boxes; or its first and its last block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A block that may be a running line: its number, its page, its text and its box."""

    number: int
    page: int
    text: str
    zone: Zone
    at: float | None
    """Its middle, as a share of the page's height; None where it has no box."""


@dataclass(frozen=True, slots=True)
class _LineKey:
    """A line, its text without digits, and the numbers in it."""

    line: Line
    key: str
    numbers: tuple[int, ...]


def zone_of(box: Box, *, heading: bool) -> Zone | None:
    """The zone of running lines in which a box lies; that of headings is smaller."""
    zone = HEADING_ZONE if heading else ZONE
    if box.bottom <= zone:
        return "top"
    return "bottom" if box.top >= 1 - zone else None


def running(lines: Iterable[Line], pages: Sequence[int]) -> set[int]:
    """The numbers of those lines that are running ones; `pages` are all pages of the document, in order."""
    groups: dict[tuple[Zone, str], list[_LineKey]] = defaultdict(list)
    for line in lines:
        read = _LineKey(line, key_of(line.text), tuple(int(digits[-9:]) for digits in _DIGITS.findall(line.text)))
        groups[line.zone, read.key].append(read)
    found: set[int] = set()
    for (_, key), group in groups.items():
        for same in _varieties(key, group):
            if _runs(key, same, pages):
                found.update(read.line.number for read in same)
    return found


def key_of(text: str) -> str:
    """The text with numbers as `#`: equal for the same header or footer of two pages.

    >>> key_of("Annual  Report | 12") == key_of("Annual Report | 13")
    True
    """
    text = _SPACE.sub(" ", text).strip().casefold()
    return "#" if _ROMAN.fullmatch(text) else _DIGITS.sub("#", text)


def _runs(key: str, lines: list[_LineKey], pages: Sequence[int]) -> bool:
    if key.startswith(("(", "（")):
        return False  # `(in millions)` above a table that goes on
    on = {read.line.page for read in lines}
    if lines[0].line.at is None:
        return len(on) >= max(PAGES, SHARE_WITHOUT_BOX * len(pages))
    between = bisect_right(pages, max(on)) - bisect_left(pages, min(on))
    if len(on) >= PAGES:
        return len(on) >= DENSITY * between
    # Of two pages, only what is nothing but a page number, or says the same at the same height of both.
    return len(on) == len(pages) == 2 and (bool(_PAGE_NUMBER.fullmatch(key)) or "#" not in key)


def _varieties(key: str, lines: list[_LineKey]) -> Iterator[list[_LineKey]]:
    """Lines at the same height that differ in the number of their page only: `EXHIBIT 31.1` and `31.2` are headings."""
    for cluster in _clusters(lines):
        if "#" not in key or _PAGE_NUMBER.fullmatch(key):
            yield cluster
            continue
        counted = {
            position
            for position in range(len(cluster[0].numbers))
            if _counts_pages(
                [(read.numbers[position], read.line.page) for read in cluster if position < len(read.numbers)]
            )
        }
        same: dict[tuple[int, ...], list[_LineKey]] = defaultdict(list)
        for read in cluster:
            rest = tuple(number for position, number in enumerate(read.numbers) if position not in counted)
            same[rest].append(read)
        yield from same.values()


def _counts_pages(numbers: list[tuple[int, int]]) -> bool:
    """Whether a number goes up with the page for most of the lines that have it."""
    offsets = Counter(number - page for number, page in numbers)
    return len(offsets) > 0 and offsets.most_common(1)[0][1] > len(numbers) / 2


def _clusters(lines: list[_LineKey]) -> Iterator[list[_LineKey]]:
    """Lines at the same height, each within the drift of the one before."""
    cluster: list[_LineKey] = []
    for read in sorted(lines, key=lambda read: (read.line.at or 0.0, read.line.number)):
        if cluster and (read.line.at or 0.0) - (cluster[-1].line.at or 0.0) > DRIFT:
            yield cluster
            cluster = []
        cluster.append(read)
    yield cluster
