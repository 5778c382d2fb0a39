"""Broken lines are joined as a reader would."""

import pytest

from penstock.pipelines.cleaning.line_joining import Words, begins_item, joined, reflowed, reflowed_list, unspaced

NONE = Words([])


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param("the water", "falls", "the water falls", id="words"),
        pytest.param("infor-", "mation", "information", id="hyphen"),
        pytest.param("infor\u2010", "mation", "information", id="true hyphen"),
        pytest.param("a well-", "known fact", "a well-known fact", id="usual compound"),
        pytest.param("long-", "term plan", "long-term plan", id="usual second part"),
        pytest.param("Anglo-", "Saxon", "Anglo-Saxon", id="capital"),
        pytest.param("COVID-", "19", "COVID-19", id="number"),
        pytest.param("pre-", "and post-war", "pre- and post-war", id="suspended"),
        pytest.param("https://a.example/long-", "path", "https://a.example/long-path", id="address"),
        pytest.param("a -", "b", "a - b", id="dash"),
        pytest.param("水从水库", "流下", "水从水库流下", id="chinese"),
        pytest.param("流下，", "then", "流下，then", id="after full-width mark"),
        pytest.param("使用", "PyTorch", "使用 PyTorch", id="chinese and latin"),
        pytest.param("said “no”", "and left", "said “no” and left", id="shared quotes in english"),
        pytest.param("他说“好”", "然后", "他说“好”然后", id="shared quotes in chinese"),
        pytest.param("한국어", "문장", "한국어 문장", id="korean"),
        pytest.param("", "a", "a", id="empty"),
    ],
)
def test_joined(before: str, after: str, expected: str) -> None:
    assert joined(before, after, NONE) == expected


def test_the_document_itself_says_which_words_have_a_hyphen() -> None:
    words = Words(["We co-operate. An email came; a self-test, a selftest, a selftest."])
    assert joined("co-", "operate", words) == "co-operate"
    assert joined("e-", "mail", words) == "email"
    assert joined("self-", "test", words) == "selftest"


def test_words_that_are_broken_themselves_say_nothing() -> None:
    assert joined("infor-", "mation", Words(["infor-\nmation infor-\nmation"])) == "information"


WRAPPED = [
    "The water in the reservoir flows down through",
    "a pipe that is called a penstock, and turns",
    "the turbine.",
]
ADDRESS = ["Ann Lee", "12 Main Street", "Springfield"]


def test_lines_that_the_page_broke_are_one() -> None:
    assert reflowed(WRAPPED, NONE) == [" ".join(WRAPPED)]
    chinese = ["水从水库流向水轮机并推动水轮机转动发电", "然后流入下游河道"]
    assert reflowed(chinese, NONE) == ["".join(chinese)]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(ADDRESS, id="address"),
        pytest.param(["From: Ann Lee, the Reservoir Company", "To: Bob", "Subject: water"], id="fields"),
        pytest.param(["short", "a line that is far longer than the one before it"], id="one short line"),
        pytest.param(["single"], id="single"),
    ],
)
def test_lines_that_were_broken_on_purpose_stay(lines: list[str]) -> None:
    assert reflowed(lines, NONE) == lines


def test_items_inside_a_paragraph_keep_their_lines() -> None:
    lines = [*WRAPPED, "1) the first of the points that are made here", "2) the second of the points made"]
    assert len(reflowed(lines, NONE)) == 3


def test_a_list_joins_what_goes_on_with_an_item() -> None:
    lines = ["• a long item that runs over the", "end of its line", "• a second", "• third, infor-", "mation"]
    assert reflowed_list(lines, NONE) == [
        "• a long item that runs over the end of its line",
        "• a second",
        "• third, information",
    ]
    assert reflowed_list(["apples", "pears"], NONE) == ["apples", "pears"]
    assert reflowed_list([], NONE) == []


@pytest.mark.parametrize(
    "line", ["• a", "- a", "1. a", "(2) a", "a) b", "（一）甲", "三、乙", "第十二条 丙", "①丁", "日期：今天", "To: b"]
)
def test_begins_item(line: str) -> None:
    assert begins_item(line)


@pytest.mark.parametrize("line", ["plain", "-5 degrees", "3.5 metres", "it is: so", "水库"])
def test_begins_no_item(line: str) -> None:
    assert not begins_item(line)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("年 度 报 告", "年度报告"),
        ("目 录", "目录"),
        ("姓名 张三", "姓名 张三"),
        ("第一章 总 则", "第一章 总 则"),
        ("a b c", "a b c"),
    ],
)
def test_unspaced(text: str, expected: str) -> None:
    assert unspaced(text) == expected
