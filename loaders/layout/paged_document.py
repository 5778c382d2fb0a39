"""A document of pages: takes them one by one, keeps only their blocks, and gives the extraction at the end.

A page's blocks are in reading order: header lines, columns, footer lines, then the text in the margins.
"""

from collections.abc import Sequence
from statistics import median

from penstock.analysis.running import ZONE
from penstock.analysis.wide import one_line
from penstock.loaders.layout.columns import reading_order
from penstock.loaders.layout.headings import with_headings
from penstock.loaders.layout.pages import OutlineEntry, Page
from penstock.loaders.layout.paragraphs import BlockDraft, drafts_of
from penstock.loaders.layout.text_rows import Row, rows_of
from penstock.loaders.titles import choose_title
from penstock.model import Extraction, ExtractionWriter


class PagedDocument:
    """Collects pages one by one; holds their blocks and nothing else of them."""

    def __init__(self, *, outline: Sequence[OutlineEntry] = ()) -> None:
        self._outline = outline
        self._drafts: list[BlockDraft] = []
        self._writer = ExtractionWriter()

    def add(self, page: Page) -> None:
        """Takes the text of a page."""
        self._drafts += page_drafts(page)

    def problem(self, message: str, *, page: int | None = None) -> None:
        """Notes a part that could not be read."""
        self._writer.problem(message, page=page)

    def finish(self, *, title: str = "") -> Extraction:
        """The whole document; its title is the one given where it says something, else its first heading."""
        drafts = with_headings(self._drafts, self._outline)
        for draft in drafts:
            self._writer.add(draft.kind, draft.text, places=draft.places, level=draft.level)
        return self._writer.finish(title=choose_title(title.replace("\x00", ""), _first_heading(drafts)))


def _first_heading(drafts: Sequence[BlockDraft]) -> str:
    """The first heading of the highest level on the first page that has one."""
    headings = [draft for draft in drafts if draft.kind == "heading"]
    first = [draft for draft in headings if draft.places[:1] and draft.places[0].page == headings[0].places[0].page]
    best = min(first, key=lambda draft: draft.level, default=None)
    return one_line(best.text) if best else ""


APART = 0.6
"""Header and footer lines are more than this many letter sizes away from the rows beside them."""
EDGE_SIZE = 1.3
"""Header and footer lines are at most this many times the page's usual letter size: a title is no running header."""


def page_drafts(page: Page) -> list[BlockDraft]:
    """The blocks of a page in reading order; each line of a running header or footer is a block of its own."""
    rows = rows_of(page.pieces)
    if not rows:
        return [draft for piece in page.aside for draft in drafts_of(page, [piece])]
    usual = median(row.size for row in rows)
    top = _edge(rows, [row.rect.bottom < ZONE * page.height and row.size <= EDGE_SIZE * usual for row in rows])
    rest = rows[top:]
    low = [row.rect.top > (1 - ZONE) * page.height and row.size <= EDGE_SIZE * usual for row in rest]
    end = len(rest) - _edge(rest[::-1], low[::-1])
    body = [piece for row in rest[:end] for piece in row.pieces]
    parts = [
        *([*row.pieces] for row in rows[:top]),
        *reading_order(body),
        *([*row.pieces] for row in rest[end:]),
        *([piece] for piece in page.aside),
    ]
    return [draft for part in parts for draft in drafts_of(page, part)]


def _edge(rows: Sequence[Row], near: Sequence[bool]) -> int:
    """How many rows, from the edge inwards, are a running header or footer: two lines, then single ones further off."""
    found = 0
    for at, row in enumerate(rows):
        if not near[at] or row.pieces[0].cells or at - found > (0 if found else 1):
            break
        if at + 1 == len(rows) or _between(row, rows[at + 1]) > APART * row.size:
            found = at + 1
    return found


def _between(above: Row, below: Row) -> float:
    return max(above.rect.top, below.rect.top) - min(above.rect.bottom, below.rect.bottom)
