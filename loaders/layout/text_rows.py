"""Rows: pieces beside each other on one line, and the cells that wide gaps separate."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from penstock.loaders.layout.pages import Piece, Rect, union

CELL_GAP = 1.1
"""A gap wider than this many letter sizes separates two cells."""
WORD_GAP = 0.12
"""A gap wider than this many letter sizes separates two words."""
OPENING, CLOSING = frozenset("$€£¥￥(（"), frozenset(")）%％")
"""Marks that may be set apart from the number that they belong to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Pieces on one line, from left to right."""

    pieces: tuple[Piece, ...]
    rect: Rect
    size: float
    boldness: float
    """Share of its letters that are bold."""
    mono: bool

    @property
    def text(self) -> str:
        """The pieces in one line."""
        return joined(self.pieces)


def rows_of(pieces: Sequence[Piece]) -> list[Row]:
    """The pieces as rows from top to bottom; a table is a row of its own."""
    grouped: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda piece: (piece.rect.middle, piece.rect.left)):
        if grouped and not piece.cells and any(_beside(piece, member) for member in grouped[-1]):
            grouped[-1].append(piece)
        else:
            grouped.append([piece])
    return [_row(group) for group in grouped]


def cells_of(row: Row) -> list[tuple[str, Rect]]:
    """The cells of a row: what wide gaps separate; a currency sign is one cell with its number."""
    groups: list[list[Piece]] = []
    for piece in row.pieces:
        if groups and not _parted(groups[-1][-1], piece, row.size):
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return [(joined(group), union([piece.rect for piece in group])) for group in groups]


def joined(pieces: Sequence[Piece]) -> str:
    """The pieces of a line as one text, with a space where a gap is."""
    text = ""
    before: Piece | None = None
    for piece in pieces:
        words = piece.text.strip()
        if before is not None and _gap(before, piece) > WORD_GAP * min(before.size, piece.size):
            text += " "
        text += words
        before = piece
    return text


def _gap(before: Piece, after: Piece) -> float:
    return after.rect.left - before.rect.right


def _parted(before: Piece, after: Piece, size: float) -> bool:
    if before.text.strip() and set(before.text.strip()) <= OPENING:
        return _gap(before, after) > 6 * CELL_GAP * size
    if after.text.strip() and set(after.text.strip()) <= CLOSING:
        return _gap(before, after) > 2 * CELL_GAP * size
    return _gap(before, after) > CELL_GAP * size


def _beside(piece: Piece, member: Piece) -> bool:
    if member.cells:
        return False
    shared = min(piece.rect.bottom, member.rect.bottom) - max(piece.rect.top, member.rect.top)
    across = min(piece.rect.right, member.rect.right) - max(piece.rect.left, member.rect.left)
    narrow = min(piece.rect.width, member.rect.width)
    return shared > 0.55 * min(piece.rect.height, member.rect.height) and across < 0.5 * max(narrow, 0.1)


def _row(group: list[Piece]) -> Row:
    ordered = tuple(sorted(group, key=lambda piece: piece.rect.left))
    letters = sum(len(piece.text) for piece in ordered) or 1
    size = _usual_size(ordered)
    return Row(
        pieces=ordered,
        rect=union([piece.rect for piece in ordered]),
        size=size,
        boldness=sum(len(piece.text) * piece.boldness for piece in ordered) / letters,
        mono=sum(len(piece.text) for piece in ordered if piece.mono) > 0.8 * letters,
    )


def _usual_size(pieces: Sequence[Piece]) -> float:
    longest = max(len(piece.text) for piece in pieces)
    return median(piece.size for piece in pieces if len(piece.text) >= longest / 2)
