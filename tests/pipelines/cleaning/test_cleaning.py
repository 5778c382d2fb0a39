"""Running headers become furniture, paragraphs are joined, and spans fit the cleaned text."""

import pytest

from penstock.model import BlockKind, Box, Extraction, ExtractionWriter, Place
from penstock.pipelines.cleaning.cleaning import CLEANING_VERSION, clean
from penstock.pipelines.cleaning.furniture import furniture

TOP, BODY, FOOT = Box(0.1, 0.03, 0.9, 0.05), Box(0.1, 0.2, 0.9, 0.8), Box(0.1, 0.95, 0.9, 0.97)
TITLE_OF_A_SLIDE = Box(0.1, 0.06, 0.9, 0.11)

Given = tuple[BlockKind, str, int, Box | None]


def extraction(*blocks: Given, title: str = "") -> Extraction:
    writer = ExtractionWriter()
    for kind, text, page, box in blocks:
        writer.add(kind, text, places=(Place(page=page, box=box),) if page else ())
    writer.problem("page 9 is a picture", page=9)
    return writer.finish(title=title)


def kinds_and_texts(cleaned: Extraction) -> list[tuple[str, str]]:
    return [(block.kind, cleaned.text[block.span.start : block.span.end]) for block in cleaned.blocks]


def furniture_of(cleaned: Extraction) -> list[str]:
    return [text for kind, text in kinds_and_texts(cleaned) if kind == "furniture"]


def pages(count: int, *, head: str = "", foot: str = "", box: bool = True) -> list[Given]:
    given: list[Given] = []
    for page in range(1, count + 1):
        words = "abcdefgh"[page - 1] * 4
        given += [("paragraph", head.format(page), page, TOP if box else None)] if head else []
        given += [
            ("paragraph", f"Body {words} {side}.", page, BODY if box else None) for side in ("one", "two", "three")
        ]
        given += [("paragraph", foot.format(page), page, FOOT if box else None)] if foot else []
    return given


@pytest.mark.parametrize(
    ("head", "foot"),
    [
        pytest.param("Annual Report", "{}", id="header and page number"),
        pytest.param("Annual Report | {}", "Page {} of 3", id="header with number"),
        pytest.param("年度报告", "第 {} 页 共 3 页", id="chinese"),
        pytest.param("  ANNUAL   report ", "- {} -", id="dashes"),
    ],
)
def test_what_runs_over_pages_is_furniture_at_the_end(head: str, foot: str) -> None:
    cleaned = clean(extraction(*pages(3, head=head, foot=foot)))
    assert [kind for kind, _ in kinds_and_texts(cleaned)] == ["paragraph"] * 9 + ["furniture"] * 6
    assert all(block.places[0].page for block in cleaned.blocks)


def test_without_boxes_first_and_last_blocks_are_compared() -> None:
    cleaned = clean(extraction(*pages(4, head="Annual Report", foot="{}", box=False)))
    assert len(furniture_of(cleaned)) == 8


def test_left_and_right_pages_may_have_headers_of_their_own() -> None:
    given = [*pages(8)]
    given += [("paragraph", "Left" if page % 2 else "Right", page, TOP) for page in range(1, 9)]
    given.sort(key=lambda block: block[2])
    assert len(furniture_of(clean(extraction(*given)))) == 8


@pytest.mark.parametrize(
    ("count", "head", "found"),
    [
        pytest.param(1, "Annual Report", 0, id="one page"),
        pytest.param(2, "Annual Report", 2, id="two pages, the same line at the same height"),
        pytest.param(2, "Table {}", 0, id="two pages, another number"),
        pytest.param(2, "Page {}", 2, id="two page numbers"),
        pytest.param(4, "(in millions)", 0, id="a unit above a table that goes on"),
    ],
)
def test_few_pages_say_less(count: int, head: str, found: int) -> None:
    assert len(furniture_of(clean(extraction(*pages(count, head=head))))) == found


def test_numbers_that_do_not_count_pages_are_no_furniture() -> None:
    numbered = [("paragraph", f"EXHIBIT 31.{number}", page, TOP) for number, page in enumerate([1, 2, 5, 7], 1)]
    assert furniture_of(clean(extraction(*pages(8), *numbered))) == []  # type: ignore[arg-type]  # tuples of literals


def test_the_same_line_at_different_heights_is_no_furniture() -> None:
    moved = [
        ("paragraph", "Note", page, Box(0.1, height, 0.9, height + 0.02))
        for page, height in ((1, 0.0), (2, 0.04), (3, 0.08))
    ]
    assert furniture_of(clean(extraction(*pages(3), *moved))) == []  # type: ignore[arg-type]  # tuples of literals


def test_titles_of_slides_are_no_furniture() -> None:
    slides: list[Given] = []
    for page in range(1, 6):
        slides += [("heading", f"Results ({page})", page, TITLE_OF_A_SLIDE), ("list", f"- point {page}", page, BODY)]
    assert furniture_of(clean(extraction(*slides))) == []


def test_what_a_loader_calls_furniture_stays_so() -> None:
    cleaned = clean(extraction(("furniture", "Draft", 0, None), ("paragraph", "Body.", 0, None)))
    assert kinds_and_texts(cleaned) == [("paragraph", "Body."), ("furniture", "Draft")]


def test_furniture_is_looked_for_again_behind_what_was_found() -> None:
    given: list[Given] = []
    for page in range(1, 5):
        for text in (
            "Annual Report",
            "Reservoir Company",
            f"Body {'abcd'[page - 1]}",
            "more",
            f"last {'abcd'[page - 1]}",
        ):
            given.append(("paragraph", text, page, None))
    cleaned = extraction(*given)
    texts = [cleaned.text[block.span.start : block.span.end] for block in cleaned.blocks]
    assert {texts[number] for number in furniture(cleaned.blocks, texts)} == {"Annual Report", "Reservoir Company"}


def test_a_paragraph_goes_on_over_a_page_and_keeps_both_places() -> None:
    given = pages(3, head="Annual Report", foot="{}")
    given[3] = ("paragraph", "The turbine turns when the wa-", 1, BODY)
    given[6] = ("paragraph", "ter falls.", 2, BODY)
    cleaned = clean(extraction(*given))
    (whole,) = [block for block in cleaned.blocks if "turbine" in cleaned.text[block.span.start : block.span.end]]
    assert cleaned.text[whole.span.start : whole.span.end] == "The turbine turns when the water falls."
    assert [place.page for place in whole.places] == [1, 2]


@pytest.mark.parametrize(
    ("first", "second", "page", "joined"),
    [
        pytest.param("The water", "falls down.", 1, True, id="small letter"),
        pytest.param("The water", "Falls down.", 2, False, id="capital"),
        pytest.param("The water falls.", "it turns", 2, False, id="sentence has ended"),
        pytest.param("The parts are:", "a pipe", 1, False, id="colon"),
        pytest.param("The water", "a) falls", 2, False, id="item"),
        pytest.param("水从水库流下，", "推动水轮机。", 1, True, id="chinese comma"),
        pytest.param("水从高处的水库沿着压力管道流", "下并且推动水轮机转动发电。", 2, True, id="chinese over a page"),
        pytest.param("水从高处的水库沿着压力管道流", "下并且推动水轮机转动发电。", 1, False, id="chinese on one page"),
        pytest.param("目录", "水从高处的水库沿着压力管道流下。", 2, False, id="chinese title"),
    ],
)
def test_when_a_paragraph_goes_on(first: str, second: str, page: int, joined: bool) -> None:
    cleaned = clean(extraction(("paragraph", first, 1, BODY), ("paragraph", second, page, BODY)))
    assert len(cleaned.blocks) == (1 if joined else 2)


def test_code_and_tables_keep_their_lines() -> None:
    code = "def f(x):\n    return  x-\n\n    # end"
    table = "Name | Days\nAnn Lee, Reservoir | 10\nBob | 5"
    cleaned = clean(extraction(("code", code, 0, None), ("table", table, 0, None)))
    assert kinds_and_texts(cleaned) == [("code", code), ("table", table)]


def test_a_heading_is_one_line() -> None:
    cleaned = clean(
        extraction(
            ("heading", "第一章\n总　则", 0, None), ("heading", "The water\nof life", 0, None), title=" A \n title"
        )
    )
    assert kinds_and_texts(cleaned) == [("heading", "第一章总则"), ("heading", "The water of life")]
    assert cleaned.title == "A title"


def test_blocks_that_say_nothing_go_and_problems_stay() -> None:
    cleaned = clean(extraction(("paragraph", "\u200b\ue000", 1, BODY), ("paragraph", "Body.", 1, BODY)))
    assert kinds_and_texts(cleaned) == [("paragraph", "Body.")]
    assert [problem.page for problem in cleaned.problems] == [9]


def test_the_version_is_named() -> None:
    assert CLEANING_VERSION.startswith("cleaning-")


def test_text_without_sentence_ends_does_not_become_one_paragraph_over_all_pages() -> None:
    given: list[Given] = [
        ("paragraph", f"words {'abcdefgh'[page]} without an end", page + 1, BODY) for page in range(8)
    ]
    cleaned = clean(extraction(*given))
    assert [len(block.places) for block in cleaned.blocks] == [2, 2, 2, 2]
    assert clean(cleaned) == cleaned
