"""Pages without readable text: whether a page is one, and what OCR makes of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from penstock.errors import EngineError
from penstock.loaders.layout.pages import Page, Piece, Rect
from penstock.loaders.ocr.ocr import OcrMode, Pixels, recognise

FEW = 40
"""A page with fewer letters, most of it covered by pictures, is a scan with a stamp on it."""
COVERED = 0.5
GARBAGE = 0.3
"""Text is unreadable where more than this share of its characters represent nothing."""
LONGEST_DRAWN = 4000
"""Pixels of the longer side of a page drawn for OCR, at most, whatever its size on paper."""
FAINT = 8
"""A drawn page whose pixels differ by less is blank."""
SWITCH = "PENSTOCK_LOADERS__OCR=auto reads it"
NOTHING = "the page shows a picture in which no text could be recognised"
UNSURE = "much of the page could not be read with certainty"
DRAWN = 20
"""This many lines and shapes on a page without text may be letters drawn as shapes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What there is to see on a page besides its text layer."""

    covered: float
    """Share of the page that pictures cover."""
    shapes: int
    """Lines and filled shapes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReading:
    """A page as it should be taken, and what must be said about it."""

    page: Page
    problem: str = ""


def read_page(
    page: Page, look: Callable[[], Sight], draw: Callable[[float], Pixels], *, ocr: OcrMode, dpi: int
) -> PageReading:
    """The page as it is, or as OCR reads it where it has no text of its own (or always, if so asked).

    `look` and `draw` are called only where they are needed; `draw` gets the scale in pixels a point, and gives uint8 of
    shape (height, width, 3).
    """
    if ocr == "always":
        return _recognised(page, draw, dpi, instead=True)
    count, garbage = letters(page)
    if garbage > GARBAGE:
        page, why = replace(page, pieces=(), aside=()), "its text cannot be decoded"
    elif count >= FEW or not _is_scan(look(), count):
        return PageReading(page=page)
    else:
        why = "the page is a scan"
    if ocr == "auto":
        return _recognised(page, draw, dpi, instead=False)
    return PageReading(page=page, problem="" if page.pieces else f"{why}, and OCR is off ({SWITCH})")


def _is_scan(sight: Sight, count: int) -> bool:
    if count:
        return sight.covered >= COVERED
    return sight.covered > 0 or sight.shapes >= DRAWN


def letters(page: Page) -> tuple[int, float]:
    """How many characters the text layer has, white space apart, and the share of them that represent nothing."""
    text = "".join(
        piece.text + "".join(cell for row in piece.cells for cell in row) for piece in (*page.pieces, *page.aside)
    )
    text = "".join(text.split())
    undecoded = text.count("(cid:") * 6 + sum(map(_is_garbage, text))
    return len(text), min(undecoded / len(text), 1.0) if text else 0.0


def _is_garbage(character: str) -> bool:
    code = ord(character)
    return code == 0xFFFD or 0xE000 <= code <= 0xF8FF or code >= 0xF0000 or code < 32 or 127 <= code < 160


def _recognised(page: Page, draw: Callable[[float], Pixels], dpi: int, *, instead: bool) -> PageReading:
    """The page as OCR reads it; the page as it was where OCR reads less, unless OCR replaces it (`instead`)."""
    scale = min(dpi / 72, LONGEST_DRAWN / max(page.width, page.height, 1.0))
    try:
        pixels = draw(scale)
        if int(pixels.max()) - int(pixels.min()) < FAINT:
            return PageReading(page=page)
        found = recognise(pixels)
    except EngineError as error:
        return PageReading(page=page, problem=f"the page must be read by OCR, and {error}")
    before, _ = letters(page)
    read = sum(len("".join(piece.text.split())) for piece in found.pieces)
    if read <= (0 if instead else before):
        return PageReading(page=page, problem="" if before else NOTHING)
    height, width = pixels.shape[:2]
    taken = replace(
        page,
        width=width / scale,
        height=height / scale,
        pieces=tuple(_scaled(piece, scale) for piece in found.pieces),
        aside=(),
        turns=0,
        measured=False,
    )
    return PageReading(page=taken, problem=UNSURE if found.much_unsure else "")


def _scaled(piece: Piece, scale: float) -> Piece:
    rect = Rect(*(value / scale for value in piece.rect))
    return replace(piece, rect=rect, size=piece.size / scale)
