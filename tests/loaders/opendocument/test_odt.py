import pytest

from penstock.errors import BrokenSource, EncryptedSource
from penstock.loaders.opendocument.odt import OdtLoader
from penstock.ports import Loader
from penstock.testing.contracts.loaders import LoaderContract, read, texts
from penstock.testing.doubles.files import zip_of

NAMES = " ".join(
    f'xmlns:{name}="urn:{name}"' for name in ("office", "text", "table", "draw", "style", "meta", "dc", "presentation")
)
STYLES = (
    '<text:list-style style:name="L">'
    '<text:list-level-style-number text:level="1" style:num-format="1"/></text:list-style>'
)


def document(body: str, *, kind: str = "text", masters: str = "", title: str = "", manifest: str = "<m/>") -> bytes:
    content = f"<office:c {NAMES}>{STYLES}<office:body><office:{kind}>{body}</office:{kind}></office:body></office:c>"
    return zip_of(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": content,
            "styles.xml": f"<office:s {NAMES}><style:master-page>{masters}</style:master-page></office:s>",
            "meta.xml": f"<office:m {NAMES}><dc:title>{title}</dc:title></office:m>",
            "META-INF/manifest.xml": manifest,
        }
    )


def items(*inner: str) -> str:
    return "".join(f"<text:list-item>{item}</text:list-item>" for item in inner)


class TestContract(LoaderContract):
    @pytest.fixture
    def loader(self) -> Loader:
        return OdtLoader()

    @pytest.fixture
    def sample(self) -> bytes:
        return document('<text:h text:outline-level="1">Leave</text:h><text:p>Ten days carry over. 年假</text:p>')


@pytest.mark.parametrize(
    ("body", "kinds", "text"),
    [
        pytest.param(
            '<text:h text:outline-level="2">A</text:h><text:p text:style-name="Title">B</text:p><text:h>C</text:h>',
            ["heading"] * 3,
            "A\n\nB\n\nC",
            id="headings",
        ),
        pytest.param(
            '<text:p>a<text:s text:c="2"/>b<text:tab/>c<text:line-break/>d<text:span>e\n f</text:span></text:p>',
            ["paragraph"],
            "a  b\tc\nde  f",
            id="white space",
        ),
        pytest.param(
            "<text:tracked-changes><text:p>gone</text:p></text:tracked-changes>"
            "<text:p>a<office:annotation>"
            "<text:p>note</text:p></office:annotation>b</text:p>",
            ["paragraph"],
            "ab",
            id="changes and comments",
        ),
        pytest.param(
            "<text:p>東<text:ruby><text:ruby-base>京</text:ruby-base>"
            "<text:ruby-text>きょう</text:ruby-text></text:ruby></text:p>",
            ["paragraph"],
            "東京 (きょう)",
            id="phonetic guide",
        ),
        pytest.param(
            '<text:list text:style-name="L">'
            + items("<text:p>a</text:p>", f"<text:p>b</text:p><text:list>{items('<text:p>c</text:p>')}</text:list>")
            + "</text:list>",
            ["list"],
            "1. a\n2. b\n  - c",
            id="lists",
        ),
        pytest.param(
            '<text:list text:style-name="L"><text:list-item text:start-value="4">'
            "<text:p>a</text:p></text:list-item>"
            "</text:list>",
            ["list"],
            "4. a",
            id="list that starts later",
        ),
        pytest.param(
            "<table:table><table:table-header-rows><table:table-row><table:table-cell>"
            "<text:p>a</text:p><text:p>b</text:p>"
            "</table:table-cell><table:covered-table-cell/></table:table-row></table:table-header-rows>"
            "<table:table-row "
            'table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="2"><text:p>c</text:p>'
            "</table:table-cell></table:table-row>"
            '<table:table-row table:number-rows-repeated="99999"/></table:table>',
            ["table"],
            "a b\nc | c\nc | c",
            id="table",
        ),
        pytest.param(
            "<text:p>a<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>n</text:p>"
            "</text:note-body></text:note>b</text:p>",
            ["paragraph", "note"],
            "a[^1]b\n\n[^1] n",
            id="note",
        ),
        pytest.param(
            "<text:p>a<draw:frame><draw:text-box><text:p>box</text:p></draw:text-box><draw:desc>Map</draw:desc>"
            "</draw:frame></text:p>",
            ["paragraph", "paragraph", "caption"],
            "a\n\nbox\n\nMap",
            id="frame",
        ),
        pytest.param("<text:section><text:p>a</text:p></text:section>", ["paragraph"], "a", id="section"),
        pytest.param("", [], "", id="empty"),
    ],
)
def test_bodies(body: str, kinds: list[str], text: str) -> None:
    found = read(OdtLoader(), document(body))
    assert [block.kind for block in found.blocks] == kinds
    assert found.text == text


def test_title_and_margins() -> None:
    margins = "<style:header><text:p>Head</text:p></style:header><style:footer><text:p>Head</text:p></style:footer>"
    found = read(OdtLoader(), document("<text:p>a</text:p>", masters=margins, title="Handbook"))
    assert found.title == "Handbook"
    assert texts(found, "furniture") == ["Head"]


def test_slides_of_a_presentation_are_places() -> None:
    slide = (
        '<draw:page draw:name="{0}"><draw:frame><draw:text-box><text:p>{0}</text:p></draw:text-box></draw:frame>'
        "<presentation:notes><draw:frame><draw:text-box><text:p>say {0}</text:p></draw:text-box></draw:frame>"
        "</presentation:notes></draw:page>"
    )
    found = read(OdtLoader(), document(slide.format("one") + slide.format("two"), kind="presentation"))
    assert [(block.kind, block.places[0].page, block.places[0].label) for block in found.blocks] == [
        ("paragraph", 1, "one"),
        ("note", 1, "one"),
        ("paragraph", 2, "two"),
        ("note", 2, "two"),
    ]


def test_a_password_and_damage_are_named() -> None:
    with pytest.raises(EncryptedSource):
        read(OdtLoader(), document("", manifest="<m><encryption-data/></m>"))
    with pytest.raises(BrokenSource, match="no content"):
        read(OdtLoader(), zip_of({"a": "b"}))
    with pytest.raises(BrokenSource):
        read(OdtLoader(), b"")
