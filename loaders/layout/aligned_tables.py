"""Tables without ruling lines: consecutive rows whose cells are below each other."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from penstock.analysis.wide import text_width
from penstock.loaders.layout.pages import Rect, union
from penstock.loaders.layout.text_rows import Row, cells_of

ROWS = 3
"""Rows with several cells that make a table, at least."""
WORDY = 32
"""Rows whose second longest cell is usually longer than this are text beside text and no table."""
APART = 3.0
"""Rows further apart than this many letter sizes do not belong to one table."""

Cells = list[tuple[str, Rect]]


def table_runs(rows: Sequence[Row]) -> list[tuple[int, int]]:
    """The ranges of rows that are tables, in order, as half-open ranges."""
    runs: list[tuple[int, int]] = []
    start = 0
    while start < len(rows):
        end = _run_end(rows, start)
        if end is None:
            start += 1
        else:
            runs.append((start, end))
            start = end
    return runs


def table_lines(rows: Sequence[Row]) -> list[list[str]]:
    """The cells of each row, in columns where the rows agree on them; missing ones are empty."""
    cells = [cells_of(row) for row in rows]
    columns = _columns(cells)
    if columns is None:
        return [[text for text, _ in row] for row in cells]
    return [_in_columns(row, columns) for row in cells]


def _run_end(rows: Sequence[Row], start: int) -> int | None:
    """Where the table that starts at a row ends, or None when none starts there."""
    before = _several(rows[start])
    if before is None:
        return None
    end, full, gap = start + 1, 1, 0
    for at in range(start + 1, len(rows)):
        row = rows[at]
        if row.rect.top - rows[at - 1].rect.bottom > APART * row.size:
            break
        cells = _several(row)
        if cells is None:
            gap += 1
            if gap > 2 or any(piece.cells for piece in row.pieces):
                break
            continue
        if not _below(before, cells):
            break
        before, end, full, gap = cells, at + 1, full + 1, 0
    if full < ROWS or full < (end - start) / 2:
        return None
    return None if _is_prose(rows[start:end]) else end


def _is_prose(rows: Sequence[Row]) -> bool:
    """Whether the cells are lines of text that are side by side."""
    cells = [[text_width(text) for text, _ in row] for row in map(cells_of, rows) if len(row) > 1]
    return median(sorted(row)[-2] for row in cells) > WORDY


def _several(row: Row) -> Cells | None:
    cells = cells_of(row)
    return cells if len(cells) > 1 and not row.mono else None


def _below(above: Cells, below: Cells) -> bool:
    """Whether at least half of the cells of the shorter row are below or above one of the other row."""
    few, many = sorted((above, below), key=len)
    met = sum(any(_overlap(rect, partner) > 0 for _, partner in many) for _, rect in few)
    return met >= max(len(few) / 2, 2 if len(few) == 2 else 1)


def _overlap(first: Rect, second: Rect) -> float:
    return min(first.right, second.right) - max(first.left, second.left)


def _columns(rows: list[Cells]) -> list[Rect] | None:
    """The columns of the rows that have the usual number of cells; None when columns overlap."""
    counts = [len(row) for row in rows if len(row) > 1]
    usual = max(set(counts), key=lambda count: (counts.count(count), count))
    fitting = [row for row in rows if len(row) == usual]
    columns = [union([row[at][1] for row in fitting]) for at in range(usual)]
    if any(_overlap(left, right) > 0 for left, right in pairwise(columns)):
        return None
    return columns


def _in_columns(row: Cells, columns: list[Rect]) -> list[str]:
    line = [""] * len(columns)
    for text, rect in row:
        at = max(range(len(columns)), key=lambda at: (_overlap(rect, columns[at]), -at))
        line[at] = f"{line[at]} {text}".strip()
    return line
