"""A page of PDFium as neutral pieces: its characters joined to runs on a line, and what else is on the page."""

import ctypes
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from penstock.loaders.layout.pages import Page, Piece, Rect, turned, union
from penstock.loaders.layout.text_rows import CELL_GAP, WORD_GAP
from penstock.loaders.ocr.scans import Sight
from penstock.loaders.pdf.fonts import names_bold, names_mono

BOLD_WEIGHT = 600
"""Weight of a font from which it is bold."""
HYPHENS = frozenset("\x02\ufffe")
"""What PDFium gives for a hyphen at the end of a line."""
MAX_OBJECTS = 5000
"""Objects of a page that are looked at to find out whether it shows a picture."""
DEEP = 3
"""Forms within forms that are looked into for pictures."""


@dataclass(slots=True)
class _Run:
    """Characters on one line without a wide gap, in the frame in which they are upright; grows as they are read."""

    turns: int
    size: float
    text: str = ""
    rects: list[Rect] = field(default_factory=list)
    bold: int = 0
    mono: int = 0

    def takes(self, rect: Rect, turns: int) -> bool:
        """Whether a character follows the run's last one directly."""
        last = self.rects[-1]
        gap = rect.left - last.right
        shift = abs(rect.middle - last.middle)
        return turns == self.turns and -self.size < gap < CELL_GAP * self.size and shift < 0.6 * self.size

    def is_on(self, width: float, height: float) -> bool:
        """Whether the middle of the run lies on the page, which is of this size before the run is turned."""
        rect = union(self.rects)
        sides = (height, width) if self.turns % 2 else (width, height)
        return 0 <= (rect.left + rect.right) / 2 <= sides[0] and 0 <= rect.middle <= sides[1]


def page_of(page: Any, number: int, label: str) -> Page:
    """The text of a page, turned so that most of it runs from left to right."""
    width, height = page.get_size()
    runs = [run for run in _runs(page) if run.text.strip() and run.is_on(width, height)]
    lengths = [0, 0, 0, 0]
    for run in runs:
        lengths[run.turns] += len(run.text)
    turns = lengths.index(max(lengths))
    width, height = (height, width) if turns % 2 else (width, height)
    return Page(
        number=number,
        width=width,
        height=height,
        pieces=tuple(_piece(run, turns, width, height) for run in runs if run.turns == turns),
        aside=tuple(_piece(run, turns, width, height) for run in runs if run.turns != turns),
        label=label,
        turns=turns,
    )


def sight_of(page: Any) -> Sight:
    """What there is to see on a page besides its text."""
    from pypdfium2 import raw

    width, height = page.get_size()
    area = width * height or 1.0
    covered, shapes = 0.0, 0
    for seen, item in enumerate(page.get_objects(max_depth=DEEP)):
        if seen == MAX_OBJECTS:
            break
        if item.type == raw.FPDF_PAGEOBJ_IMAGE:
            left, bottom, right, top = item.get_bounds()
            covered += 1.0 if item.level else min(abs((right - left) * (top - bottom)) / area, 1.0)
        elif item.type in (raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_SHADING):
            shapes += 1
    return Sight(covered=min(covered, 1.0), shapes=shapes)


def _runs(page: Any) -> Iterator[_Run]:
    from pypdfium2 import raw

    text_page = page.get_textpage()
    try:
        frame = _PageFrame.of(page)
        run: _Run | None = None
        box, font = raw.FS_RECTF(), _Font(text_page)
        for at in range(text_page.count_chars()):
            character = chr(raw.FPDFText_GetUnicode(text_page, at))
            if character in "\r\n":
                if run is not None:
                    yield run
                run = None
                continue
            if raw.FPDFText_IsGenerated(text_page, at) == 1:
                if run is not None and character == " ":
                    run.text += " "
                continue
            raw.FPDFText_GetLooseCharBox(text_page, at, box)
            turns = font.turns(at, fresh=run is None) + frame.turns
            rect = frame.rect(box, -turns % 4)
            if run is not None and not run.takes(rect, -turns % 4):
                yield run
                run = None
            if run is None:
                run = _Run(turns=-turns % 4, size=font.size(at))
            _take(run, "-" if character in HYPHENS else character, rect, font.look(at, character))
        if run is not None:
            yield run
    finally:
        text_page.close()


def _take(run: _Run, character: str, rect: Rect, look: tuple[bool, bool]) -> None:
    if run.rects and run.text[-1:] != " " and rect.left - run.rects[-1].right > 2 * WORD_GAP * run.size:
        run.text += " "
    run.text += character
    run.rects.append(rect)
    run.bold += look[0]
    run.mono += look[1]


def _piece(run: _Run, turns: int, width: float, height: float) -> Piece:
    """A run in the frame of its page, which is of this width and height."""
    rect = union(run.rects)
    steps = (turns - run.turns) % 4
    sides = (width, height) if (turns - run.turns) % 2 == 0 else (height, width)
    for _ in range(steps):
        rect = turned(rect, sides[1])
        sides = sides[1], sides[0]
    return Piece(
        text=_whole(run.text).strip(),
        rect=rect,
        size=run.size,
        boldness=run.bold / len(run.rects),
        mono=run.mono > 0.7 * len(run.rects),
    )


def _whole(text: str) -> str:
    """The text with surrogate pairs joined; PDFium gives UTF-16 code units."""
    if not any("\ud800" <= character <= "\udfff" for character in text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class _PageFrame:
    """How PDF's own coordinates become those of the page as it is shown."""

    left: float
    top: float
    width: float
    height: float
    turns: int

    @classmethod
    def of(cls, page: Any) -> "_PageFrame":
        left, bottom, right, top = page.get_bbox()
        turns = page.get_rotation() // 90
        return cls(left=left, top=top, width=right - left, height=top - bottom, turns=turns)

    def rect(self, box: Any, upright: int) -> Rect:
        """A character's box, origin top left, on the page after its own turns and those that bring text upright."""
        rect = Rect(box.left - self.left, self.top - box.top, box.right - self.left, self.top - box.bottom)
        sides = self.width, self.height
        for _ in range((self.turns + upright) % 4):
            rect = turned(rect, sides[1])
            sides = sides[1], sides[0]
        return rect


class _Font:
    """What the letters look like, asked for at the beginnings of words only."""

    def __init__(self, text_page: Any) -> None:
        from pypdfium2 import raw

        self._raw, self._page = raw, text_page
        self._look = (False, False)
        self._turns = 0
        self._fresh = True
        self._matrix = raw.FS_MATRIX()

    def turns(self, at: int, *, fresh: bool) -> int:
        """Quarter turns clockwise by which a character is rotated."""
        if fresh or self._fresh:
            angle = self._raw.FPDFText_GetCharAngle(self._page, at)
            self._turns = round(angle / (math.pi / 2)) % 4 if angle >= 0 else 0
        return self._turns

    def size(self, at: int) -> float:
        """Size of a letter as it is shown: the font's size times the scale of the text matrix."""
        size = float(self._raw.FPDFText_GetFontSize(self._page, at))
        if self._raw.FPDFText_GetMatrix(self._page, at, self._matrix):
            size *= math.hypot(self._matrix.c, self._matrix.d)
        return abs(size) or 1.0

    def look(self, at: int, character: str) -> tuple[bool, bool]:
        """Whether the letters are bold, and whether they are of a typewriter font."""
        if self._fresh:
            flags = ctypes.c_int()
            name = ctypes.create_string_buffer(128)
            self._raw.FPDFText_GetFontInfo(self._page, at, name, len(name), flags)
            weight = self._raw.FPDFText_GetFontWeight(self._page, at)
            shown = name.value.decode("utf-8", "replace")
            self._look = weight >= BOLD_WEIGHT or names_bold(shown), names_mono(shown)
        self._fresh = character == " "
        return self._look
