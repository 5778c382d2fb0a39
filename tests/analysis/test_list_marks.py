"""How an item of a list begins: one answer for layout, plain text and cleaning."""

import pytest

from penstock.analysis.list_marks import has_sign, is_chapter, list_mark


@pytest.mark.parametrize(
    ("line", "mark"),
    [
        pytest.param("• one", "• ", id="bullet"),
        pytest.param("•一", "•", id="bullet without space"),
        pytest.param("•2024", "•", id="bullet before a number"),
        pytest.param("❖ one", "❖ ", id="ornament"),
        pytest.param("\uf0b7 one", "\uf0b7 ", id="bullet of Symbol"),
        pytest.param("·项目", "·", id="dot"),
        pytest.param("•", "•", id="nothing but its bullet"),
        pytest.param("●●○○○", "", id="rating"),
        pytest.param("- one", "- ", id="hyphen"),
        pytest.param("— one", "— ", id="dash"),
        pytest.param("-5 degrees", "", id="minus"),
        pytest.param("—which is so", "", id="dash inside a sentence"),
        pytest.param("*Corresponding author", "", id="mark of a note"),
        pytest.param("1. one", "1. ", id="number"),
        pytest.param("1.2. one", "1.2. ", id="number of two"),
        pytest.param("3.5 mm", "", id="fraction"),
        pytest.param("2024. It was", "", id="year"),
        pytest.param("1) one", "1) ", id="number and bracket"),
        pytest.param("（1）一", "（1）", id="full-width brackets"),
        pytest.param("(1)𠮷野", "(1)", id="before Han of the second plane"),
        pytest.param("(iv) four", "(iv) ", id="roman"),
        pytest.param("(a)The first", "(a)", id="letter before a capital"),
        pytest.param("(s)he", "", id="letter of a word"),
        pytest.param("（三）三", "（三）", id="Chinese numeral"),
        pytest.param("三、总则", "三、", id="Chinese numeral and comma"),
        pytest.param("三、四级", "", id="two numerals"),
        pytest.param("3、三", "3、", id="number and Chinese comma"),
        pytest.param("3、4 级", "", id="two numbers"),
        pytest.param("①一", "①", id="number in a circle"),
        pytest.param("a. one", "a. ", id="letter"),
        pytest.param("v. Wade", "", id="against"),
        pytest.param("p. 12", "", id="page"),
        pytest.param("word", "", id="word"),
        pytest.param("", "", id="empty"),
    ],
)
def test_marks(line: str, mark: str) -> None:
    assert list_mark(line) == mark


def test_signs_and_chapters() -> None:
    assert [has_sign(line) for line in ("– one", "■ one", "1. one", "one")] == [True, True, False, False]
    assert [is_chapter(line) for line in ("第三章 总则", "第12条", "第一部 总论", "第三者", "第一部分")] == [
        *[True] * 3,
        *[False] * 2,
    ]
