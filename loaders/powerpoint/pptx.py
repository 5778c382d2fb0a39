"""PowerPoint decks (PPTX, PPTM, PPSX): slides with titles, text, tables, charts, diagrams and speaker notes."""

import zipfile
import zlib
from collections.abc import Iterable
from typing import Any, BinaryIO

from lxml import etree

from penstock.errors import BrokenSource
from penstock.loaders.containers.archive import open_archive
from penstock.loaders.detection.container_types import PPTX
from penstock.loaders.detection.kinds import kinds_of
from penstock.loaders.fingerprints import fingerprint
from penstock.loaders.powerpoint.slide_shapes import PlacedShape, is_margin, is_title, laid_out
from penstock.loaders.powerpoint.slide_text import chart, described, diagram, table, text_blocks
from penstock.loaders.titles import titled
from penstock.model import Extraction, ExtractionWriter, Place, Source

HIDDEN = "hidden"
"""Label of slides that are not shown; they are read like the others."""
_DAMAGE = (KeyError, ValueError, AttributeError, TypeError, IndexError, etree.LxmlError)
"""What python-pptx runs into where a part is not as the standard says; it does not check."""


class PptxLoader:
    """Reads decks. Places are slides, with the box of the shape that holds the text.

    Text inside pictures is not read; a slide that shows nothing but pictures is a problem of the document.
    """

    takes = kinds_of(PPTX)

    @property
    def fingerprint(self) -> str:
        """See `Loader`."""
        return fingerprint("pptx", 2, "python-pptx", "lxml")

    def load(self, source: Source, data: BinaryIO) -> Extraction:
        """See `Loader`.

        Raises:
            EncryptedSource: the deck is protected with a password.
            BrokenSource, LimitExceeded: the package cannot be read.
        """
        open_archive(source, data).close()
        data.seek(0)
        deck = _opened(source, data)
        writer = ExtractionWriter()
        # `deck.slides` would rename all parts first, and fail where one of them is missing.
        listed = deck._element.sldIdLst
        layouts: dict[str, Any] = {}
        for number, reference in enumerate(listed if listed is not None else (), start=1):
            layout = _write_slide(deck, reference, number, writer)
            if layout is not None:
                layouts.setdefault(layout.part.partname, layout)
        _write_masters(layouts.values(), writer)
        return titled(writer.finish(), deck.core_properties.title)


def _opened(source: Source, data: BinaryIO) -> Any:
    import pptx
    from pptx.exc import PythonPptxError

    try:
        return pptx.Presentation(data)
    except (PythonPptxError, zipfile.BadZipFile, zlib.error, EOFError, *_DAMAGE) as error:
        raise BrokenSource(f"{source.uri!r} is damaged: no readable deck ({type(error).__name__}: {error})") from error


def _write_slide(deck: Any, reference: Any, number: int, writer: ExtractionWriter) -> Any:
    """Adds one slide and gives its layout; one that is missing or malformed costs itself and not the deck."""
    from pptx.exc import PythonPptxError
    from pptx.oxml.ns import qn

    try:
        slide = deck.part.related_slide(reference.get(qn("r:id")))
        _Slide(slide, number, deck.slide_width or 1, deck.slide_height or 1, writer).write()
        layout = slide.slide_layout
    except (PythonPptxError, *_DAMAGE) as error:
        writer.problem(f"this slide is damaged or missing ({type(error).__name__}: {error})", page=number)
        return None
    return layout


class _Slide:
    """One slide on its way into a writer."""

    def __init__(self, slide: Any, number: int, width: int, height: int, writer: ExtractionWriter) -> None:
        self._slide = slide
        self._number = number
        self._size = (width, height)
        self._writer = writer
        self._label = HIDDEN if slide._element.get("show") in ("0", "false") else ""
        self._has_text = False
        self._pictures = 0

    def write(self) -> None:
        frames = laid_out(self._slide.shapes, *self._size)
        margins = [frame for frame in frames if is_margin(frame.shape)]
        for frame in sorted(frames, key=lambda frame: not is_title(frame.shape)):
            if frame not in margins:
                self._shape(frame)
        self._notes()
        for frame in margins:
            self._writer.add("furniture", frame.shape.text_frame.text, places=self._places(frame))
        if self._pictures and not self._has_text:
            self._writer.problem("only pictures are shown here; their text is not read", page=self._number)

    def _places(self, frame: PlacedShape | None = None) -> tuple[Place, ...]:
        return (Place(page=self._number, box=frame.box if frame else None, label=self._label),)

    def _shape(self, frame: PlacedShape) -> None:
        shape = frame.shape
        places = self._places(frame)
        if shape.has_text_frame:
            for kind, text, level in text_blocks(shape, heading=is_title(shape)):
                self._add(kind, text, places, level)
        elif getattr(shape, "has_table", False):
            self._add("table", table(shape.table), places)
        elif getattr(shape, "has_chart", False):
            self._add("table", chart(shape), places)
        else:
            self._add("list", diagram(shape), places, 1)
        if shape._element.tag.endswith("}pic"):
            self._pictures += 1
        self._writer.add("caption", described(shape), places=places)

    def _add(self, kind: Any, text: str, places: tuple[Place, ...], level: int = 0) -> None:
        self._has_text = self._has_text or bool(text.strip())
        self._writer.add(kind, text, places=places, level=level)

    def _notes(self) -> None:
        if not self._slide.has_notes_slide:
            return
        frame = self._slide.notes_slide.notes_text_frame
        text = frame.text.replace("\v", "\n") if frame is not None else ""
        self._add("note", text, self._places())


def _write_masters(layouts: Iterable[Any], writer: ExtractionWriter) -> None:
    """Writes the text of layouts and their masters, which every slide of theirs shows: furniture, each text once."""
    seen: set[str] = set()
    for sheet in (sheet for layout in layouts for sheet in (layout.slide_master, layout)):
        for frame in laid_out(sheet.shapes, 1, 1):
            shape = frame.shape
            text = shape.text_frame.text.strip() if shape.has_text_frame and not shape.is_placeholder else ""
            if text not in seen:
                writer.add("furniture", text.replace("\v", "\n"))
            seen.add(text)
