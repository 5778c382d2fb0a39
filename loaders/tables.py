"""Rows of cells to the text of a table block: one row a line, cells joined by a bar, the header row first."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence

CELL_SEPARATOR = " | "

_SPACE = re.compile(r"\s+")


def cell_text(text: str) -> str:
    """A cell on one line: line breaks and runs of white space become one space."""
    return _SPACE.sub(" ", text).strip()


def table_text(rows: Iterable[Sequence[str]]) -> str:
    """The text of a table block; blank rows and blank columns are dropped, empty cells at the end of a row too.

    >>> table_text([["Name", "", "Days"], ["Ann\\nLee", "", "10"], ["", "", ""]])
    'Name | Days\\nAnn Lee | 10'
    """
    cleaned = [[cell_text(cell) for cell in row] for row in rows]
    cleaned = [row for row in cleaned if any(row)]
    used = sorted({column for row in cleaned for column, cell in enumerate(row) if cell})
    return "\n".join(_line([row[column] for column in used[: bisect_left(used, len(row))]]) for row in cleaned)


def _line(cells: list[str]) -> str:
    while cells and not cells[-1]:
        cells.pop()
    # A row that starts with an empty cell keeps its bar, so that columns can still be counted.
    return CELL_SEPARATOR.join(cells)
