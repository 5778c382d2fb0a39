"""A page of MuPDF as neutral pieces: text, ruled tables, and what else is on it."""

from importlib import import_module
from typing import Any

from penstock.loaders.pages import Page, Piece, Rect, turned
from penstock.loaders.scans import Sight

BOLD, MONO = 16, 8
"""Bits of a span's flags."""
MOST_EDGES = 2000
"""A page with more lines is a drawing: looking for tables in it would take seconds and find none."""
THIN = 3.0
"""Points; a rectangle that is thinner is a ruling line."""
FILLED = 0.35
"""A grid of which a smaller share of the cells holds text is a chart or a form's frame."""
ONE_CELL = 0.75
"""A grid with more than this share of its text in one cell is a frame around text."""


def library() -> Any:
    """PyMuPDF with its messages to the terminal switched off; it has no types that a checker could use."""
    pymupdf: Any = import_module("pymupdf")
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    pymupdf.no_recommend_layout()
    return pymupdf


def page_of(page: Any, number: int) -> Page:
    """The text of a page, turned so that most of it runs from left to right, with its ruled tables as single pieces."""
    pymupdf = library()
    flags = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP | pymupdf.TEXT_CID_FOR_UNKNOWN_UNICODE
    found = page.get_text("dict", flags=flags)
    lines = [line for block in found["blocks"] for line in block.get("lines", ())]
    matrix = page.rotation_matrix
    by_turn: dict[int, list[Piece]] = {}
    for line in lines:
        piece = _piece(line, pymupdf.Rect(line["bbox"]) * matrix)
        if piece is not None:
            by_turn.setdefault(_turn(line["dir"], matrix), []).append(piece)
    turns = max(by_turn, key=lambda turn: sum(len(piece.text) for piece in by_turn[turn]), default=0)
    upright = by_turn.pop(turns, [])
    if turns == 0:
        upright = _with_tables(page, upright)
    width, height = float(page.rect.width), float(page.rect.height)
    return Page(
        number=number,
        width=width if turns % 2 == 0 else height,
        height=height if turns % 2 == 0 else width,
        pieces=tuple(_turned_piece(piece, turns, width, height) for piece in upright),
        aside=tuple(_turned_piece(piece, turns, width, height) for rest in by_turn.values() for piece in rest),
        label=page.get_label(),
        turns=turns,
    )


def sight_of(page: Any) -> Sight:
    """What there is to see on a page besides its text."""
    area = abs(page.rect.width * page.rect.height) or 1.0
    covered, shapes = 0.0, 0
    for kind, box in page.get_bboxlog():
        if "image" in kind:
            across = min(box[2], page.rect.width) - max(box[0], 0.0)
            down = min(box[3], page.rect.height) - max(box[1], 0.0)
            covered += max(across, 0.0) * max(down, 0.0) / area
        elif "path" in kind or "shade" in kind:
            shapes += 1
    return Sight(covered=min(covered, 1.0), shapes=shapes)


def _piece(line: dict[str, Any], rect: Any) -> Piece | None:
    spans = [span for span in line["spans"] if span["text"].strip()]
    if not spans:
        return None
    count = sum(len(span["text"]) for span in spans)
    largest = max(spans, key=lambda span: len(span["text"].strip()))
    return Piece(
        text="".join(span["text"] for span in line["spans"]).strip(),
        rect=Rect(rect.x0, rect.y0, rect.x1, rect.y1),
        size=float(largest["size"]) or 1.0,
        bold=sum(len(span["text"]) for span in spans if _is_bold(span)) > 0.7 * count,
        mono=sum(len(span["text"]) for span in spans if span["flags"] & MONO) > 0.7 * count,
    )


def _is_bold(span: dict[str, Any]) -> bool:
    name = span["font"].lower()
    return bool(span["flags"] & BOLD) or any(word in name for word in ("bold", "black", "heavy", "semibold", "-medi"))


def _turn(direction: tuple[float, float], matrix: Any) -> int:
    """Quarter turns clockwise that bring text of this direction upright."""
    across = direction[0] * matrix.a + direction[1] * matrix.c
    down = direction[0] * matrix.b + direction[1] * matrix.d
    if abs(across) >= abs(down):
        return 0 if across >= 0 else 2
    return 1 if down < 0 else 3


def _turned_piece(piece: Piece, turns: int, width: float, height: float) -> Piece:
    rect = piece.rect
    for _ in range(turns):
        rect = turned(rect, height)
        width, height = height, width
    return Piece(text=piece.text, rect=rect, size=piece.size, bold=piece.bold, mono=piece.mono, cells=piece.cells)


def _with_tables(page: Any, pieces: list[Piece]) -> list[Piece]:
    """The pieces, those inside a ruled table replaced by it."""
    for table in _tables(page):
        inside = [piece for piece in pieces if table.rect.holds(piece.rect)]
        held = sum(len("".join(piece.text.split())) for piece in inside)
        read = sum(len("".join(cell.split())) for row in table.cells for cell in row)
        if inside and read >= 0.9 * held:
            kept = {id(piece) for piece in inside}
            pieces = [*(piece for piece in pieces if id(piece) not in kept), table]
    return pieces


def _tables(page: Any) -> list[Piece]:
    paths = page.get_drawings()
    if not _may_hold_table(paths):
        return []
    finder = page.find_tables(use_layout=False, paths=paths)
    found = [] if finder is None else finder.tables
    pieces = (
        _table(table.extract(), Rect(*table.bbox)) for table in found if table.row_count > 1 and table.col_count > 1
    )
    return [piece for piece in pieces if piece is not None]


def _may_hold_table(paths: list[dict[str, Any]]) -> bool:
    """Whether there are lines both across and down, and not so many that the page is a drawing."""
    across = down = edges = 0
    for path in paths:
        for item in path["items"]:
            edges += 1
            if item[0] == "l":
                across += abs(item[1].y - item[2].y) < THIN < abs(item[1].x - item[2].x)
                down += abs(item[1].x - item[2].x) < THIN < abs(item[1].y - item[2].y)
            elif item[0] == "re":
                across += item[1].width > THIN
                down += item[1].height > THIN
            else:
                edges += 1
        if edges > MOST_EDGES:
            return False
    return across >= 2 and down >= 2


def _table(rows: list[list[str | None]], rect: Rect) -> Piece | None:
    """A found grid as a piece, or None where it is no table."""
    cells = [[" ".join((cell or "").split()) for cell in row] for row in rows]
    cells = [row for row in cells if any(row)]
    if not cells:
        return None
    kept = [at for at in range(len(cells[0])) if any(row[at] for row in cells)]
    cells = [[row[at] for at in kept] for row in cells]
    texts = [cell for row in cells for cell in row]
    longest, total = max(map(len, texts)), sum(map(len, texts))
    if len(cells) < 2 or len(kept) < 2 or sum(map(bool, texts)) < FILLED * len(texts):
        return None
    if longest > 200 and longest > ONE_CELL * total:
        return None
    return Piece(text="", rect=rect, size=10.0, cells=tuple(tuple(row) for row in cells))
