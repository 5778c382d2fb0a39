import struct
from dataclasses import dataclass

import pytest

from penstock.errors import BrokenSource, EncryptedSource, UnsupportedFormat
from penstock.loaders.word.doc import DocLoader
from penstock.ports import Loader
from penstock.testing.contracts.loaders import LoaderContract, read, texts
from penstock.testing.doubles.files import compound_of

TEXT_AT = 0x800
ROW_END = struct.pack("<HB", 0x2417, 1)
OUTLINE_2 = struct.pack("<HB", 0x2640, 1)
DELETED = struct.pack("<HB", 0x0800, 1)
LONG = struct.pack("<HB", 0xC60D, 3) + b"abc"  # a property of variable length, to be passed over


@dataclass
class Part:
    """A paragraph with the number of its style and further properties."""

    text: str
    style: int = 0
    more: bytes = b""


def page(bounds: list[int], entries: list[bytes], entry_bytes: int, *, paragraphs: bool) -> bytes:
    """One page of properties. Source: [MS-DOC] 2.9.175 and 2.9.36."""
    content = bytearray(512)
    struct.pack_into(f"<{len(bounds)}I", content, 0, *bounds)
    end = 510
    for index, entry in enumerate(entries):
        if not entry:
            continue
        if not paragraphs:
            stored = bytes([len(entry)]) + entry
        elif len(entry) % 2:
            stored = bytes([(len(entry) + 1) // 2]) + entry
        else:
            stored = bytes([0, len(entry) // 2]) + entry
        end = (end - len(stored)) // 2 * 2
        content[end : end + len(stored)] = stored
        content[4 * len(bounds) + index * entry_bytes] = end // 2
    content[511] = len(entries)
    return bytes(content)


def word(parts: list[Part], *, notes: str = "", headers: str = "", gone: str = "", flags: int = 0x200) -> bytes:
    """A Word 97 file; the first paragraph is stored in 8 bits, the others in 16; `gone` is a deleted tail of it."""
    first = parts[0].text.encode("cp1252")
    rest = "".join(part.text for part in parts[1:]) + notes + headers
    wide_at = TEXT_AT + len(first)
    bounds, place = [TEXT_AT], TEXT_AT
    for index, part in enumerate(parts):
        place += len(part.text) * (1 if index == 0 else 2)
        bounds.append(place)
    entries = [struct.pack("<H", part.style) + part.more for part in parts]
    stream = bytearray(0x2000)
    stream[TEXT_AT : TEXT_AT + len(first)] = first
    wide = rest.encode("utf-16-le")
    stream[wide_at : wide_at + len(wide)] = wide
    stream[0x1000:0x1200] = page(bounds, entries, 13, paragraphs=True)
    cut = TEXT_AT + len(first) - 1 - len(gone)
    runs = [TEXT_AT, cut, TEXT_AT + len(first) - 1, place]
    stream[0x1200:0x1400] = page(runs, [b"", DELETED if gone else b"", b""], 1, paragraphs=False)
    count = len(first)
    pieces = struct.pack("<3I", 0, count, count + len(rest))
    pieces += struct.pack("<HIH", 0, TEXT_AT * 2 | 0x40000000, 0) + struct.pack("<HIH", 0, wide_at, 0)
    clx = b"\x01\x02\x00ab" + b"\x02" + struct.pack("<I", len(pieces)) + pieces
    tables = clx + struct.pack("<3I", TEXT_AT, place, 8) + struct.pack("<3I", TEXT_AT, place, 9)
    struct.pack_into("<HH6xH", stream, 0, 0xA5EC, 0xC1, flags)
    body = sum(len(part.text) for part in parts)
    struct.pack_into("<8i", stream, 0x4C, body, len(notes), len(headers), 0, 0, 0, 0, 0)
    struct.pack_into("<II", stream, 0x00FA, len(clx) + 12, 12)
    struct.pack_into("<II", stream, 0x0102, len(clx), 12)
    struct.pack_into("<II", stream, 0x01A2, 0, len(clx))
    return compound_of({"WordDocument": bytes(stream), "1Table": tables})


class TestContract(LoaderContract):
    @pytest.fixture
    def loader(self) -> Loader:
        return DocLoader()

    @pytest.fixture
    def sample(self) -> bytes:
        return word(
            [Part("Leave\r", 1), Part("年假可以结转十天。\r"), Part("a\x07"), Part("b\x07"), Part("\x07", more=ROW_END)]
        )


def test_headings_paragraphs_tables_and_notes() -> None:
    found = read(
        DocLoader(),
        word(
            [
                Part("Leave café\r", 1),
                Part("年假可以结转。\x02\r"),
                Part("Sub\r", 0, LONG + OUTLINE_2),
                Part("a\x07"),
                Part("b\r"),
                Part("c\x07"),
                Part("\x07", more=ROW_END),
                Part("d\x07"),
                Part("\x07", more=ROW_END),
                Part("\x13 HYPERLINK x \x14link\x15 and\x0bmore\x1e \uf0b7\r"),
            ],
            notes="\x02 a note\r",
            headers="Head\rHead\r",
        ),
    )
    assert found.title == "Leave café"
    assert [(block.kind, block.level) for block in found.blocks] == [
        ("heading", 1),
        ("paragraph", 0),
        ("heading", 2),
        ("table", 0),
        ("paragraph", 0),
        ("note", 0),
        ("furniture", 0),
    ]
    assert texts(found)[1:] == ["年假可以结转。", "Sub", "a | b c\nd", "link and\nmore\u2011", "a note", "Head"]


def test_deleted_text_is_out_and_phonetic_guides_are_in() -> None:
    guide = '\x13 EQ \\* jc2 \\* "Font" \\o\\ad(\\s\\up 10(とう),東)\x15\r'
    found = read(DocLoader(), word([Part("kept gone\r"), Part(guide)], gone=" gone"))
    assert texts(found) == ["kept", "東 (とう)"]


def test_word_6_is_read_in_one_piece() -> None:
    stream = bytearray(0x400)
    text = b"The quick\rbrown fox\r"
    struct.pack_into("<HH6xH", stream, 0, 0xA5DC, 0x65, 0)
    struct.pack_into("<II", stream, 24, 0x300, 0x300 + len(text))
    stream[0x300 : 0x300 + len(text)] = text
    assert texts(read(DocLoader(), compound_of({"WordDocument": bytes(stream)}))) == ["The quick", "brown fox"]


def test_a_password_is_named() -> None:
    with pytest.raises(EncryptedSource):
        read(DocLoader(), word([Part("x\r")], flags=0x300))


@pytest.mark.parametrize(
    ("content", "error"),
    [
        pytest.param(b"{\\rtf1}", UnsupportedFormat, id="another format"),
        pytest.param(compound_of({"x": b"y"}), BrokenSource, id="no text"),
        pytest.param(compound_of({"WordDocument": b"short"}), BrokenSource, id="cut off"),
        pytest.param(compound_of({"WordDocument": bytes(2) + b"\xc1\0" + bytes(0x400)}), BrokenSource, id="no tables"),
    ],
)
def test_damage_is_named(content: bytes, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"docx|damaged"):
        read(DocLoader(), content)
