"""PowerPoint files of the binary format (PPT, 97 to 2003): titles, texts and notes of the slides."""

import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from penstock.analysis.wide import one_line
from penstock.errors import BrokenSource, UnsupportedFormat
from penstock.loaders.containers.archive import OLE_MAGIC, encrypted
from penstock.loaders.containers.compound import open_compound, stored_title, stream
from penstock.loaders.detection.container_types import PPT
from penstock.loaders.detection.kinds import kinds_of
from penstock.loaders.fingerprints import fingerprint
from penstock.loaders.powerpoint import ppt_records as ppt
from penstock.loaders.powerpoint.ppt_records import PptRecord, PptText, SlideEntry
from penstock.loaders.titles import titled
from penstock.model import Extraction, ExtractionWriter, Place, Source

_TITLES = (0, 6)
_BODIES = (1, 5, 7, 8)
_NOTES, _MARGIN = 2, -1
_ROLES = {13: 0, 15: 0, 17: 0, 14: 1, 18: 1, 12: _NOTES, 7: _MARGIN, 8: _MARGIN, 9: _MARGIN, 10: _MARGIN}
"""What placeholders say of the texts in them. Source: [MS-PPT] 2.13.21 PlaceholderEnum."""
_LOCKED = 0xF3D1C4DF
_HIDDEN_BIT = 4


class PptLoader:
    """Reads PowerPoint files from before 2007. Places are slides, without boxes.

    Tables are read cell by cell; levels of bullets, charts and pictures are not read.
    """

    takes = kinds_of(PPT)

    @property
    def fingerprint(self) -> str:
        """See `Loader`."""
        return fingerprint("ppt", 2, "olefile")

    def load(self, source: Source, data: BinaryIO) -> Extraction:
        """See `Loader`.

        Raises:
            EncryptedSource: the deck is protected with a password.
            UnsupportedFormat: no binary PowerPoint file.
            BrokenSource: the file is damaged.
        """
        if data.read(len(OLE_MAGIC)) != OLE_MAGIC:
            raise UnsupportedFormat(f"{source.uri!r} is no binary PowerPoint file; open it and save it as .pptx")
        with open_compound(source, data) as container:
            current = stream(source, container, "Current User")
            content = stream(source, container, "PowerPoint Document")
            title = stored_title(container)
        try:
            token, newest = struct.unpack_from("<II", current, 12)
            if token == _LOCKED:
                raise encrypted(source)
            return titled(_Deck(content, newest).read(), title)
        except (struct.error, KeyError) as error:
            raise BrokenSource(
                f"{source.uri!r} is damaged: its slides cannot be found ({error}); "
                "if PowerPoint opens it, save it as .pptx and ingest that"
            ) from error


class _Deck:
    """One deck on its way into a writer."""

    def __init__(self, content: bytes, newest: int) -> None:
        self._content = content
        self._places, document = ppt.persist_directory(content, newest)
        self._document = self._object(document)
        self._lists = ppt.slide_lists(self._document)
        self._writer = ExtractionWriter()
        self._margins: dict[str, None] = {}

    def read(self) -> Extraction:
        notes = {entry.identity: entry for entry in self._lists.get(2, ())}
        for number, entry in enumerate(self._lists.get(0, ()), start=1):
            self._slide(entry, number, notes)
        self._collect_margins()
        for text in self._margins:
            self._writer.add("furniture", text)
        return self._writer.finish()

    def _object(self, number: int) -> PptRecord:
        return ppt.record_at(self._content, self._places[number])

    def _slide(self, entry: SlideEntry, number: int, notes: dict[int, SlideEntry]) -> None:
        if entry.persist not in self._places:
            self._writer.problem("the deck lists this slide but does not hold it", page=number)
            return
        slide = self._object(entry.persist)
        places = (Place(page=number, label="hidden" if _is_hidden(slide) else ""),)
        found = list(_texts_of(slide, entry))
        for text in sorted(found, key=lambda text: text.role not in _TITLES):
            self._add(text, places)
        self._keep_margins(slide)
        atom = next(slide.below(ppt.SLIDE_ATOM), None)
        identity = int.from_bytes(atom.content[16:20], "little") if atom else 0
        if identity in notes and notes[identity].persist in self._places:
            self._notes(notes[identity], places)

    def _notes(self, entry: SlideEntry, places: tuple[Place, ...]) -> None:
        for text in _texts_of(self._object(entry.persist), entry):
            if text.role == _NOTES:  # the page of notes shows the slide too
                self._writer.add("note", _lines(text.text), places=places)

    def _add(self, text: PptText, places: tuple[Place, ...]) -> None:
        shown = "" if text.text == "*" else _lines(text.text)  # a star is where a date or number is filled in
        if text.role == _MARGIN:
            self._margins[shown] = None
        elif text.role in _TITLES:
            self._writer.add("heading", one_line(shown), places=places, level=1)
        elif text.role in _BODIES and "\r" in text.text.strip():
            items = [" ".join(item.split()) for item in _paragraphs(text.text)]
            self._writer.add("list", "\n".join(f"- {item}" for item in items if item), places=places, level=1)
        else:
            self._writer.add("paragraph", shown, places=places)

    def _collect_margins(self) -> None:
        """Texts that masters put on every slide; their placeholders hold nothing but requests to click there."""
        self._keep_margins(self._document)
        for entry in self._lists.get(1, ()):
            if entry.persist not in self._places:
                continue
            for shape in self._object(entry.persist).below(ppt.SHAPE):
                if not any(True for _ in shape.below(ppt.PLACEHOLDER)):
                    for box in shape.below(ppt.TEXT_BOX):
                        self._margins.update((_lines(text.text), None) for text in ppt.texts(_opened(box)))

    def _keep_margins(self, holder: PptRecord) -> None:
        for margin in holder.below(ppt.HEADERS_FOOTERS):
            for record in margin.below(ppt.STRING):
                self._margins[_lines(ppt.text_of(record))] = None


def _texts_of(sheet: PptRecord, entry: SlideEntry) -> Iterator[PptText]:
    """The texts of a slide in the order of its shapes; placeholders refer to the outline in the list of slides."""
    for shape in sheet.below(ppt.SHAPE):
        atom = next(shape.below(ppt.PLACEHOLDER), None)
        placeholder = atom.content[4] if atom and len(atom.content) > 4 else 0
        for box in shape.below(ppt.TEXT_BOX):
            for text in _texts_in(_opened(box), entry):
                yield replace(text, role=_ROLES.get(placeholder, text.role))


def _texts_in(box: PptRecord, entry: SlideEntry) -> Iterator[PptText]:
    yield from ppt.texts(box)
    for reference in box.inside():
        if reference.kind == ppt.OUTLINE_REFERENCE:
            index = int.from_bytes(reference.content[:4], "little")
            yield from entry.texts[index : index + 1]


def _opened(box: PptRecord) -> PptRecord:
    # Text boxes hold records whether or not they are marked as containers.
    return PptRecord(kind=box.kind, instance=box.instance, content=box.content, container=True)


def _is_hidden(slide: PptRecord) -> bool:
    info = next(slide.below(ppt.SHOW_INFO), None)
    return info is not None and bool(int.from_bytes(info.content[10:12], "little") & _HIDDEN_BIT)


def _paragraphs(text: str) -> list[str]:
    return text.replace("\x0b", "\n").split("\r")


def _lines(text: str) -> str:
    return "\n".join(_paragraphs(text)).replace("\0", "").strip()
