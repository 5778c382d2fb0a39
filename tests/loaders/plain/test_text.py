import pytest

from penstock.loaders.plain.text import TextLoader
from penstock.ports import Loader
from penstock.testing.contracts.loaders import LoaderContract, read


class TestContract(LoaderContract):
    @pytest.fixture
    def loader(self) -> Loader:
        return TextLoader()

    @pytest.fixture
    def sample(self) -> bytes:
        return "Leave\n=====\n\nTen days carry over.\n\n- ask\n- go\n\n年假可以结转十天。\n".encode()


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        pytest.param("a\nb\n\n\nc", [("paragraph", 0, "a\nb"), ("paragraph", 0, "c")], id="paragraphs"),
        pytest.param("a\r\n\r\nb\rc", [("paragraph", 0, "a"), ("paragraph", 0, "b\nc")], id="line ends"),
        pytest.param("a\n\u3000\nb\fc", [("paragraph", 0, text) for text in "abc"], id="blank of any kind"),
        pytest.param("T\n=\n\nx", [("paragraph", 0, "T\n="), ("paragraph", 0, "x")], id="too short a line"),
        pytest.param("Title\n=====\nx", [("heading", 1, "Title"), ("paragraph", 0, "x")], id="heading, text below"),
        pytest.param("Sub\n---", [("heading", 2, "Sub")], id="second level"),
        pytest.param("=====\nTitle\n=====\nSub\n---\nx",
                     [("heading", 1, "Title"), ("heading", 2, "Sub"), ("paragraph", 0, "x")], id="framed title"),
        pytest.param("- a\n  b\n- c", [("list", 1, "- a\n  b\n- c")], id="list"),
        pytest.param("一、总则\n二、附则", [("list", 1, "一、总则\n二、附则")], id="Chinese list"),
        pytest.param("- a", [("paragraph", 0, "- a")], id="one item is no list"),
        pytest.param("-----\n-----", [("paragraph", 0, "-----\n-----")], id="rules"),
        pytest.param("", [], id="empty"),
    ],
)  # fmt: skip
def test_plain_text_has_paragraphs_lists_and_underlined_headings(text: str, blocks: list[object]) -> None:
    found = read(TextLoader(), text.encode())
    assert [
        (block.kind, block.level, found.text[block.span.start : block.span.end]) for block in found.blocks
    ] == blocks


def test_the_declared_encoding_is_used() -> None:
    assert read(TextLoader(encoding="big5"), "資料檢索".encode("big5")).text == "資料檢索"
    assert "big5" in TextLoader(encoding="big5").fingerprint
