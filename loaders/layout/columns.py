"""Reading order: which parts of a page are read one after the other, columns included.

A gutter is a vertical strip that few pieces cross, with running text on both sides. What crosses it (a title, a wide
figure's caption) cuts the page into bands; in each band the left side is read before the right one. Side-by-side
numbers of a table have no running text, so a table is not read column by column.
"""

from collections.abc import Iterator, Sequence
from statistics import median

from penstock.analysis.wide import text_width
from penstock.loaders.layout.pages import Piece, union
from penstock.loaders.layout.text_rows import rows_of

BINS = 200
"""How finely a page's width is searched for a gutter."""
MARGIN = 0.15
"""A gutter lies in the middle part of the page: not closer than this share of the width to either side."""
CROSSED = 0.6
"""A strip that more than this share of the pieces cross is no gutter."""
SPLIT = 0.25
"""The share of the pieces that must be in columns for a gutter to count."""
FULL = 0.5
"""Running text fills its column: the typical line is at least this share of the column's width."""
LINE_WIDTH = 14
"""Running text has lines of at least this many characters (a Chinese one counts twice)."""
DEPTH = 6


def reading_order(pieces: Sequence[Piece], depth: int = DEPTH) -> list[list[Piece]]:
    """The pieces as parts that are read one after the other; each part is one column wide."""
    if depth == 0 or len(pieces) < 6:
        return [list(pieces)] if pieces else []
    for gutter in _gutters(pieces):
        bands = list(_bands(pieces, gutter))
        split = [_in_columns(left, right, gutter) for _, left, right in bands]
        inside = sum(len(left) + len(right) for (_, left, right), ok in zip(bands, split, strict=True) if ok)
        if inside >= SPLIT * len(pieces):
            return _ordered(bands, split, depth)
    return [list(pieces)]


_Band = tuple[list[Piece], list[Piece], list[Piece]]
"""Pieces that cross the gutter, and below them those left and right of it."""


def _ordered(bands: list[_Band], split: list[bool], depth: int) -> list[list[Piece]]:
    parts: list[list[Piece]] = []
    whole: list[Piece] = []
    for (crossing, left, right), columns in zip(bands, split, strict=True):
        whole += crossing
        if not columns:
            whole += left + right
            continue
        parts += reading_order(whole, depth - 1)
        whole = []
        parts += reading_order(left, depth - 1) + reading_order(right, depth - 1)
    return parts + reading_order(whole, depth - 1)


def _gutters(pieces: Sequence[Piece]) -> Iterator[float]:
    """Strips that few pieces cross, best first."""
    around = union([piece.rect for piece in pieces])
    step = around.width / BINS
    if step <= 0:
        return
    covered = [0] * BINS
    for piece in pieces:
        first, last = int((piece.rect.left - around.left) / step), int((piece.rect.right - around.left) / step)
        for bin_ in range(max(first, 0), min(last + 1, BINS)):
            covered[bin_] += 1
    found: list[tuple[int, int, float]] = []
    start = int(BINS * MARGIN)
    while start < BINS * (1 - MARGIN):
        end = start
        while end < BINS * (1 - MARGIN) and covered[end] == covered[start]:
            end += 1
        if covered[start] <= CROSSED * len(pieces) and _is_dip(covered, start, end):
            found.append((covered[start], start - end, around.left + (start + end) / 2 * step))
        start = end
    yield from (gutter for _, _, gutter in sorted(found)[:8])


def _is_dip(covered: list[int], start: int, end: int) -> bool:
    return covered[start - 1] > covered[start] and (end >= BINS or covered[end] > covered[start])


def _bands(pieces: Sequence[Piece], gutter: float) -> Iterator[_Band]:
    crossing: list[Piece] = []
    left: list[Piece] = []
    right: list[Piece] = []
    for piece in sorted(pieces, key=lambda piece: (piece.rect.middle, piece.rect.left)):
        if piece.rect.left < gutter < piece.rect.right:
            if left or right:
                yield crossing, left, right
                crossing, left, right = [], [], []
            crossing.append(piece)
        elif piece.rect.right <= gutter:
            left.append(piece)
        else:
            right.append(piece)
    yield crossing, left, right


def _in_columns(left: list[Piece], right: list[Piece], gutter: float) -> bool:
    if not left or not right:
        return False
    left_rect, right_rect = union([piece.rect for piece in left]), union([piece.rect for piece in right])
    overlap = min(left_rect.bottom, right_rect.bottom) - max(left_rect.top, right_rect.top)
    if overlap < 0.4 * min(left_rect.height, right_rect.height):
        return False
    apart = right_rect.left - left_rect.right
    if apart < 0.5 * median(piece.size for piece in left + right):
        return False
    return _runs(left, gutter - left_rect.left) and _runs(right, right_rect.right - gutter)


def _runs(side: list[Piece], width: float) -> bool:
    """Whether one side of a gutter is running text: lines that fill the width and hold more than a word or two."""
    if any(piece.cells for piece in side):
        side = [piece for piece in side if not piece.cells]
    rows = rows_of(side)
    if len(rows) < 3:
        return False
    filled = median(row.rect.width for row in rows) / max(width, 1.0)
    held = median(sum(text_width(piece.text) for piece in row.pieces) for row in rows)
    pieces = median(len(row.pieces) for row in rows)
    return filled >= FULL and held >= LINE_WIDTH and pieces <= 3
