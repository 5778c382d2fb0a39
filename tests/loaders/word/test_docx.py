import io

import docx
import pytest
from docx.enum.text import WD_BREAK

from penstock.errors import BrokenSource, EncryptedSource
from penstock.loaders.word.docx import DocxLoader
from penstock.model import Extraction
from penstock.ports import Loader
from penstock.testing.contracts.loaders import LoaderContract, read, texts
from penstock.testing.doubles.files import compound_of, zip_of

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
NUMBERING = """<w:abstractNum w:abstractNumId="0">
<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>
<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%1.%2)"/></w:lvl></w:abstractNum>
<w:abstractNum w:abstractNumId="1">
<w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/><w:lvlText w:val="x"/></w:lvl></w:abstractNum>
<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>
<w:num w:numId="3"><w:abstractNumId w:val="0"/>
<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride></w:num>"""
STYLES = """<w:style w:styleId="H"><w:name w:val="heading 2"/></w:style>
<w:style w:styleId="T"><w:name w:val="Title"/></w:style>
<w:style w:styleId="O"><w:basedOn w:val="P"/><w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:style>
<w:style w:styleId="P"><w:name w:val="Body"/><w:basedOn w:val="O"/></w:style>"""


def package(body: str, *, space: str = W, **parts: str) -> bytes:
    """A Word file with this body; other parts (`footnotes`, `header` ...) by their names."""
    kinds = {"styles": STYLES, "numbering": NUMBERING, **parts}
    members = {
        "_rels/.rels": f'<Relationships><Relationship Id="r" Type="{REL}/officeDocument" Target="/word/document.xml"/>'
        "</Relationships>",
        "word/document.xml": f'<w:document xmlns:w="{space}" xmlns:r="{REL}"><w:body>{body}</w:body></w:document>',
        "word/_rels/document.xml.rels": "<Relationships>"
        + "".join(f'<Relationship Id="{kind}" Type="{REL}/{kind}" Target="{kind}.xml"/>' for kind in kinds)
        + "</Relationships>",
    }
    for kind, content in kinds.items():
        wrapped = content if content.startswith("<?xml") else f'<w:{kind} xmlns:w="{space}">{content}</w:{kind}>'
        members[f"word/{kind}.xml"] = wrapped
    return zip_of(members)


def run(text: str) -> str:
    return f"<w:r><w:t>{text}</w:t></w:r>"


def paragraph(inner: str, properties: str = "") -> str:
    inner = inner if inner.startswith("<") else run(inner)
    return f"<w:p><w:pPr>{properties}</w:pPr>{inner}</w:p>"


def item(text: str, number: int, level: int = 0) -> str:
    return paragraph(text, f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>')


def loaded(body: str, **parts: str) -> Extraction:
    return read(DocxLoader(), package(body, **parts))


def written() -> bytes:
    """A file as a common library writes it."""
    document = docx.Document()
    document.core_properties.title = "Leave rules"
    document.add_heading("Leave", 1)
    document.add_paragraph("Ten days carry over. 年假可以结转十天。").add_run().add_break(WD_BREAK.LINE)
    document.add_paragraph("ask", style="List Bullet")
    table = document.add_table(rows=2, cols=3)
    for number, cell in enumerate(cell for row in table.rows for cell in row.cells):
        cell.text = str(number)
    table.cell(0, 0).merge(table.cell(0, 1))
    document.sections[0].header.paragraphs[0].text = "Internal"
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


class TestContract(LoaderContract):
    @pytest.fixture
    def loader(self) -> Loader:
        return DocxLoader()

    @pytest.fixture
    def sample(self) -> bytes:
        return written()


def test_a_file_of_another_library_is_read() -> None:
    found = read(DocxLoader(), written())
    assert found.title == "Leave rules"
    assert [block.kind for block in found.blocks] == ["furniture", "heading", "paragraph", "list", "table"]
    assert texts(found)[0] == "Internal"
    assert texts(found, "list") == ["- ask"]
    assert texts(found, "table") == ["0 1 |  | 2\n3 | 4 | 5"]


@pytest.mark.parametrize(
    ("body", "kinds", "text"),
    [
        pytest.param(paragraph("H", '<w:pStyle w:val="H"/>'), ["heading"], "H", id="heading by style"),
        pytest.param(paragraph("O", '<w:pStyle w:val="P"/>'), ["heading"], "O", id="outline level by inheritance"),
        pytest.param(paragraph("B", '<w:outlineLvl w:val="9"/>'), ["paragraph"], "B", id="outline level of body text"),
        pytest.param(
            paragraph(f"{run('a')}<w:ins>{run('b')}</w:ins><w:del><w:r><w:delText>c</w:delText></w:r></w:del>"),
            ["paragraph"],
            "ab",
            id="tracked changes",
        ),
        pytest.param(
            paragraph(
                '<w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:noBreakHyphen/><w:sym w:char="F0B7"/>'
                '<w:sym w:char="2022"/><w:sym w:char="zz"/></w:r>'
            ),
            ["paragraph"],
            "a\tb\n\u2011•",
            id="special characters",
        ),
        pytest.param(
            paragraph(
                f"<w:hyperlink>{run('a')}</w:hyperlink><w:sdt><w:sdtPr/><w:sdtContent>{run('b')}</w:sdtContent>"
                "</w:sdt><w:r><w:instrText>PAGE</w:instrText></w:r>"
            ),
            ["paragraph"],
            "ab",
            id="links, controls, fields",
        ),
        pytest.param(
            paragraph(f"<w:r><w:ruby><w:rt>{run('とう')}</w:rt><w:rubyBase>{run('東')}</w:rubyBase></w:ruby></w:r>"),
            ["paragraph"],
            "東 (とう)",
            id="phonetic guide",
        ),
        pytest.param(
            f"<w:sdt><w:sdtContent>{paragraph('a')}</w:sdtContent></w:sdt><w:customXml>{paragraph('b')}</w:customXml>",
            ["paragraph"] * 2,
            "a\n\nb",
            id="controls around paragraphs",
        ),
        pytest.param(
            item("a", 1)
            + item("b", 1, 1)
            + item("c", 1, 1)
            + item("d", 1)
            + paragraph("x")
            + item("e", 1)
            + item("f", 3)
            + item("g", 2),
            ["list", "paragraph", "list"],
            "1. a\n  1.a) b\n  1.b) c\n2. d\n\nx\n\n3. e\n7. f\n- g",
            id="numbering",
        ),
        pytest.param(item("a", 0) + item("b", 99), ["paragraph"] * 2, "a\n\nb", id="no such list"),
        pytest.param(
            f"<w:tbl><w:tr><w:tc>{paragraph('only')}{paragraph('two')}</w:tc></w:tr></w:tbl>",
            ["paragraph"] * 2,
            "only\n\ntwo",
            id="frame",
        ),
        pytest.param(
            "<w:tbl><w:tr><w:trPr><w:del/></w:trPr><w:tc><w:p/></w:tc></w:tr>"
            f'<w:tr><w:tc><w:tcPr><w:vMerge w:val="restart"/></w:tcPr>{item("a", 1)}</w:tc><w:tc>'
            f"{paragraph('b')}</w:tc>"
            f"</w:tr><w:tr><w:tc><w:tcPr><w:vMerge/></w:tcPr>{paragraph('a')}</w:tc><w:tc>"
            f"<w:tbl><w:tr><w:tc>{paragraph('in')}</w:tc></w:tr></w:tbl>{paragraph('c')}</w:tc></w:tr></w:tbl>",
            ["table"],
            "1. a | b\n | in c",
            id="merged, numbered and nested cells",
        ),
    ],
)
def test_bodies(body: str, kinds: list[str], text: str) -> None:
    found = loaded(body)
    assert [block.kind for block in found.blocks] == kinds
    assert found.text == text


@pytest.mark.parametrize("body", ["", paragraph(" ")])
def test_an_empty_document_is_empty(body: str) -> None:
    assert loaded(body).blocks == ()


def test_the_title_is_the_paragraph_of_that_style() -> None:
    found = loaded(paragraph("First", '<w:pStyle w:val="H"/>') + paragraph("Handbook", '<w:pStyle w:val="T"/>'))
    assert found.title == "Handbook"
    assert [block.level for block in found.blocks] == [2, 1]


def test_notes_follow_with_the_numbers_that_readers_see() -> None:
    found = loaded(
        paragraph(
            f'{run("a")}<w:r><w:footnoteReference w:id="5"/></w:r>{run("b")}<w:r><w:endnoteReference w:id="2"/></w:r>'
        ),
        footnotes=f'<w:footnote w:type="separator" w:id="0">{paragraph("-")}</w:footnote>'
        f'<w:footnote w:id="5">{paragraph("one")}</w:footnote>',
        endnotes=f'<w:endnote w:id="2">{paragraph("two")}</w:endnote>',
    )
    assert texts(found) == ["a[^1]b[^e1]", "[^1] one", "[^e1] two"]
    assert [block.kind for block in found.blocks] == ["paragraph", "note", "note"]


def test_headers_and_footers_are_furniture() -> None:
    found = loaded(paragraph("x"), header=paragraph("Head"), footer=paragraph("Foot"))
    assert texts(found, "furniture") == ["Head", "Foot"]


def test_text_boxes_are_read_once_and_pictures_described() -> None:
    box = f"<w:txbxContent>{paragraph('in the box')}</w:txbxContent>"
    drawn = (
        f'<w:r><mc:AlternateContent xmlns:mc="urn:mc"><mc:Choice><w:drawing><docPr descr="Map of the plant"/>{box}'
        f"</w:drawing></mc:Choice><mc:Fallback><w:pict>{box}</w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    )
    found = loaded(paragraph(run("beside") + drawn))
    assert [(block.kind, text) for block, text in zip(found.blocks, texts(found), strict=True)] == [
        ("paragraph", "beside"),
        ("caption", "Map of the plant"),
        ("paragraph", "in the box"),
    ]


def test_boxes_in_boxes_end_somewhere() -> None:
    inner = paragraph("deep")
    for _ in range(12):
        inner = paragraph(f"<w:r><w:pict><w:txbxContent>{inner}</w:txbxContent></w:pict></w:r>")
    assert loaded(inner).text == "deep"


def test_charts_and_diagrams_give_their_words() -> None:
    chart = (
        '<?xml version="1.0"?><c:chartSpace xmlns:c="urn:c" xmlns:a="urn:a">'
        "<c:title><a:p><a:t>Sales</a:t></a:p></c:title>"
        "<c:ser><c:tx><c:pt><c:v>2026</c:v></c:pt></c:tx>"
        "<c:cat><c:pt><c:v>Q1</c:v></c:pt><c:pt><c:v>Q2</c:v></c:pt></c:cat>"
        "<c:val><c:pt><c:v>5</c:v></c:pt><c:pt><c:v>8</c:v></c:pt></c:val></c:ser></c:chartSpace>"
    )
    diagram = (
        '<?xml version="1.0"?><d:dataModel xmlns:d="urn:d"><d:pt><d:t><p>Boss</p></d:t></d:pt><d:pt/></d:dataModel>'
    )
    body = '<w:r><c:chart xmlns:c="urn:c" r:id="chart"/></w:r><w:r><d:relIds xmlns:d="urn:d" r:dm="data"/></w:r>'
    found = loaded(paragraph(body + '<w:r><c:chart xmlns:c="urn:c" r:id="gone"/></w:r>'), chart=chart, data=diagram)
    assert texts(found) == ["Sales\n | 2026\nQ1 | 5\nQ2 | 8", "- Boss"]


def test_the_strict_format_is_the_same() -> None:
    assert read(DocxLoader(), package(paragraph("x", '<w:pStyle w:val="H"/>'), space=STRICT)).title == "x"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(zip_of({"a": "b"}), "which part", id="no package"),
        pytest.param(b"PK", "zip", id="no archive"),
        pytest.param(zip_of({"_rels/.rels": "<a"}), "no valid XML", id="no xml"),
    ],
)
def test_damage_is_named(content: bytes, message: str) -> None:
    with pytest.raises(BrokenSource, match=message):
        read(DocxLoader(), content)


def test_a_password_is_named() -> None:
    with pytest.raises(EncryptedSource, match="without a password"):
        read(DocxLoader(), compound_of({"EncryptedPackage": b"x" * 100}))
