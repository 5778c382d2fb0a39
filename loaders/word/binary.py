"""The binary Word format: text put together from its pieces, and the properties of its paragraphs.

Source: [MS-DOC] 2.4.1 (text), 2.4.2 and 2.4.6.1 (paragraphs and their properties), 2.5 (file information block).
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

WORD_97 = 0xC1
_ENCRYPTED, _SECOND_TABLE = 0x0100, 0x0200
_IN_TABLE, _ROW_END, _OUTLINE = 0x2416, 0x2417, 0x2640
_DELETED = 0x0800
_OPERAND_BYTES = {0: 1, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2, 7: 3}
_PAGE_BYTES = 512
PARTS = ("body", "footnotes", "headers", "macros", "comments", "endnotes", "boxes", "header boxes")
"""The texts of a document in the order in which they follow each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the file information block says."""

    version: int
    encrypted: bool
    table: str
    """Name of the stream that holds the tables."""
    first: int
    last: int
    """Where text starts and ends in files before Word 97."""
    lengths: tuple[int, ...]
    """Characters of each of `PARTS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph, cell or end of a row, with what its properties say."""

    text: str
    end: str
    """The character that ends it: a carriage return, or the mark of a cell."""
    level: int
    """Heading level; 0 for body text."""
    row_end: bool


def read_header(word: bytes) -> Header:
    """The file information block at the start of the stream `WordDocument`.

    Raises:
        struct.error: the stream is too short.
    """
    version, flags = struct.unpack_from("<H6xH", word, 2)[0], struct.unpack_from("<H", word, 10)[0]
    first, last = struct.unpack_from("<II", word, 24)
    lengths = struct.unpack_from("<8i", word, 0x4C) if version >= WORD_97 else (last - first,)
    table = "1Table" if flags & _SECOND_TABLE else "0Table"
    return Header(
        version=version, encrypted=bool(flags & _ENCRYPTED), table=table, first=first, last=last, lengths=lengths
    )


class PieceText:
    """The characters of a document, and where in the file each lies."""

    def __init__(self, word: bytes, tables: bytes) -> None:
        self._word = word
        self._tables = tables
        start, length = struct.unpack_from("<II", word, 0x01A2)
        self._pieces = list(_pieces(tables[start : start + length]))
        self._starts = [piece[0] for piece in self._pieces]
        self._paragraph_runs = _Runs(word, tables, 0x0102, 13)
        self._character_runs = _Runs(word, tables, 0x00FA, 1)

    def paragraphs(self, start: int, end: int) -> Iterator[Paragraph]:
        """The paragraphs between two character positions."""
        letters: list[str] = []
        for letter, offset in self._characters(start, end):
            if letter not in "\r\x07\x0c":
                if not self._is_deleted(offset):
                    letters.append(letter)
                continue
            yield self._paragraph("".join(letters), letter, offset)
            letters.clear()
        if letters:
            yield Paragraph(text="".join(letters), end="\r", level=0, row_end=False)

    def _paragraph(self, text: str, end: str, offset: int) -> Paragraph:
        properties = self._paragraph_runs.at(offset)
        # The first two bytes name the style; numbers 1 to 9 are the built-in headings.
        style = int.from_bytes(properties[:2], "little")
        modifiers = dict(_modifiers(properties[2:]))
        outline = modifiers.get(_OUTLINE, style - 1 if 1 <= style <= 9 else 9)
        return Paragraph(
            text=text, end=end, level=outline + 1 if outline < 9 else 0, row_end=bool(modifiers.get(_ROW_END))
        )

    def _is_deleted(self, offset: int) -> bool:
        properties = self._character_runs.at(offset)
        return bool(properties) and bool(dict(_modifiers(properties)).get(_DELETED))

    def _characters(self, start: int, end: int) -> Iterator[tuple[str, int]]:
        position = start
        while position < end:
            index = bisect_right(self._starts, position) - 1
            if index < 0:
                return
            first, last, offset, wide = self._pieces[index]
            if position >= last:
                return
            stop = min(last, end)
            begin = offset + (position - first) * wide
            content = self._word[begin : begin + (stop - position) * wide]
            text = content.decode("utf-16-le" if wide == 2 else "cp1252", "replace")
            if wide == 2 and len(text) != stop - position:  # characters beyond the first plane count as two
                text = "".join(chr(unit) for (unit,) in struct.iter_unpack("<H", content[: len(content) // 2 * 2]))
            for step, letter in enumerate(text):
                yield letter, begin + step * wide
            position = stop


class _Runs:
    """Properties of stretches of the file: of paragraphs (13 bytes an entry) or of characters (1 byte)."""

    def __init__(self, word: bytes, tables: bytes, pointer: int, entry_bytes: int) -> None:
        start, length = struct.unpack_from("<II", word, pointer)
        count = max((length - 4) // 8, 0)
        numbers = struct.unpack_from(f"<{2 * count + 1}I", tables, start) if count else ()
        self._offsets: list[int] = []
        self._ends: list[int] = []
        self._found: list[bytes] = []
        for number in numbers[count + 1 :]:
            self._read_page(word[number * _PAGE_BYTES : (number + 1) * _PAGE_BYTES], entry_bytes)

    def at(self, offset: int) -> bytes:
        index = bisect_right(self._offsets, offset) - 1
        return self._found[index] if index >= 0 and offset < self._ends[index] else b""

    def _read_page(self, page: bytes, entry_bytes: int) -> None:
        if len(page) < _PAGE_BYTES:
            return
        count = page[-1]
        offsets = struct.unpack_from(f"<{count + 1}I", page)
        for index in range(count):
            where = page[4 * (count + 1) + index * entry_bytes] * 2
            self._offsets.append(offsets[index])
            self._ends.append(offsets[index + 1])
            self._found.append(_properties(page, where, paragraphs=entry_bytes > 1) if where else b"")


def _properties(page: bytes, where: int, *, paragraphs: bool) -> bytes:
    size = page[where]
    if not paragraphs:
        return page[where + 1 : where + 1 + size]
    if size:
        return page[where + 1 : where + 2 * size]
    return page[where + 2 : where + 2 + 2 * page[where + 1]]


def _modifiers(content: bytes) -> Iterator[tuple[int, int]]:
    """Codes and values of single properties; values of variable length are passed over. Source: [MS-DOC] 2.2.5.1."""
    position = 0
    while position + 3 <= len(content):
        (code,) = struct.unpack_from("<H", content, position)
        position += 2
        size = _OPERAND_BYTES.get(code >> 13)
        if size is None:
            position += content[position] + (1 if code != 0xD608 else 2)
            continue
        yield code, int.from_bytes(content[position : position + size], "little")
        position += size


def _pieces(clx: bytes) -> Iterator[tuple[int, int, int, int]]:
    """First and last character, place in the file and bytes a character of each piece. Source: [MS-DOC] 2.9.38."""
    position = 0
    while position < len(clx) and clx[position] == 1:
        position += 3 + int.from_bytes(clx[position + 1 : position + 3], "little")
    (length,) = struct.unpack_from("<I", clx, position + 1)
    table = clx[position + 5 : position + 5 + length]
    count = (len(table) - 4) // 12
    starts = struct.unpack_from(f"<{count + 1}I", table)
    for index in range(count):
        (place,) = struct.unpack_from("<I", table, 4 * (count + 1) + 8 * index + 2)
        narrow = bool(place & 0x40000000)
        place &= 0x3FFFFFFF
        yield starts[index], starts[index + 1], place // 2 if narrow else place, 1 if narrow else 2
