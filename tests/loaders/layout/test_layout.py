"""From pieces on a page to blocks in reading order, whatever engine gave the pieces."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.loaders.layout.columns import reading_order
from penstock.loaders.layout.paged_document import PagedDocument, page_drafts
from penstock.loaders.layout.pages import OutlineEntry, Page, Piece, Rect, turned
from penstock.loaders.layout.text_rows import cells_of, joined, rows_of
from penstock.loaders.pdf.fonts import names_bold, names_mono
from tests.examples import examples

SENTENCE = "some words that fill the line of text"


def piece(text: str, left: float, top: float, *, size: float = 10, width: float = 0, boldness: float = 0) -> Piece:
    wide = width or 0.5 * size * len(text)
    return Piece(text=text, rect=Rect(left, top, left + wide, top + size), size=size, boldness=boldness)


def page(*pieces: Piece, number: int = 1, turns: int = 0, measured: bool = True) -> Page:
    return Page(number=number, width=600, height=800, pieces=pieces, turns=turns, measured=measured)


def kinds(*pieces: Piece) -> list[tuple[str, str]]:
    return [(draft.kind, draft.text) for draft in page_drafts(page(*pieces))]


def lines(texts: list[str], *, left: float = 60, top: float = 200, size: float = 10) -> list[Piece]:
    return [piece(text, left, top + 1.3 * size * at, size=size) for at, text in enumerate(texts)]


def test_three_columns_are_read_from_left_to_right() -> None:
    columns = [
        [piece(f"{name}{at} {SENTENCE}", left, 100 + 13 * at, width=170) for at in range(8)]
        for name, left in (("a", 20), ("b", 210), ("c", 400))
    ]
    mixed = [column[at] for at in range(8) for column in columns]
    order = "".join(piece.text[0] for part in reading_order(mixed) for piece in part)
    assert order == "a" * 8 + "b" * 8 + "c" * 8


def test_title_across_columns_parts_them_into_bands() -> None:
    def band(top: float, name: str) -> list[Piece]:
        return [
            piece(f"{name}{side} {SENTENCE}", left, top + 13 * at, width=240)
            for at in range(5)
            for side, left in (("l", 40), ("r", 320))
        ]

    pieces = [
        piece("t across both columns", 40, 80, width=500),
        *band(100, "1"),
        piece("m across both columns", 40, 200, width=500),
        *band(230, "2"),
    ]
    order = [piece.text[:2].strip() for part in reading_order(pieces) for piece in part]
    assert order == ["t"] + ["1l"] * 5 + ["1r"] * 5 + ["m"] + ["2l"] * 5 + ["2r"] * 5


def test_columns_of_a_table_are_not_read_one_after_the_other() -> None:
    pieces = [
        piece(text, left, 100 + 14 * at) for at in range(6) for text, left in (("item", 60), ("12", 300), ("34", 400))
    ]
    assert kinds(*pieces) == [("table", "\n".join(["item | 12 | 34"] * 6))]


@given(
    st.lists(
        st.tuples(st.floats(0, 590), st.floats(0, 790), st.integers(1, 60), st.sampled_from([6, 10, 24])), max_size=60
    )
)
@settings(deadline=None, max_examples=examples(60))
def test_nothing_is_lost_or_doubled(spots: list[tuple[float, float, int, int]]) -> None:
    pieces = [
        piece(f"w{at}" + "x" * length, left, top, size=size) for at, (left, top, length, size) in enumerate(spots)
    ]
    words = " ".join(draft.text.replace("|", " ") for draft in page_drafts(page(*pieces))).split()
    assert sorted("".join(words)) == sorted("".join(piece.text for piece in pieces))


@given(st.tuples(*[st.floats(0, 1)] * 4), st.integers(0, 3))
def test_places_are_those_of_the_page_before_it_was_turned(corners: tuple[float, ...], turns: int) -> None:
    left, right = sorted(corners[:2])
    top, bottom = sorted(corners[2:])
    rect, width, height = Rect(600 * left, 800 * top, 600 * right, 800 * bottom), 600.0, 800.0
    for _ in range(turns):
        rect, width, height = turned(rect, height), height, width
    shown = Page(number=1, width=width, height=height, pieces=(), turns=turns).place(rect)
    assert shown.box == pytest.approx((left, top, right, bottom), abs=0.001)


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        pytest.param([piece("leave", 0, 0, width=25), piece("days", 28, 0, width=20)], "leave days", id="gap"),
        pytest.param([piece("H", 0, 0, width=6), piece("2", 6, 2, size=6, width=3)], "H2", id="index"),
        pytest.param([piece("年假", 0, 0, width=20), piece("规定", 20, 0, width=20)], "年假规定", id="chinese"),
        pytest.param([piece("later", 60, 1), piece("first", 0, 0)], "first later", id="out of order"),
    ],
)
def test_pieces_of_a_line_are_joined(pieces: list[Piece], text: str) -> None:
    (row,) = rows_of(pieces)
    assert joined(row.pieces) == text


def test_currency_sign_belongs_to_its_number() -> None:
    (row,) = rows_of(
        [piece("Sales", 0, 0), piece("$", 100, 0), piece("1,234", 130, 0), piece("(12", 300, 0), piece(")%", 330, 0)]
    )
    assert [text for text, _ in cells_of(row)] == ["Sales", "$ 1,234", "(12 )%"]


def test_table_keeps_its_columns_where_cells_are_missing() -> None:
    rows = [("Name", "2024", "2025"), ("Sales", "10", "12"), ("Costs", "", "7"), ("Profit", "1", "5")]
    pieces = [
        piece(text, left, 100 + 14 * at)
        for at, row in enumerate(rows)
        for text, left in zip(row, (60, 200, 300), strict=True)
        if text
    ]
    assert kinds(*pieces)[0][1].splitlines()[2] == "Costs |  | 7"


def test_text_beside_text_is_no_table() -> None:
    pieces = [
        piece(f"{side} {SENTENCE}", left, 100 + 14 * at, width=150)
        for at in range(2)
        for side, left in (("l", 60), ("r", 300))
    ]
    assert all(kind != "table" for kind, _ in kinds(*pieces))


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param(["• first point", "• second point"], id="bullets"),
        pytest.param(["1. first point", "2. second point"], id="numbers"),
        pytest.param(["(a) first point", "(b) second point"], id="letters"),
        pytest.param(["（一）第一点", "（二）第二点"], id="chinese"),
    ],
)
def test_each_item_of_a_list_is_a_block(texts: list[str]) -> None:
    assert kinds(*lines(texts)) == [("list", text) for text in texts]


@pytest.mark.parametrize("text", ["Figure 3: Sales by year", "Fig. 1. A neuron", "图3 年度销售额", "表 2-1：收入"])
def test_captions_are_known_by_their_beginning(text: str) -> None:
    assert kinds(*lines([text])) == [("caption", text)]


@pytest.mark.parametrize("text", ["Table 3 shows that sales have grown", "图书馆的规定"])
def test_sentences_are_no_captions(text: str) -> None:
    assert kinds(*lines([text])) == [("paragraph", text)]


def test_indented_first_line_starts_a_paragraph() -> None:
    full = SENTENCE + " and more of it"
    first, second = [full, full, "the end"], [full, full]
    pieces = lines([*first, *second])
    pieces[3] = piece(second[0], 80, 200 + 13 * 3)
    assert [text.splitlines() for _, text in kinds(*pieces)] == [first, second]


def test_hanging_lines_stay_with_their_entry() -> None:
    full = "A. Author: " + SENTENCE
    pieces = [
        piece(full, 60, 200),
        piece("further line of it", 80, 213),
        piece("last line of it", 80, 226),
        piece(full, 60, 239),
    ]
    assert [text.count("\n") for _, text in kinds(*pieces)] == [2, 0]


def extraction(*pages: Page, outline: tuple[OutlineEntry, ...] = (), title: str = "") -> list[tuple[str, int, str]]:
    document = PagedDocument(outline=outline)
    for page in pages:
        document.add(page)
    result = document.finish(title=title)
    return [(block.kind, block.level, result.text[slice(*block.span)]) for block in result.blocks]


BODY = lines([SENTENCE] * 12, top=300)


def test_levels_follow_the_letters_where_there_is_no_outline() -> None:
    blocks = extraction(
        page(
            piece("Part One", 60, 120, size=20),
            piece("Chapter A", 60, 180, size=15),
            piece("Bold words", 60, 250, boldness=1),
            *BODY,
        )
    )
    assert blocks[:3] == [("heading", 1, "Part One"), ("heading", 2, "Chapter A"), ("heading", 3, "Bold words")]


def test_outline_gives_levels_whatever_the_letters_are() -> None:
    outline = (OutlineEntry(level=2, title="2.1  Carried over", page=1),)
    blocks = extraction(page(piece("2.1 Carried Over", 60, 250), *BODY), outline=outline)
    assert blocks[0] == ("heading", 2, "2.1 Carried Over")


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(piece("12,345 %", 60, 250, size=20), id="number"),
        pytest.param(piece("x", 60, 250, size=20), id="letter"),
        pytest.param(piece("A bold sentence ends like this.", 60, 250, boldness=1), id="bold sentence"),
        pytest.param(piece("Figure 1: Large letters", 60, 250, size=20), id="caption"),
    ],
)
def test_what_is_no_heading(shown: Piece) -> None:
    assert extraction(page(shown, *BODY))[0][0] != "heading"


def test_running_header_is_no_heading_however_large() -> None:
    pages = [page(piece(f"Report {at}", 60, 30, size=13), *BODY, number=at) for at in range(1, 5)]
    assert not [block for block in extraction(*pages) if block[0] == "heading"]


def test_letters_of_a_picture_must_be_much_larger() -> None:
    nearly, much = piece("Nearly", 60, 200, size=12.5), piece("Much larger", 60, 100, size=18)
    assert [block[2] for block in extraction(page(much, nearly, *BODY, measured=False)) if block[0] == "heading"] == [
        "Much larger"
    ]


def test_empty_document_has_nothing() -> None:
    assert extraction(page()) == []


def test_names_of_fonts() -> None:
    assert names_bold("ABCDEF+NimbusRomNo9L-Medi")
    assert names_mono("Courier New")
    assert not names_mono("GlyphLessFont")
