"""The records of the binary PowerPoint format, and the slides in the order in which they are shown.

Source: [MS-PPT] 2.3.1 (record header), 2.3.4 and 2.3.5 (edits and the persist directory), 2.4.14.3 (slide list).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

DOCUMENT, SLIDE, NOTES, MASTER = 1000, 1006, 1008, 1016
SLIDE_ATOM, SHOW_INFO = 1007, 1017
OUTLINE_REFERENCE, TEXT_HEADER, TEXT_CHARS, TEXT_BYTES = 3998, 3999, 4000, 4008
PLACEHOLDER, STRING, HEADERS_FOOTERS = 3011, 4026, 4057
SHAPE, TEXT_BOX = 0xF004, 0xF00D
_EDIT, _DIRECTORY, _SLIDE_LIST, _SLIDE_ENTRY = 4085, 6002, 4080, 1011
MAX_EDITS = 10_000
MAX_DEPTH = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class PptRecord:
    """One record: `instance` distinguishes records of one kind; containers hold more records."""

    kind: int
    instance: int
    content: bytes
    container: bool

    def inside(self) -> Iterator["PptRecord"]:
        """The records that a container holds."""
        return records(self.content) if self.container else iter(())

    def below(self, *kinds: int, depth: int = MAX_DEPTH) -> Iterator["PptRecord"]:
        """All records of these kinds at any depth; what lies below a found one is left to it."""
        for record in self.inside():
            if record.kind in kinds:
                yield record
            elif depth:
                yield from record.below(*kinds, depth=depth - 1)


@dataclass(slots=True, kw_only=True)
class PptText:
    """A text and its role: 0 and 6 are titles, 2 notes. Source: [MS-PPT] 2.13.33 TextTypeEnum."""

    role: int
    text: str


@dataclass(slots=True, kw_only=True)
class SlideEntry:
    """A slide, master or notes page as its list names it, with the texts of its outline."""

    persist: int
    identity: int
    texts: list[PptText] = field(default_factory=list)


def records(content: bytes) -> Iterator[PptRecord]:
    """The records in a stretch of bytes; a cut one ends them."""
    position = 0
    while position + 8 <= len(content):
        yield record_at(content, position)
        position += 8 + struct.unpack_from("<I", content, position + 4)[0]


def record_at(content: bytes, position: int) -> PptRecord:
    """The record that starts at a position.

    Raises:
        struct.error: there is none.
    """
    head, kind, length = struct.unpack_from("<HHI", content, position)
    inner = content[position + 8 : position + 8 + length]
    return PptRecord(kind=kind, instance=head >> 4, content=inner, container=head & 15 == 15)


def persist_directory(stream: bytes, newest: int) -> tuple[dict[int, int], int]:
    """Where each object lies, by the newest edit that wrote it, and the number of the document object."""
    places: dict[int, int] = {}
    document = 0
    for _ in range(MAX_EDITS):
        edit = record_at(stream, newest)
        if edit.kind != _EDIT:
            break
        previous, directory, number = struct.unpack_from("<III", edit.content, 8)
        document = document or number
        for key, place in _entries(record_at(stream, directory)):
            places.setdefault(key, place)
        if not previous or previous >= newest:
            break
        newest = previous
    return places, document


def slide_lists(document: PptRecord) -> dict[int, list[SlideEntry]]:
    """Entries by kind of list: 0 slides, 1 masters, 2 notes."""
    lists: dict[int, list[SlideEntry]] = {}
    for record in document.inside():
        if record.kind == _SLIDE_LIST:
            lists.setdefault(record.instance, []).extend(_listed(record))
    return lists


def texts(holder: PptRecord) -> Iterator[PptText]:
    """The texts that a text box or list holds itself."""
    role = 4
    for record in holder.inside():
        if record.kind == TEXT_HEADER:
            role = int.from_bytes(record.content[:4], "little")
        elif record.kind in (TEXT_CHARS, TEXT_BYTES):
            yield PptText(role=role, text=text_of(record))


def text_of(record: PptRecord) -> str:
    """The characters of a text record."""
    # Eight-bit records keep the low halves of UTF-16, which is Latin-1.
    return record.content.decode("latin-1" if record.kind == TEXT_BYTES else "utf-16-le", "replace")


def _listed(slide_list: PptRecord) -> Iterator[SlideEntry]:
    current: SlideEntry | None = None
    for inner in slide_list.inside():
        if inner.kind == _SLIDE_ENTRY:
            if current is not None:
                yield current
            persist, _, _, identity = struct.unpack_from("<IIII", inner.content)
            current = SlideEntry(persist=persist, identity=identity)
        elif inner.kind == TEXT_HEADER and current is not None:
            current.texts.append(PptText(role=int.from_bytes(inner.content[:4], "little"), text=""))
        elif inner.kind in (TEXT_CHARS, TEXT_BYTES) and current is not None and current.texts:
            current.texts[-1].text = text_of(inner)
    if current is not None:
        yield current


def _entries(directory: PptRecord) -> Iterator[tuple[int, int]]:
    if directory.kind != _DIRECTORY:
        return
    content, position = directory.content, 0
    while position + 4 <= len(content):
        (head,) = struct.unpack_from("<I", content, position)
        first, count = head & 0xFFFFF, head >> 20
        position += 4
        for step, (place,) in enumerate(struct.iter_unpack("<I", content[position : position + 4 * count])):
            yield first + step, place
        position += 4 * count
