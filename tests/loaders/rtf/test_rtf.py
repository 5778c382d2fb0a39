import pytest

from penstock.errors import BrokenSource
from penstock.loaders.rtf.rtf import RtfLoader
from penstock.ports import Loader
from penstock.testing.contracts.loaders import LoaderContract, read, texts

HEAD = rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset134 SimSun;}{\f2\fcharset2 Symbol;}"
HEAD += rb"{\f3\fcharset238 East;}}{\colortbl;\red0\green0\blue0;}{\stylesheet{\s0 Normal;}{\s5 heading 2;}"
HEAD += rb"{\s6\outlinelevel0 Top;}}{\info{\title Leave rules}{\author Ann}}"
GBK = "".join(f"\\'{byte:02x}" for byte in "年假".encode("gbk")).encode()


def rtf(body: bytes) -> bytes:
    return HEAD + body + b"}"


class TestContract(LoaderContract):
    @pytest.fixture
    def loader(self) -> Loader:
        return RtfLoader()

    @pytest.fixture
    def sample(self) -> bytes:
        return rtf(
            rb"\pard\s5 Leave\par\pard Ten days carry over.\par{\f1 " + GBK + rb"}\par\trowd\intbl a\cell b\cell\row"
        )


@pytest.mark.parametrize(
    ("body", "kinds", "text"),
    [
        pytest.param(rb"a\par b\line c", ["paragraph"] * 2, "a\n\nb\nc", id="paragraphs"),
        pytest.param(
            rb"\s5 A\par\pard\s6 B\par\pard\outlinelevel2 C\par\pard d",
            ["heading"] * 3 + ["paragraph"],
            "A\n\nB\n\nC\n\nd",
            id="headings",
        ),
        pytest.param(
            rb"caf\'e9 {\f1 " + GBK + rb"} {\f3\'b9} \f2 a\'b7\'e0", ["paragraph"], "café 年假 ą a•", id="fonts"
        ),
        pytest.param(
            rb"\u24180?\u20551?\uc2\u-10179??\u-9029??x",
            ["paragraph"],
            "年假\U0001f4bbx",
            id="unicode with substitutes",
        ),
        pytest.param(rb"\u-10179?x", ["paragraph"], "\ufffdx", id="half a character"),
        pytest.param(
            rb"\uc0\u24180 \{a\}\~\_\-\\\emdash\ldblquote\tab", ["paragraph"], "年{a}\u00a0\u2011\u00ad\\—“", id="signs"
        ),
        pytest.param(
            rb"a{\v hidden}{\deleted gone}{\*\unknown x}{\pict 00ff}{\annotation n}b", ["paragraph"], "ab", id="unseen"
        ),
        pytest.param(rb"{\pict\bin4 }}}}}a", ["paragraph"], "a", id="binary data"),
        pytest.param(
            rb"\trowd\intbl a\cell b\par c\cell\row\trowd\intbl d\cell e\cell\row\pard f",
            ["table", "paragraph"],
            "a | b c\nd | e\n\nf",
            id="table",
        ),
        pytest.param(
            rb"{\listtext 1.\tab}a\par\ilvl1{\listtext\f2\'b7\tab}b\par\pard c",
            ["list", "paragraph"],
            "1. a\n  - b\n\nc",
            id="list",
        ),
        pytest.param(
            rb"{\header Head\par}{\footer Foot}{\headerl Head}a{\footnote note\par}b\par",
            ["furniture", "furniture", "paragraph", "note"],
            "Head\n\nFoot\n\nab\n\nnote",
            id="notes and margins",
        ),
        pytest.param(rb'{\field{\*\fldinst HYPERLINK "x"}{\fldrslt link}}', ["paragraph"], "link", id="field"),
        pytest.param(
            rb"{\shp{\*\shpinst{\sp{\sn a}{\sv b}}{\shptxt box\par}}}a", ["paragraph"] * 2, "box\n\na", id="box"
        ),
        pytest.param(
            rb"{\header{\shp{\*\shpinst{\shptxt box\par}}}}a", ["furniture", "paragraph"], "box\n\na", id="header box"
        ),
        pytest.param(rb"{\b a\*\cs7 b}", ["paragraph"], "ab", id="a mark where it means nothing"),
        pytest.param(rb"a} and what follows {", ["paragraph"], "a", id="after the end"),
        pytest.param(rb"", [], "", id="empty"),
    ],
)
def test_rtf_is_read_as_it_is_shown(body: bytes, kinds: list[str], text: str) -> None:
    found = read(RtfLoader(), rtf(body))
    assert found.title == "Leave rules"
    assert [block.kind for block in found.blocks] == kinds
    assert found.text == text


@pytest.mark.parametrize(
    ("head", "text"),
    [
        pytest.param(rb"\ansi\ansicpg936 ", "年假", id="code page of the file"),
        pytest.param(
            rb"\ansi\ansicpg936\deff0{\fonttbl{\f0\fcharset0 A;}}", "年假", id="a western font is not believed"
        ),
        pytest.param(rb"\mac ", b"\xc4\xea\xbc\xd9".decode("mac_roman"), id="Macintosh"),
        pytest.param(rb"\ansi\ansicpg65001 ", b"\xc4\xea\xbc\xd9".decode("utf-8", "replace"), id="UTF-8"),
        pytest.param(rb"\ansi\ansicpg99999 ", b"\xc4\xea\xbc\xd9".decode("cp1252"), id="no such code page"),
    ],
)
def test_code_pages(head: bytes, text: str) -> None:
    assert read(RtfLoader(), b"{\\rtf1" + head + GBK + b"}").text == text


def test_what_is_no_rtf_is_named() -> None:
    with pytest.raises(BrokenSource, match="no RTF"):
        read(RtfLoader(), b"plain text")


def test_a_file_that_is_cut_off_is_read_so_far() -> None:
    assert texts(read(RtfLoader(), HEAD + rb"first\par second {\b thi")) == ["first", "second thi"]
