"""PDF files as both engines read them; every file is made here."""

import importlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pymupdf
import pytest

from penstock.errors import BrokenSource, EncryptedSource
from penstock.loaders.pdf.pymupdf import PyMuPDFLoader
from penstock.loaders.pdf.pypdfium2 import PdfiumLoader
from penstock.model import Extraction, Source
from penstock.ports import Loader

ENGINES = [pytest.param(PyMuPDFLoader, id="pymupdf"), pytest.param(PdfiumLoader, id="pypdfium2")]
Engine = Callable[..., Loader]
GOLDEN = Path(__file__).parents[2] / "golden"
LEFT = (
    "Leave that was not taken by the end of the year carries over into the next one, up to ten days, and is lost after "
    "the thirty-first of March unless the manager has agreed in writing that it may be kept for longer than that."
)
RIGHT = (
    "Expenses are paid back within two weeks after the receipts were handed in, in the currency in which they were "
    "paid or in that of the contract, whichever the employee prefers at the time when the claim is made to the office."
)
CHINESE = (
    "员工每年享有十五天带薪年假。未休完的年假可以结转到下一年度，但最多不超过十天，"
    "并且必须在三月三十一日之前休完，除非部门经理书面同意延长。"
)


def source(name: str = "handbook.pdf") -> Source:
    return Source(uri=name, media_type="application/pdf", sha256="", size=0, labels={})


def read(engine: Engine, data: bytes | BinaryIO, **options: Any) -> Extraction:
    return engine(**options).load(source(), io.BytesIO(data) if isinstance(data, bytes) else data)


def texts(extraction: Extraction, kind: str = "") -> list[str]:
    return [extraction.text[slice(*block.span)] for block in extraction.blocks if kind in ("", block.kind)]


def page_with(document: pymupdf.Document, *lines: tuple[float, float, str, float], font: str = "helv") -> pymupdf.Page:
    page = document.new_page(width=600, height=800)
    for left, top, text, size in lines:
        page.insert_text((left, top), text, fontsize=size, fontname=font)
    return page


def flowing(page: pymupdf.Page, box: tuple[float, float, float, float], text: str, *, font: str = "helv") -> None:
    assert page.insert_textbox(box, text, fontsize=10, fontname=font) >= 0


def ruled(page: pymupdf.Page, rows: list[list[str]], left: float, top: float) -> None:
    wide, high = 120, 24
    for down in range(len(rows) + 1):
        page.draw_line((left, top + down * high), (left + wide * len(rows[0]), top + down * high))
    for across in range(len(rows[0]) + 1):
        page.draw_line((left + across * wide, top), (left + across * wide, top + high * len(rows)))
    for down, row in enumerate(rows):
        for across, cell in enumerate(row):
            page.insert_text((left + across * wide + 6, top + down * high + 15), cell, fontsize=10)


def scanned(text: str) -> pymupdf.Document:
    drawn = pymupdf.open()
    page = page_with(drawn, (60, 120, text, 24))
    scan = pymupdf.open()
    scan.new_page(width=600, height=800).insert_image((0, 0, 600, 800), pixmap=page.get_pixmap(dpi=100))
    return scan


def handbook() -> bytes:
    document = pymupdf.open()
    first = page_with(document, (60, 40, "Company handbook 2026", 8), (60, 110, "Staff Handbook", 24))
    first.insert_text((60, 150), "1 Leave", fontsize=15, fontname="hebo")
    flowing(first, (60, 165, 540, 230), LEFT)
    for at, item in enumerate(("- Sick leave is paid in full.", "- Parental leave is twelve weeks.")):
        first.insert_text((60, 250 + 16 * at), item, fontsize=10)
    ruled(first, [["Grade", "Days"], ["Junior", "20"], ["Senior", "25"]], 60, 300)
    first.insert_text((60, 400), "Table 1: Days of leave a year", fontsize=9)
    first.insert_text((60, 430), "The travel reimburse-", fontsize=10)
    first.insert_text((60, 442), "ment rules follow.", fontsize=10)
    first.insert_text((300, 780), "i", fontsize=8)
    second = page_with(document, (60, 40, "Company handbook 2026", 8), (300, 780, "ii", 8))
    second.insert_text((60, 90), "2 Money", fontsize=15, fontname="hebo")
    flowing(second, (60, 110, 290, 300), LEFT + " " + LEFT)
    flowing(second, (320, 110, 550, 300), RIGHT + " " + RIGHT)
    third = page_with(document, (60, 40, "Company handbook 2026", 8), (300, 780, "1", 8))
    third.insert_text((60, 100), "第三章 年假", fontsize=16, fontname="china-s")
    flowing(third, (60, 120, 300, 260), CHINESE, font="china-s")
    document.set_toc([[1, "1 Leave", 1], [1, "2 Money", 2], [2, "第三章 年假", 3]])
    document.set_page_labels(
        [{"startpage": 0, "style": "r", "firstpagenum": 1}, {"startpage": 2, "style": "D", "firstpagenum": 1}]
    )
    document.set_metadata({"title": "Microsoft Word - handbook_v3.doc"})
    return bytes(document.tobytes(no_new_id=True))


def shown(extraction: Extraction) -> str:
    lines = [f"title: {extraction.title}"]
    for block in extraction.blocks:
        (place,) = block.places
        box = place.box or ()
        lines.append(f"[{block.kind} {block.level} p{place.page} {place.label} {' '.join(f'{at:.2f}' for at in box)}]")
        lines.append(extraction.text[slice(*block.span)])
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("engine", ENGINES)
def test_handbook_is_read_as_before(engine: Engine) -> None:
    """Regenerated by hand only: REGEN_GOLDEN=1 pytest tests/loaders/pdf/test_pdf.py, then read the difference."""
    name = "handbook-pymupdf.txt" if engine is PyMuPDFLoader else "handbook-pypdfium2.txt"
    blocks = shown(read(engine, handbook(), ocr="never"))
    if os.environ.get("REGEN_GOLDEN"):
        assert not os.environ.get("CI"), "golden files are not regenerated in CI"
        (GOLDEN / name).write_text(blocks, "utf-8")
    assert blocks == (GOLDEN / name).read_text("utf-8")


@pytest.mark.parametrize("engine", ENGINES)
def test_columns_are_read_one_after_the_other(engine: Engine) -> None:
    text = " ".join(read(engine, handbook()).text.split())
    assert text.index("2 Money") < text.index(LEFT + " " + LEFT) < text.index(RIGHT + " " + RIGHT)


@pytest.mark.parametrize("engine", ENGINES)
def test_structure_comes_from_letters_and_outline(engine: Engine) -> None:
    extraction = read(engine, handbook())
    headings = [(extraction.text[slice(*block.span)], block.level) for block in extraction.blocks if block.level]
    assert ("1 Leave", 1) in headings
    assert ("第三章 年假", 2) in headings
    assert extraction.title == "Staff Handbook"
    assert texts(extraction, "list") == ["- Sick leave is paid in full.", "- Parental leave is twelve weeks."]
    assert texts(extraction, "caption") == ["Table 1: Days of leave a year"]
    assert "reimburse-\nment" in extraction.text
    assert CHINESE in extraction.text.replace("\n", "")


@pytest.mark.parametrize("engine", ENGINES)
def test_places_say_page_label_and_box(engine: Engine) -> None:
    extraction = read(engine, handbook())
    (place,) = next(block for block in extraction.blocks if extraction.text[slice(*block.span)] == "2 Money").places
    assert (place.page, place.label) == (2, "ii")
    assert place.box is not None
    assert place.box == pytest.approx((0.1, 0.093, 0.2, 0.118), abs=0.02)


@pytest.mark.parametrize("engine", ENGINES)
def test_header_and_footer_are_blocks_of_their_own(engine: Engine) -> None:
    lone = texts(read(engine, handbook()))
    assert lone.count("Company handbook 2026") == 3
    assert {"i", "ii", "1"} <= set(lone)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("lines", [True, False], ids=["ruled", "aligned"])
def test_table_is_rows_of_cells(engine: Engine, lines: bool) -> None:
    document = pymupdf.open()
    page = page_with(document, (60, 90, "Grades and days of leave in the company are these.", 10))
    rows = [["Grade", "Days"], ["Junior", "20"], ["Senior", "25"], ["Chief", "30"]]
    if lines:
        ruled(page, rows, 60, 110)
    else:
        for down, row in enumerate(rows):
            for across, cell in enumerate(row):
                page.insert_text((60 + 200 * across, 130 + 16 * down), cell, fontsize=10)
    extraction = read(engine, document.tobytes())
    assert texts(extraction, "table") == ["Grade | Days\nJunior | 20\nSenior | 25\nChief | 30"]
    assert extraction.text.count("Senior") == 1


def test_wrapped_cells_of_a_ruled_table_stay_whole() -> None:
    document = pymupdf.open()
    page = document.new_page(width=600, height=800)
    ruled(page, [["Rule", "Who"], ["", "Everybody"], ["Short", "Nobody"]], 60, 110)
    page.insert_text((66, 143), "first line", fontsize=8)
    page.insert_text((66, 153), "second line", fontsize=8)
    assert texts(read(PyMuPDFLoader, document.tobytes()), "table") == [
        "Rule | Who\nfirst line second line | Everybody\nShort | Nobody"
    ]


def test_frame_around_text_and_grid_of_a_drawing_are_no_tables() -> None:
    document = pymupdf.open()
    page = document.new_page(width=600, height=800)
    page.draw_rect((50, 80, 550, 200))
    page.draw_line((50, 190), (550, 190))
    flowing(page, (60, 90, 540, 180), LEFT)
    for at in range(6):
        page.draw_line((100, 300 + 40 * at), (300, 300 + 40 * at))
        page.draw_line((100 + 40 * at, 300), (100 + 40 * at, 500))
    page.insert_text((110, 320), "x", fontsize=10)
    assert texts(read(PyMuPDFLoader, document.tobytes()), "table") == []


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_turned_page_is_read_upright(engine: Engine, turn: int) -> None:
    document = pymupdf.open()
    page = document.new_page(width=600, height=800)
    for at, line in enumerate(("first line of the page", "second line of the page", "third line of the page")):
        spot = {0: (60, 100 + 20 * at), 90: (100 + 20 * at, 700), 180: (500, 600 - 20 * at), 270: (400 - 20 * at, 100)}
        page.insert_text(spot[turn], line, fontsize=12, rotate=turn)
    extraction = read(engine, document.tobytes())
    assert " ".join(extraction.text.split()) == "first line of the page second line of the page third line of the page"
    box = extraction.blocks[0].places[0].box
    assert box is not None
    assert (box.right - box.left > box.bottom - box.top) == (turn in (0, 180))
    page.set_rotation(-turn % 360 if turn in (90, 270) else turn)
    again = read(engine, document.tobytes())
    assert "second line of the page" in again.text


@pytest.mark.parametrize("engine", ENGINES)
def test_stamp_along_the_margin_comes_last(engine: Engine) -> None:
    document = pymupdf.open()
    page = page_with(document, *((80, 100 + 14 * at, f"line {at} of the text of this page", 10) for at in range(8)))
    page.insert_text((30, 500), "arXiv:1234.5678", fontsize=14, rotate=90)
    assert texts(read(engine, document.tobytes()))[-1] == "arXiv:1234.5678"


@pytest.mark.parametrize("engine", ENGINES)
def test_code_keeps_its_lines_and_indentation(engine: Engine) -> None:
    document = pymupdf.open()
    page = page_with(document, (60, 90, "This is how leave is counted by the program:", 10))
    for at, line in enumerate(("def days(grade):", "    if grade:", "        return 25")):
        page.insert_text((60, 120 + 12 * at), line, fontsize=10, fontname="cour")
    assert texts(read(engine, document.tobytes()), "code") == ["def days(grade):\n    if grade:\n        return 25"]


@pytest.mark.parametrize("engine", ENGINES)
def test_needed_password_is_reported_and_owner_password_opens(engine: Engine) -> None:
    document = pymupdf.open()
    page_with(document, (60, 90, "Nobody may copy this.", 12))
    method = {"encryption": pymupdf.PDF_ENCRYPT_AES_256, "owner_pw": "owner"}
    assert "Nobody may copy" in read(engine, document.tobytes(**method)).text
    with pytest.raises(EncryptedSource, match="password"):
        read(engine, document.tobytes(user_pw="secret", **method))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("data", [b"", b"no PDF at all", b"%PDF-1.7\n%%EOF"], ids=["empty", "text", "hollow"])
def test_broken_file_is_reported(engine: Engine, data: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BrokenSource, match=r"handbook\.pdf"):
        read(engine, data)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("engine", ENGINES)
def test_cut_file_gives_what_is_left_or_says_so(engine: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    data = handbook()
    for cut in range(0, len(data), max(len(data) // 12, 1)):
        try:
            read(engine, data[:cut], ocr="never")
        except BrokenSource:
            continue
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("kept", "text", "message"),
    [
        pytest.param(1, "The first half.", "a part of the page is damaged", id="half a page"),
        pytest.param(0, "", "the page is damaged, nothing on it", id="a page"),
    ],
)
def test_content_that_is_lost_is_reported(kept: int, text: str, message: str) -> None:
    document = pymupdf.open()
    page_with(document, (60, 90, "Before.", 12))
    page = page_with(document, (60, 90, "The first half.", 12), (60, 190, "The second half.", 12))
    streams = [*page.get_contents()[:kept], document.pdf_catalog()]  # a catalog is no stream
    document.xref_set_key(page.xref, "Contents", "[" + " ".join(f"{xref} 0 R" for xref in streams) + "]")
    extraction = read(PyMuPDFLoader, document.tobytes(), ocr="never")
    assert texts(extraction) == ["Before.", *filter(None, [text])]
    (problem,) = extraction.problems
    assert problem.page == 2
    assert problem.message.startswith(message)


@pytest.mark.parametrize("engine", ENGINES)
def test_blank_pages_are_no_problem(engine: Engine) -> None:
    document = pymupdf.open()
    document.new_page()
    document.new_page().draw_line((50, 50), (200, 50))
    extraction = read(engine, document.tobytes())
    assert (extraction.text, extraction.problems, extraction.title) == ("", (), "")


@pytest.mark.parametrize("engine", ENGINES)
def test_scan_is_a_problem_where_ocr_is_off(engine: Engine) -> None:
    document = scanned("Annual leave")
    page_with(document, (60, 90, "This page has text of its own, enough of it to be read.", 10))
    extraction = read(engine, document.tobytes(), ocr="never")
    assert [problem.page for problem in extraction.problems] == [1]
    assert "scan" in extraction.problems[0].message
    assert "OCR" in extraction.problems[0].message
    assert texts(extraction) == ["This page has text of its own, enough of it to be read."]


@pytest.mark.parametrize("engine", ENGINES)
def test_scan_is_read_by_ocr_with_its_place(engine: Engine) -> None:
    extraction = read(engine, scanned("Annual leave policy").tobytes())
    assert (extraction.text, extraction.problems) == ("Annual leave policy", ())
    (place,) = extraction.blocks[0].places
    assert place.box == pytest.approx((0.1, 0.12, 0.46, 0.16), abs=0.03)


def test_picture_without_text_is_a_problem() -> None:
    document = pymupdf.open()
    page = document.new_page(width=600, height=800)
    sky = pymupdf.Pixmap(pymupdf.csRGB, pymupdf.IRect(0, 0, 64, 64))
    for row in range(64):
        sky.set_rect(pymupdf.IRect(0, row, 64, row + 1), (row * 3, 90, 255 - row * 3))
    page.insert_image((0, 0, 600, 800), pixmap=sky)
    extraction = read(PyMuPDFLoader, document.tobytes())
    assert extraction.text == ""
    assert [problem.page for problem in extraction.problems] == [1]


@pytest.mark.parametrize("engine", ENGINES)
def test_file_on_disk_and_in_memory_read_alike(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "年假 handbook.pdf"
    path.write_bytes(handbook())
    with path.open("rb") as data:
        assert read(engine, data) == read(engine, handbook())


@pytest.mark.parametrize("engine", ENGINES)
def test_fingerprint_distinguishes_options(engine: Engine) -> None:
    assert engine().fingerprint == engine().fingerprint
    assert len({engine().fingerprint, engine(ocr="never").fingerprint, engine(ocr_dpi=300).fingerprint}) == 3


@pytest.mark.parametrize(
    ("declared", "title"),
    [
        pytest.param("Leave rules of 2026", "Leave rules of 2026", id="sensible"),
        pytest.param("Microsoft Word - x.doc", "Large Words", id="by a program"),
        pytest.param("", "Large Words", id="none"),
    ],
)
@pytest.mark.parametrize("engine", ENGINES)
def test_title_is_of_the_metadata_or_the_first_heading(engine: Engine, declared: str, title: str) -> None:
    document = pymupdf.open()
    page = page_with(document, (60, 120, "Large Words", 26))
    flowing(page, (60, 140, 540, 300), LEFT)
    document.set_metadata({"title": declared})
    assert read(engine, document.tobytes()).title == title


@pytest.mark.parametrize("engine", ENGINES)
def test_bold_word_at_the_start_is_no_heading(engine: Engine) -> None:
    document = pymupdf.open()
    page = page_with(document)
    page.insert_text((60, 100), "Note:", fontsize=10, fontname="hebo")
    page.insert_text((92, 100), "leave is counted in working days, not in days of the week,", fontsize=10)
    page.insert_text((60, 112), "and holidays of the place of work do not count as leave at all.", fontsize=10)
    extraction = read(engine, document.tobytes())
    assert [block.kind for block in extraction.blocks] == ["paragraph"]


@pytest.mark.parametrize("engine", ENGINES)
def test_damaged_page_costs_that_page(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    document = pymupdf.open()
    for at in range(1, 24):
        page_with(document, (60, 90, f"Page number {at} has text enough to be read without OCR.", 10))
    module = engine.__module__
    target = f"{module}.page_of"
    page_of = importlib.import_module(module).page_of

    def fails_on_two(page: Any, number: int, *rest: str) -> Any:
        if number == 2:
            raise ValueError("bad stream")
        return page_of(page, number, *rest)

    monkeypatch.setattr(target, fails_on_two)
    extraction = read(engine, document.tobytes())
    assert [(problem.page, "bad stream" in problem.message) for problem in extraction.problems] == [(2, True)]
    assert len(texts(extraction)) == 22
