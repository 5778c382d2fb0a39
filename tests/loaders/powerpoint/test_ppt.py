import struct

import pytest

from penstock.errors import BrokenSource, EncryptedSource, UnsupportedFormat
from penstock.loaders.powerpoint.ppt import PptLoader
from penstock.ports import Loader
from penstock.testing.contracts.loaders import LoaderContract, read, texts
from penstock.testing.doubles.files import compound_of

OPEN, LOCKED = 0xE391C05F, 0xF3D1C4DF


def record(kind: int, content: bytes, *, instance: int = 0, container: bool = False) -> bytes:
    return struct.pack("<HHI", instance << 4 | (15 if container else 0), kind, len(content)) + content


def text_atoms(role: int, text: str) -> bytes:
    narrow = text.isascii()
    atom = record(4008, text.encode("latin-1")) if narrow else record(4000, text.encode("utf-16-le"))
    return record(3999, struct.pack("<I", role)) + atom


def shape(inner: bytes, placeholder: int = 0) -> bytes:
    data = record(0xF011, record(3011, struct.pack("<IBB", 0, placeholder, 0)), container=True) if placeholder else b""
    return record(0xF004, record(0xF00A, bytes(8)) + data + record(0xF00D, inner, container=True), container=True)


def sheet(kind: int, *shapes: bytes, more: bytes = b"") -> bytes:
    return record(kind, more + record(1036, b"".join(shapes), container=True), container=True)


def listed(instance: int, *entries: tuple[int, int, bytes]) -> bytes:
    inner = b"".join(
        record(1011, struct.pack("<IIIII", persist, 0, 0, name, 0)) + more for persist, name, more in entries
    )
    return record(4080, inner, instance=instance, container=True)


def deck(token: int = OPEN, *, lost: bool = False) -> bytes:
    """Two slides with titles, an outline, notes and a footer; the second is hidden. Written in two edits."""
    atom = record(1007, struct.pack("<16xII", 300, 0))
    first = sheet(
        1006, shape(text_atoms(4, "side\rnote 边")), shape(record(3998, struct.pack("<I", 0)), 13),
        shape(record(3998, struct.pack("<I", 1)), 14), shape(text_atoms(4, "*"), 8), shape(text_atoms(4, "Foot"), 9),
        more=atom,
    )  # fmt: skip
    hidden = record(1017, bytes(10) + struct.pack("<H", 4) + bytes(4))
    second = sheet(1006, shape(text_atoms(0, "Second")), more=record(1007, bytes(24)) + hidden)
    notes = sheet(1008, shape(text_atoms(2, "Speak slowly"), 12), shape(text_atoms(0, "not this")))
    master = sheet(1016, shape(text_atoms(0, "Click here"), 1), shape(text_atoms(4, "Example Inc")))
    margins = record(4057, record(4026, "Head".encode("utf-16-le"), instance=1), container=True)
    outline = text_atoms(0, "年度计划") + text_atoms(1, "Grow\rSave")
    slides = [(2, 200, outline), (3, 201, b""), *([(99, 202, b"")] if lost else [])]
    document = record(
        1000, margins + listed(1, (5, 1, b"")) + listed(0, *slides) + listed(2, (4, 300, b"")), container=True
    )
    content, places = b"", {}
    for number, part in ((2, b"stale"), (1, document), (3, second), (4, notes), (5, master)):
        places[number] = len(content)
        content += part
    old = len(content)
    directory = struct.pack("<I", 5 << 20 | 1) + struct.pack("<5I", *(places[number] for number in range(1, 6)))
    content += record(6002, directory)
    edit_at = len(content)
    content += record(4085, struct.pack("<IHBBIII", 0, 0, 0, 3, 0, old, 1))
    newer = len(content)
    content += first
    newest_directory = len(content)
    content += record(6002, struct.pack("<II", 1 << 20 | 2, newer))
    newest = len(content)
    content += record(4085, struct.pack("<IHBBIII", 0, 0, 0, 3, edit_at, newest_directory, 1))
    user = record(4086, struct.pack("<III", 20, token, newest))
    return compound_of({"PowerPoint Document": content, "Current User": user})


class TestContract(LoaderContract):
    @pytest.fixture
    def loader(self) -> Loader:
        return PptLoader()

    @pytest.fixture
    def sample(self) -> bytes:
        return deck()


def test_a_deck_gives_titles_outlines_texts_and_notes() -> None:
    found = read(PptLoader(), deck())
    assert found.title == "年度计划"
    assert [(block.kind, block.places[0].page if block.places else 0, text)
            for block, text in zip(found.blocks, texts(found), strict=True)] == [
        ("heading", 1, "年度计划"), ("paragraph", 1, "side\nnote 边"), ("list", 1, "- Grow\n- Save"),
        ("note", 1, "Speak slowly"), ("heading", 2, "Second"),
        ("furniture", 0, "Foot"), ("furniture", 0, "Head"), ("furniture", 0, "Example Inc"),
    ]  # fmt: skip
    assert [block.places[0].label for block in found.blocks if block.kind == "heading"] == ["", "hidden"]


def test_a_lost_slide_is_a_problem() -> None:
    assert [problem.page for problem in read(PptLoader(), deck(lost=True)).problems] == [3]


def test_a_password_is_named() -> None:
    with pytest.raises(EncryptedSource):
        read(PptLoader(), deck(LOCKED))


@pytest.mark.parametrize(
    ("content", "error"),
    [
        pytest.param(b"PK", UnsupportedFormat, id="another format"),
        pytest.param(compound_of({"x": b"y"}), BrokenSource, id="no deck"),
        pytest.param(compound_of({"PowerPoint Document": b"x", "Current User": b"y"}), BrokenSource, id="cut off"),
        pytest.param(
            compound_of({"PowerPoint Document": bytes(64), "Current User": bytes(64)}), BrokenSource, id="zeros"
        ),
    ],
)
def test_damage_is_named(content: bytes, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"pptx|damaged"):
        read(PptLoader(), content)
