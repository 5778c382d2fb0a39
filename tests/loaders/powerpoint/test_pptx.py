import io
import re
import zipfile
from typing import Any

import pptx
import pytest
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI
from pptx.oxml import parse_xml
from pptx.util import Inches

from penstock.errors import BrokenSource, EncryptedSource
from penstock.loaders.powerpoint.pptx import PptxLoader
from penstock.model import Extraction
from penstock.ports import Loader
from penstock.testing.contracts.loaders import LoaderContract, read, texts
from penstock.testing.doubles.files import compound_of, zip_of

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001"
    "a5f645400000000049454e44ae426082"
)


def saved(deck: Any) -> bytes:
    buffer = io.BytesIO()
    deck.save(buffer)
    return buffer.getvalue()


def deck() -> bytes:
    """Two slides: text, table, chart, picture, group and notes; the second is hidden."""
    made = pptx.Presentation()
    made.core_properties.title = "Annual plan"
    first = made.slides.add_slide(made.slide_layouts[1])
    first.shapes.title.text = "年度计划"
    body = first.placeholders[1].text_frame
    body.text = "Grow"
    for text, level in (("in the north", 1), ("Save", 0)):
        added = body.add_paragraph()
        added.text, added.level = text, level
    first.notes_slide.notes_text_frame.text = "Speak slowly"
    second = made.slides.add_slide(made.slide_layouts[6])
    second._element.set("show", "0")
    box(second.shapes, "right", 6, 1)
    box(second.shapes, "left", 1, 1)
    table = second.shapes.add_table(2, 2, Inches(1), Inches(3), Inches(4), Inches(1)).table
    for number, cell in enumerate(table.iter_cells()):
        cell.text = f"cell {number}"
    table.cell(0, 0).merge(table.cell(0, 1))
    data: Any = CategoryChartData()  # type: ignore[no-untyped-call]  # the library has no types
    data.categories = ["Q1", "Q2"]
    data.add_series("Sales", (5, 8))
    second.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(5), Inches(3), Inches(2), data)
    picture = second.shapes.add_picture(io.BytesIO(PNG), Inches(8), Inches(5))
    picture._element.nvPicPr.cNvPr.set("descr", "Map of the north")
    return saved(made)


def box(shapes: Any, text: str, left: float, top: float) -> Any:
    shape = shapes.add_textbox(Inches(left), Inches(top), Inches(2), Inches(0.5))
    shape.text_frame.text = text
    return shape


def loaded(made: Any) -> Extraction:
    return read(PptxLoader(), saved(made))


class TestContract(LoaderContract):
    @pytest.fixture
    def loader(self) -> Loader:
        return PptxLoader()

    @pytest.fixture
    def sample(self) -> bytes:
        return deck()


def test_a_deck_gives_its_slides_in_reading_order() -> None:
    found = read(PptxLoader(), deck())
    assert found.title == "Annual plan"
    assert found.problems == ()
    assert [
        (block.kind, block.places[0].page, text) for block, text in zip(found.blocks, texts(found), strict=True)
    ] == [
        ("heading", 1, "年度计划"),
        ("list", 1, "- Grow\n  - in the north\n- Save"),
        ("note", 1, "Speak slowly"),
        ("paragraph", 2, "left"),
        ("paragraph", 2, "right"),
        ("table", 2, "cell 0 cell 1\ncell 2 | cell 3"),
        ("table", 2, "| Sales\nQ1 | 5\nQ2 | 8"),
        ("caption", 2, "Map of the north"),
    ]


def test_hidden_slides_say_so_and_boxes_are_fractions() -> None:
    left = read(PptxLoader(), deck()).blocks[3].places[0]
    assert left.label == "hidden"
    assert left.box is not None
    assert left.box == pytest.approx((0.1, 1 / 7.5, 0.3, 1.5 / 7.5), abs=1e-3)


def test_groups_stay_together_and_keep_their_places() -> None:
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[6])
    group = slide.shapes.add_group_shape()
    box(group.shapes, "a", 1, 1)
    inner = group.shapes.add_group_shape()
    box(inner.shapes, "c", 1, 5)
    box(slide.shapes, "b", 6, 3)
    found = loaded(made)
    assert texts(found) == ["a", "c", "b"]
    assert found.blocks[1].places[0].box == pytest.approx((0.1, 5 / 7.5, 0.3, 5.5 / 7.5), abs=1e-3)


def test_a_slide_of_pictures_is_a_problem() -> None:
    made = pptx.Presentation()
    made.slides.add_slide(made.slide_layouts[6]).shapes.add_picture(io.BytesIO(PNG), 0, 0)
    (problem,) = loaded(made).problems
    assert (problem.page, problem.message) == (1, "only pictures are shown here; their text is not read")


def test_numbered_paragraphs_are_counted() -> None:
    made = pptx.Presentation()
    frame = box(made.slides.add_slide(made.slide_layouts[6]).shapes, "intro", 1, 1).text_frame
    for text in ("one", "two"):
        added = frame.add_paragraph()
        added.text = text
        added._p.get_or_add_pPr().append(
            added._p.makeelement(
                "{http://schemas.openxmlformats.org/drawingml/2006/main}buAutoNum", {"type": "arabicPeriod"}
            )
        )
    found = loaded(made)
    assert texts(found) == ["intro", "1. one\n2. two"]
    assert [block.kind for block in found.blocks] == ["paragraph", "list"]


def test_text_of_the_master_and_footers_are_furniture() -> None:
    made = pptx.Presentation()
    layout = made.slide_layouts[6]
    slide = made.slides.add_slide(layout)
    placeholders: Any = layout.placeholders
    for shape in placeholders:
        if "Footer" in shape.name:
            slide.shapes.clone_placeholder(shape)
    footer = next(iter(slide.placeholders))
    footer.text_frame.text = "Example Inc"
    box(slide.shapes, "said", 1, 1)
    found = loaded(made)
    assert texts(found, "furniture") == ["Example Inc"]
    assert texts(found, "paragraph") == ["said"]


def with_part(content: bytes, frame: str, relationship: str) -> Extraction:
    """What is read of a slide with a frame that points to another part as `{}`."""
    made = pptx.Presentation()
    slide: Any = made.slides.add_slide(made.slide_layouts[6])
    package: Any = slide.part.package
    part = Part(PackURI("/ppt/diagrams/data1.xml"), "application/xml", package, content)
    pointer = slide.part.relate_to(part, f"{OFFICE}/{relationship}")
    slide.shapes._spTree.append(parse_xml(FRAME.format(frame.format(pointer))))
    return loaded(made)


OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
FRAME = (
    '<p:graphicFrame xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    f'xmlns:r="{OFFICE}"><p:nvGraphicFramePr><p:cNvPr id="9" name="D" descr="C:\\x.png"/>'
    "<p:cNvGraphicFramePr/><p:nvPr/>"
    '</p:nvGraphicFramePr><p:xfrm><a:off x="0" y="0"/><a:ext cx="9" cy="9"/></p:xfrm>{}</p:graphicFrame>'
)
DIAGRAM = (
    '<a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/diagram">'
    '<d:relIds xmlns:d="urn:d" r:dm="{}"/></a:graphicData></a:graphic>'
)


def test_diagrams_give_their_words() -> None:
    words = b"<dataModel><pt><t><p>Boss</p></t></pt><pt><t><p>Staff</p></t></pt></dataModel>"
    assert texts(with_part(words, DIAGRAM, "diagramData"), "list") == ["- Boss\n- Staff"]
    assert with_part(b"no xml", DIAGRAM, "diagramData").blocks == ()
    assert with_part(words, DIAGRAM.format("rId99"), "diagramData").blocks == ()


def test_a_lost_slide_is_a_problem() -> None:
    made = pptx.Presentation()
    for text in ("first", "second"):
        box(made.slides.add_slide(made.slide_layouts[6]).shapes, text, 1, 1)
    with zipfile.ZipFile(io.BytesIO(saved(made))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    pointers = "ppt/_rels/presentation.xml.rels"
    parts[pointers] = re.sub(rb'<Relationship [^>]*"slides/slide1.xml"[^>]*>', b"", parts[pointers])
    found = read(PptxLoader(), zip_of(parts))
    assert [problem.page for problem in found.problems] == [1]
    assert texts(found) == ["second"]


def test_an_empty_deck_is_empty() -> None:
    assert loaded(pptx.Presentation()).blocks == ()


@pytest.mark.parametrize("content", [b"", zip_of({"a": "b"}), zip_of({"[Content_Types].xml": "<a/>", "x": ""})])
def test_damage_is_named(content: bytes) -> None:
    with pytest.raises(BrokenSource, match="damaged"):
        read(PptxLoader(), content)


def test_a_password_is_named() -> None:
    with pytest.raises(EncryptedSource):
        read(PptxLoader(), compound_of({"EncryptedPackage": b"x"}))
