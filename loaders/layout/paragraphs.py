"""Rows of one column as drafts of blocks: paragraphs, list items, tables, code; each knows its letters and place."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import fmean, median

from penstock.analysis.list_marks import list_mark
from penstock.analysis.wide import is_solid
from penstock.loaders.layout.aligned_tables import table_lines, table_runs
from penstock.loaders.layout.pages import Page, Piece, Rect, union
from penstock.loaders.layout.text_rows import Row, rows_of
from penstock.loaders.tables import table_text
from penstock.model import BlockKind, Place

CAPTION = re.compile(
    r"^(?:(?:Figure|Fig\.|FIG\.|FIGURE|Table|TABLE|Exhibit|Chart)\s*[\dIVXA-Z][\dA-Za-z.\-]*\s*[.:：|—–]"
    r"|[图圖表]\s*[\d一二三四五六七八九十][\d.\-－—]*)"
)
"""How a caption starts; see `CAPTION_LENGTH`."""
WHOLLY = 0.75
"""A block of which a larger share is bold is a bold block."""
CAPTION_LENGTH = 600
SHORT_CAPTION = 60
OTHER_SIZE, OTHER_GUESSED_SIZE = 0.12, 0.3
"""Lines whose letter sizes differ by a larger share are different blocks; the second for guessed sizes."""
OTHER_BOLDNESS = 0.6
"""Lines whose shares of bold letters differ by more are different blocks."""
ENDS = frozenset(".!?。！？:：;；")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockDraft:
    """A block whose kind may still change: what is a heading is only known when the whole document was seen."""

    kind: BlockKind
    text: str
    places: tuple[Place, ...]
    size: float = 0.0
    bold: bool = False
    lines: int = 1
    measured: bool = True
    level: int = 0


def drafts_of(page: Page, column: Sequence[Piece]) -> Iterator[BlockDraft]:
    """The blocks of one column of a page, from top to bottom."""
    rows = rows_of(column)
    start = 0
    for first, last in [*table_runs(rows), (len(rows), len(rows))]:
        yield from _text(page, rows[start:first])
        if first < last:
            yield _table(page, rows[first:last])
        start = last


def given_table(page: Page, piece: Piece) -> BlockDraft:
    """A table that the engine found, as a draft."""
    return BlockDraft(kind="table", text=table_text(piece.cells), places=(page.place(piece.rect),))


def _table(page: Page, rows: Sequence[Row]) -> BlockDraft:
    text = table_text(table_lines(rows))
    return BlockDraft(kind="table", text=text, places=(page.place(union([row.rect for row in rows])),))


def _text(page: Page, rows: Sequence[Row]) -> Iterator[BlockDraft]:
    plain = [row for row in rows if not row.pieces[0].cells]
    if not plain:
        yield from (given_table(page, row.pieces[0]) for row in rows)
        return
    column = union([row.rect for row in plain])
    pitch = _pitch(plain)
    tolerance = OTHER_SIZE if page.measured else OTHER_GUESSED_SIZE
    gathered: list[Row] = []
    for row in rows:
        if row.pieces[0].cells:
            yield from _closed(page, gathered, column)
            gathered = []
            yield given_table(page, row.pieces[0])
            continue
        if gathered and _starts_block(gathered, row, column, pitch, tolerance):
            yield from _closed(page, gathered, column)
            gathered = []
        gathered.append(row)
    yield from _closed(page, gathered, column)


def _pitch(rows: Sequence[Row]) -> float:
    """Distance between neighbouring lines of running text, in letter sizes."""
    steps = [
        (row.rect.middle - before.rect.middle) / row.size
        for before, row in pairwise(rows)
        if row.size > 0 and abs(row.size - before.size) < 0.1 * row.size
    ]
    steps = [step for step in steps if 0.8 < step < 2.6]
    return median(steps) if steps else 1.3


def _starts_block(gathered: list[Row], row: Row, column: Rect, pitch: float, tolerance: float) -> bool:
    before, size = gathered[-1], row.size or 1.0
    step = (row.rect.middle - before.rect.middle) / size
    if row.mono and before.mono:
        return step > 2.5 * pitch
    if abs(row.size - before.size) > tolerance * max(row.size, before.size) and _are_comparable(row, before):
        return True
    if step > 1.3 * pitch + 0.1 or abs(row.boldness - before.boldness) > OTHER_BOLDNESS or row.mono != before.mono:
        return True
    if list_mark(row.text):
        return True
    return _indents(gathered, row, column)


def _are_comparable(row: Row, before: Row) -> bool:
    """Whether both lines are long enough for their sizes to mean something: a lone index or sign is not."""
    return min(len(row.text), len(before.text)) > 3


def _indents(gathered: list[Row], row: Row, column: Rect) -> bool:
    """Whether the left edge, or a short line before, shows that a paragraph starts."""
    before, size = gathered[-1], row.size or 1.0
    shift = (row.rect.left - before.rect.left) / size
    listed = bool(list_mark(gathered[0].text))
    if 0.8 < shift < 6 and not (len(gathered) == 1 and (listed or _hangs(gathered[0], column))):
        return True
    if shift < -0.8 and len(gathered) > 1 and abs(gathered[-2].rect.left - before.rect.left) < 0.5 * size:
        return True
    short = before.rect.right < column.right - 0.15 * column.width
    return short and before.text[-1:] in ENDS and abs(shift) < 0.8


def _hangs(row: Row, column: Rect) -> bool:
    """Whether a line is at the column's left edge and is full: what follows may hang below it."""
    return row.rect.left - column.left < 0.5 * row.size and row.rect.right > column.right - 0.15 * column.width


def _closed(page: Page, rows: list[Row], column: Rect) -> Iterator[BlockDraft]:
    if not rows:
        return
    first = rows[0].text
    code = all(row.mono for row in rows)
    lines = [_indented(row, column) for row in rows] if code else [row.text for row in rows]
    text = "\n".join(line for line in lines if line.strip())
    kind: BlockKind = "paragraph"
    level = 0
    if code and len(rows) > 1:
        kind = "code"
    elif list_mark(first):
        kind, level = "list", 1
    elif CAPTION.match(first) and len(text) <= (SHORT_CAPTION if is_solid(first[0]) else CAPTION_LENGTH):
        kind = "caption"
    yield BlockDraft(
        kind=kind,
        text=text,
        places=(page.place(union([row.rect for row in rows])),),
        size=median(row.size for row in rows),
        bold=fmean(row.boldness for row in rows) > WHOLLY,
        lines=len(rows),
        measured=page.measured,
        level=level,
    )


def _indented(row: Row, column: Rect) -> str:
    """A line of code with its indentation: typewriter letters are .6 of their size wide."""
    return " " * max(round((row.rect.left - column.left) / (0.6 * row.size or 1.0)), 0) + row.text


def with_level(draft: BlockDraft, level: int) -> BlockDraft:
    """The draft as a heading."""
    return replace(draft, kind="heading", level=level)
