"""A page of MuPDF as neutral pieces: text, ruled tables, and what else is on it."""

from typing import Any

from penstock.analysis.wide import one_line
from penstock.loaders.layout.pages import Page, Piece, Rect, turned
from penstock.loaders.ocr.scans import Sight
from penstock.loaders.pdf.fonts import names_bold, names_mono

BOLD = 16
"""Bit of a span's flags."""
TYPED = 0.6
"""Width of a typewriter letter, in letter sizes: lines of programs start with blanks that are part of their box."""
MOST_PATHS = 1500
"""A page with more lines and shapes is a drawing: looking for tables in it would take seconds and find none."""
THIN = 3.0
"""Points; a rectangle that is thinner is a ruling line."""
FILLED = 0.5
"""A grid of which a smaller share of the cells holds text is a chart, a form's frame or a table's head alone; one of
two rows must be full. What is refused here may still be a table by how its text is aligned."""
ONE_CELL = 0.75
"""A grid with more than this share of its text in one cell is a frame around text."""


def library() -> Any:
    """PyMuPDF with its messages to the terminal switched off."""
    import pymupdf

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
    size = float(largest["size"]) or 1.0
    text = "".join(span["text"] for span in line["spans"])
    mono = sum(len(span["text"]) for span in spans if names_mono(span["font"])) > 0.7 * count
    indent = TYPED * size * (len(text) - len(text.lstrip())) if mono else 0.0
    return Piece(
        text=" ".join(text.split()),
        rect=Rect(min(rect.x0 + indent, rect.x1), rect.y0, rect.x1, rect.y1),
        size=size,
        boldness=sum(len(span["text"]) for span in spans if span["flags"] & BOLD or names_bold(span["font"])) / count,
        mono=mono,
    )


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
    return Piece(
        text=piece.text, rect=rect, size=piece.size, boldness=piece.boldness, mono=piece.mono, cells=piece.cells
    )


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
    if not 0 < sum("path" in kind for kind, _ in page.get_bboxlog()) <= MOST_PATHS:
        return []
    paths = page.get_drawings()
    if not _may_hold_table(paths):
        return []
    finder = page.find_tables(use_layout=False, paths=paths)
    grids = [] if finder is None else finder.tables
    found = (_table(grid.extract(), Rect(*grid.bbox)) for grid in grids if grid.row_count > 1 and grid.col_count > 1)
    return [piece for piece in found if piece is not None]


def _may_hold_table(paths: list[dict[str, Any]]) -> bool:
    """Whether lines and sides of rectangles are at three places across and at three down, as two by two cells need.

    Shaded rows alone have two places across: such a table is found by how its text is aligned, and faster.
    """
    across: set[int] = set()
    down: set[int] = set()
    for path in paths:
        for item in path["items"]:
            if item[0] == "l":
                start, end = item[1], item[2]
                if abs(start.x - end.x) < THIN < abs(start.y - end.y):
                    across.add(round(start.x / THIN))
                elif abs(start.y - end.y) < THIN < abs(start.x - end.x):
                    down.add(round(start.y / THIN))
            elif item[0] == "re":
                side = item[1]
                if side.height > THIN:
                    across |= {round(side.x0 / THIN), round(side.x1 / THIN)}
                if side.width > THIN:
                    down |= {round(side.y0 / THIN), round(side.y1 / THIN)}
    return len(across) > 2 and len(down) > 2


def _table(rows: list[list[str | None]], rect: Rect) -> Piece | None:
    """A found grid as a piece, or None where it is no table."""
    cells = [[one_line(cell or "") for cell in row] for row in rows]
    cells = [row for row in cells if any(row)]
    if not cells:
        return None
    kept = [at for at in range(len(cells[0])) if any(row[at] for row in cells)]
    cells = [[row[at] for at in kept] for row in cells]
    texts = [cell for row in cells for cell in row]
    longest, total = max(map(len, texts)), sum(map(len, texts))
    filled = sum(map(bool, texts)) / len(texts)
    if len(cells) < 2 or len(kept) < 2 or filled < (1.0 if len(cells) == 2 else FILLED):
        return None
    if longest > 200 and longest > ONE_CELL * total:
        return None
    return Piece(text="", rect=rect, size=10.0, cells=tuple(tuple(row) for row in cells))
