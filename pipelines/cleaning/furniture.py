"""Which blocks are running headers, footers and page numbers? Those that come again at one place of page after page.

Where blocks have boxes, candidates lie in the outer zones of the page and must keep their height on it; where they
have only a page, candidates are its first and last blocks.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from penstock.model import Block

ZONE = 0.12
"""Share of the page's height, at its top and at its bottom, in which furniture is looked for."""
HEADING_ZONE = 0.08
"""The same for headings: titles of slides stand higher than any text, but lower than a running header."""
DRIFT = 0.015
"""How far, in shares of the page's height, a running line may move from page to page."""
PAGES = 3
"""On how many pages a line must come again."""
DENSITY = 0.4
"""On what share of the pages from its first to its last: left and right pages may have headers of their own."""
SHARE_WITHOUT_BOX = 0.5
"""The same as a share of all pages, where nothing but order says where a block stands."""
ROUNDS = 16
"""How many running lines may stand one behind the other on a page, where nothing but order says where a block is."""
LONGEST = 200
"""Characters: a longer text is no header."""

_DIGITS = re.compile(r"\d+")
_ROMAN = re.compile(r"[\s\-–—.|]*[ivxlc]{1,7}[\s\-–—.|]*")
_SPACE = re.compile(r"\s+")
_PAGE_NUMBER = re.compile(
    r"[\s\-–—|·]*(?:page|p\.|seite|第)?\s*#\s*页?(?:\s*(?:of|/|von|共|，\s*共|,\s*共)\s*#\s*页?)?[\s\-–—|·]*"
)
_KINDS = frozenset({"heading", "paragraph", "list", "note", "caption"})


@dataclass(frozen=True, slots=True)
class _Line:
    """A block that may be furniture: its number, its page, its text without digits, where it stands."""

    number: int
    page: int
    key: str
    numbers: tuple[int, ...]
    zone: str
    at: float | None


def furniture(blocks: Sequence[Block], texts: Sequence[str]) -> set[int]:
    """Numbers of the blocks that are furniture, those included that are marked as such already."""
    found = {number for number, block in enumerate(blocks) if block.kind == "furniture"}
    for _ in range(ROUNDS):
        more = _repeated(blocks, texts, found)
        if not more:
            break
        found |= more  # what stood behind a header may be a second one
    return found


def _repeated(blocks: Sequence[Block], texts: Sequence[str], known: set[int]) -> set[int]:
    pages = sorted({place.page for block in blocks for place in block.places})
    groups: dict[tuple[str, str], list[_Line]] = defaultdict(list)
    for line in _candidates(blocks, texts, known):
        groups[line.zone, line.key].append(line)
    found: set[int] = set()
    for (_, key), lines in groups.items():
        for cluster in _varieties(key, lines):
            if _is_furniture(key, cluster, pages):
                found.update(line.number for line in cluster)
    return found


def _is_furniture(key: str, lines: list[_Line], pages: list[int]) -> bool:
    if key.startswith(("(", "（")):
        return False  # `(in millions)` above a table that goes on
    on = {line.page for line in lines}
    if lines[0].at is None:
        return len(on) >= max(PAGES, SHARE_WITHOUT_BOX * len(pages))
    between = bisect_right(pages, max(on)) - bisect_left(pages, min(on))
    if len(on) >= PAGES:
        return len(on) >= DENSITY * between
    # Of two pages, only what is nothing but a page number, or says the same at the same height of both.
    return len(on) == len(pages) == 2 and (bool(_PAGE_NUMBER.fullmatch(key)) or "#" not in key)


def _candidates(blocks: Sequence[Block], texts: Sequence[str], known: set[int]) -> Iterator[_Line]:
    edges = _edges(blocks, known)
    for number, (block, text) in enumerate(zip(blocks, texts, strict=True)):
        if number in known or block.kind not in _KINDS or len(block.places) != 1 or len(text) > LONGEST:
            continue
        place = block.places[0]
        if place.box is None:
            if number in edges and block.kind != "heading":
                yield _Line(number, place.page, *_read(text), edges[number], None)
            continue
        zone = HEADING_ZONE if block.kind == "heading" else ZONE
        middle = (place.box.top + place.box.bottom) / 2
        if place.box.bottom <= zone:
            yield _Line(number, place.page, *_read(text), "top", middle)
        elif place.box.top >= 1 - zone:
            yield _Line(number, place.page, *_read(text), "bottom", middle)


def _edges(blocks: Sequence[Block], known: set[int]) -> dict[int, str]:
    """The first and the last block of each page, furniture and what crosses pages aside."""
    edges: dict[int, str] = {}
    by_page: dict[int, list[int]] = defaultdict(list)
    for number, block in enumerate(blocks):
        if number not in known:
            for page in sorted({place.page for place in block.places}):
                by_page[page].append(number)
    for numbers in by_page.values():
        if len(numbers) > 2:
            edges[numbers[0]], edges[numbers[-1]] = "first", "last"
    return edges


def key_of(text: str) -> str:
    """The text with numbers as `#`: equal for the same header or footer of two pages.

    >>> key_of("Annual  Report | 12") == key_of("Annual Report | 13")
    True
    """
    text = _SPACE.sub(" ", text).strip().casefold()
    return "#" if _ROMAN.fullmatch(text) else _DIGITS.sub("#", text)


def _read(text: str) -> tuple[str, tuple[int, ...]]:
    return key_of(text), tuple(int(digits[-9:]) for digits in _DIGITS.findall(text))


def _varieties(key: str, lines: list[_Line]) -> Iterator[list[_Line]]:
    """Lines at the same height that differ in the number of their page only: `EXHIBIT 31.1` and `31.2` are headings."""
    for cluster in _clusters(lines):
        if "#" not in key or _PAGE_NUMBER.fullmatch(key):
            yield cluster
            continue
        counted = {
            position
            for position in range(len(cluster[0].numbers))
            if _counts_pages([(line.numbers[position], line.page) for line in cluster if position < len(line.numbers)])
        }
        same: dict[tuple[int, ...], list[_Line]] = defaultdict(list)
        for line in cluster:
            rest = tuple(number for position, number in enumerate(line.numbers) if position not in counted)
            same[rest].append(line)
        yield from same.values()


def _counts_pages(numbers: list[tuple[int, int]]) -> bool:
    """Whether a number goes up with the page for most of the lines that have it."""
    offsets = Counter(number - page for number, page in numbers)
    return len(offsets) > 0 and offsets.most_common(1)[0][1] > len(numbers) / 2


def _clusters(lines: list[_Line]) -> Iterator[list[_Line]]:
    """Lines at the same height, each within the drift of the one before."""
    cluster: list[_Line] = []
    for line in sorted(lines, key=lambda line: (line.at or 0.0, line.number)):
        if cluster and (line.at or 0.0) - (cluster[-1].at or 0.0) > DRIFT:
            yield cluster
            cluster = []
        cluster.append(line)
    yield cluster
