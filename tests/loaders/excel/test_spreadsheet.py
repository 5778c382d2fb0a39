import struct
from datetime import date, datetime, time, timedelta
from xml.sax.saxutils import escape

import pytest

from penstock.errors import BrokenSource, EncryptedSource, LimitExceeded
from penstock.loaders.containers import archive
from penstock.loaders.excel.spreadsheet import SpreadsheetLoader, cell_value
from penstock.ports import Loader
from penstock.testing.contracts.loaders import LoaderContract, read, texts
from penstock.testing.doubles.files import compound_of, zip_of

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def workbook(sheets: dict[str, list[list[object]]], **more: str) -> bytes:
    """An XLSX file of these sheets; more parts by their paths, with `__` for `/`."""
    names = list(sheets)
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/></Types>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r" Type="{REL}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{REL}"><sheets>'
        + "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(names, 1))
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        + "".join(
            f'<Relationship Id="r{n}" Type="{REL}/worksheet" Target="worksheets/sheet{n}.xml"/>'
            for n in range(1, len(names) + 1)
        )
        + f'<Relationship Id="s" Type="{REL}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><cellXfs count="2">'
        '<xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
        "</styleSheet>",
    }
    for number, rows in enumerate(sheets.values(), 1):
        parts[f"xl/worksheets/sheet{number}.xml"] = (
            f'<worksheet xmlns="{MAIN}"><sheetData>'
            + "".join(map(_row, rows, range(1, len(rows) + 1)))
            + "</sheetData></worksheet>"
        )
    parts.update({name.replace("__", "/"): content for name, content in more.items()})
    return zip_of(parts)


def _row(cells: list[object], number: int) -> str:
    written = "".join(
        _cell(cell, f"{chr(65 + column)}{number}") for column, cell in enumerate(cells) if cell is not None
    )
    return f'<row r="{number}">{written}</row>'


def _cell(value: object, place: str) -> str:
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, date):
        return f'<c r="{place}" s="1"><v>{(value - date(1899, 12, 30)).days}</v></c>'
    if isinstance(value, (int, float)):
        return f'<c r="{place}"><v>{value}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'


class TestContract(LoaderContract):
    @pytest.fixture
    def loader(self) -> Loader:
        return SpreadsheetLoader()

    @pytest.fixture
    def sample(self) -> bytes:
        return workbook({"年假": [["姓名", "天数"], ["王伟", 10]], "Other": [["x"]]})


def test_sheets_are_headings_and_regions_tables() -> None:
    found = read(
        SpreadsheetLoader(),
        workbook(
            {
                "年假 2026": [
                    ["Annual leave"],
                    [],
                    ["Name", "Days"],
                    [],
                    ["王伟", 10.5],
                    ["Ann\nLee", 25],
                    [],
                    [None, None, "Since", date(2026, 3, 1)],
                    [None, None, "Full", True],
                ],
                "Empty": [],
            }
        ),
    )
    assert found.title == "年假 2026"
    assert [block.kind for block in found.blocks] == ["heading", "paragraph", "table", "table"]
    assert texts(found)[1:] == [
        "Annual leave",
        "Name | Days\n王伟 | 10.5\nAnn Lee | 25",
        "Since | 2026-03-01\nFull | TRUE",
    ]
    assert {(place.page, place.label) for block in found.blocks for place in block.places} == {(1, "年假 2026")}


@pytest.mark.parametrize(
    ("rows", "tables"),
    [
        pytest.param([["a", "b"], [], ["c"]], ["a | b", "c"], id="a row of names over nothing of its width"),
        pytest.param([["a", "b"]], ["a | b"], id="a row of names alone"),
        pytest.param([["a", "b"], [], ["c", "d"], [], ["e", "f"]], ["a | b\nc | d", "e | f"], id="joined once"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_a_row_of_names_stays_with_what_it_names(rows: list[list[object]], tables: list[str]) -> None:
    assert texts(read(SpreadsheetLoader(), workbook({"s": rows})))[1:] == tables


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (0.1 + 0.2, "0.3"),
        (1e15, "1000000000000000"),
        (1e300, "1e+300"),
        (-2.5, "-2.5"),
        (7, "7"),
        (False, "FALSE"),
        (time(9, 30), "09:30:00"),
        (datetime(2026, 1, 2, 3, 4, 5), "2026-01-02 03:04:05"),
        (date(2026, 1, 2), "2026-01-02"),
        (timedelta(hours=30, seconds=5), "30:00:05"),
        (timedelta(hours=-1), "-1:00:00"),
        (" x ", "x"),
    ],
)
def test_values_are_written_for_readers(value: object, text: str) -> None:
    assert cell_value(value) == text


def test_what_is_drawn_on_a_sheet_is_read() -> None:
    rels = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
    found = read(
        SpreadsheetLoader(),
        workbook(
            {"s": [["x", "y"]], "only drawn": []},
            **{
                "xl__worksheets___rels__sheet2.xml.rels": rels.format(
                    f'<Relationship Id="d" Type="{REL}/drawing" Target="../drawings/drawing1.xml"/>'
                ),
                "xl__drawings__drawing1.xml": "<wsDr><sp><txBody><p><t>in a </t><t>box</t></p></txBody></sp></wsDr>",
                "xl__drawings___rels__drawing1.xml.rels": rels.format(
                    f'<Relationship Id="c" Type="{REL}/chart" Target="../charts/chart1.xml"/>'
                    f'<Relationship Id="m" Type="{REL}/diagramData" Target="../diagrams/data1.xml"/>'
                    f'<Relationship Id="n" Type="{REL}/chart" Target="missing.xml"/>'
                ),
                "xl__charts__chart1.xml": "<chart><title><t>Sales</t></title>"
                "<ser><val><pt><v>3</v></pt></val></ser></chart>",
                "xl__diagrams__data1.xml": "<dataModel><pt><t><p>Boss</p></t></pt></dataModel>",
            },
        ),
    )
    assert texts(found)[2:] == ["only drawn", "in a box", "Sales\n3", "- Boss"]
    assert found.blocks[-1].places[0].page == 2


def test_damage_is_named() -> None:
    with pytest.raises(BrokenSource, match="workbook"):
        read(SpreadsheetLoader(), zip_of({"a": "b"}))
    with pytest.raises(BrokenSource, match="zip"):
        read(SpreadsheetLoader(), b"PK\x03\x04")
    with pytest.raises(BrokenSource):
        read(SpreadsheetLoader(), b"no workbook at all")
    with pytest.raises(BrokenSource):
        read(SpreadsheetLoader(), archive.OLE_MAGIC + b"x")


def test_a_damaged_sheet_is_a_problem_and_the_others_are_read() -> None:
    content = workbook({"good": [["x", "y"]], "bad": [["z"]]}, **{"xl__worksheets__sheet3.xml": "<a"})
    broken = workbook(
        {"good": [["x", "y"]], "bad": []}, **{"xl__worksheets__sheet2.xml": "<worksheet><sheetData><row><c"}
    )
    assert read(SpreadsheetLoader(), content).problems == ()
    found = read(SpreadsheetLoader(), broken)
    assert texts(found, "table") == ["x | y"]
    assert [problem.page for problem in found.problems] == [2]


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 100)
    with pytest.raises(LimitExceeded):
        read(SpreadsheetLoader(), workbook({"s": [["x"]]}))


LOCKED_BOOK = struct.pack("<HH16s", 0x809, 16, b"") + struct.pack("<HH6s", 0x2F, 6, b"")


@pytest.mark.parametrize(
    "streams", [{"EncryptedPackage": b"x"}, {"Workbook": LOCKED_BOOK}, {"Book": LOCKED_BOOK}], ids=["new", "xls", "old"]
)
def test_a_password_is_named(streams: dict[str, bytes]) -> None:
    with pytest.raises(EncryptedSource, match="without a password"):
        read(SpreadsheetLoader(), compound_of(streams))


def test_a_binary_book_that_says_nothing_is_broken() -> None:
    with pytest.raises(BrokenSource):
        read(SpreadsheetLoader(), compound_of({"Workbook": b"\0" * 50}))
