"""Word files of the binary format (DOC, Word 6 to 2003): headings, paragraphs, tables, notes."""

import re
import struct
from collections.abc import Iterable
from typing import BinaryIO

from penstock.errors import BrokenSource, UnsupportedFormat
from penstock.loaders.containers.archive import OLE_MAGIC, encrypted
from penstock.loaders.containers.compound import open_compound, stored_title, stream
from penstock.loaders.detection.container_types import DOC
from penstock.loaders.detection.kinds import kinds_of
from penstock.loaders.fingerprints import fingerprint
from penstock.loaders.tables import table_text
from penstock.loaders.titles import titled
from penstock.loaders.word.binary import PARTS, WORD_97, Header, Paragraph, PieceText, read_header
from penstock.model import BlockKind, Extraction, ExtractionWriter, Source

_TABLES = ("0Table", "1Table")
_READINGS = re.compile(
    "\x13\\s{0,20}EQ [^\x13-\x15]{0,200}?\\\\up[^(\x13-\x15]{0,50}\\(([^()]{0,200})\\),"
    "([^()\x13-\x15]{0,200})\\)[^\x13-\x15]{0,200}\x15"
)
_FIELD_CODES = re.compile("\x13[^\x13\x14\x15]*(?:\x14|(?=\x15))")
MOST_NESTED = 32
"""Fields within fields whose codes are taken out."""
_SIGNS = str.maketrans({"\x0b": "\n", "\x1e": "\u2011", "\x1f": "\u00ad", "\x02": None, "\x05": None})
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\ue000-\uf8ff]")
_KINDS: dict[str, BlockKind] = {"footnotes": "note", "endnotes": "note", "headers": "furniture", "boxes": "paragraph"}


class DocLoader:
    """Reads Word files from before 2007. There are no places: pages come into being when the file is printed.

    Deleted text and comments are left out; numbers of lists are not counted, and pictures not read.
    """

    takes = kinds_of(DOC)

    @property
    def fingerprint(self) -> str:
        """See `Loader`."""
        return fingerprint("doc", 2, "olefile")

    def load(self, source: Source, data: BinaryIO) -> Extraction:
        """See `Loader`.

        Raises:
            EncryptedSource: the document is protected with a password.
            UnsupportedFormat: no Word file, or of a kind that came before Word 6.
            BrokenSource: the file is damaged.
        """
        if data.read(len(OLE_MAGIC)) != OLE_MAGIC:
            raise UnsupportedFormat(f"{source.uri!r} is no binary Word file; open it in Word and save it as .docx")
        with open_compound(source, data) as container:
            word = stream(source, container, "WordDocument")
            tables = {name: stream(source, container, name) for name in _TABLES if container.exists(name)}
            title = stored_title(container)
        try:
            return titled(_read(source, word, tables), title)
        except (struct.error, IndexError, KeyError) as error:
            raise BrokenSource(
                f"{source.uri!r} is damaged: its text cannot be put together ({error}); "
                "if Word opens it, save it as .docx and ingest that"
            ) from error


def _read(source: Source, word: bytes, tables: dict[str, bytes]) -> Extraction:
    header = read_header(word)
    if header.encrypted:
        raise encrypted(source)
    writer = ExtractionWriter()
    if header.version < WORD_97:
        _write_old(word[header.first : header.last], writer)
    else:
        _write_parts(PieceText(word, tables[header.table]), header, writer)
    return writer.finish()


def _write_old(content: bytes, writer: ExtractionWriter) -> None:
    """Word 6 and 95 kept the text in one piece, unless it was saved in haste."""
    paragraphs = re.split("[\r\x0c]", content.decode("cp1252", "replace"))
    _write_body((Paragraph(text=text, end="\r", level=0, row_end=False) for text in paragraphs), writer)


def _write_parts(text: PieceText, header: Header, writer: ExtractionWriter) -> None:
    start = 0
    for name, length in zip(PARTS, header.lengths, strict=True):
        end = start + max(length, 0)
        if name == "body":
            _write_body(text.paragraphs(start, end), writer)
        elif name in _KINDS:
            _write_flat(name, text.paragraphs(start, end), writer)
        start = end


def _write_body(paragraphs: Iterable[Paragraph], writer: ExtractionWriter) -> None:
    rows: list[list[str]] = []
    cells: list[str] = []
    lines: list[str] = []  # of a cell, which may hold several paragraphs
    for paragraph in paragraphs:
        text = _clean(paragraph.text)
        if paragraph.end == "\x07":
            if paragraph.row_end:
                rows.append(cells.copy())
                cells.clear()
            else:
                cells.append("\n".join([*lines, text]))
            lines.clear()
        elif cells or (rows and not text):
            lines.append(text)
        else:
            writer.add("table", table_text(rows))
            rows.clear()
            writer.add("heading" if paragraph.level else "paragraph", text, level=paragraph.level)
    if cells:
        rows.append(cells)
    writer.add("table", table_text(rows))


def _write_flat(name: str, paragraphs: Iterable[Paragraph], writer: ExtractionWriter) -> None:
    seen: set[str] = set()
    for paragraph in paragraphs:
        text = _clean(paragraph.text)
        if text not in seen or name != "headers":
            writer.add(_KINDS[name], text)
        seen.add(text)


def _clean(text: str) -> str:
    """What a reader sees: results of fields without their codes, no marks of pictures and notes."""
    text = _READINGS.sub(r"\2 (\1)", text)  # phonetic guides are written as formulas
    for _ in range(MOST_NESTED):
        shorter = _FIELD_CODES.sub("", text)
        if shorter == text:
            break
        text = shorter
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _CONTROLS.sub("", text.translate(_SIGNS)).strip()
