import pytest
from lxml import etree

from penstock.loaders.word.numbering import BULLET, Numbering, write_number


@pytest.mark.parametrize(
    ("value", "style", "written"),
    [
        (4, "decimal", "4"),
        (4, "decimalZero", "04"),
        (27, "lowerLetter", "aa"),
        (1999, "upperRoman", "MCMXCIX"),
        (0, "upperRoman", "0"),
        (0, "upperLetter", "0"),
        (3, "none", ""),
        (21, "ordinal", "21st"),
        (12, "ordinal", "12th"),
        (3, "chineseCounting", "三"),
        (10, "japaneseCounting", "十"),
        (20, "chineseCountingThousand", "二十"),
        (34, "taiwaneseCounting", "三十四"),
        (100, "chineseCounting", "100"),
        (2, "ideographTraditional", "乙"),
        (3, "ideographZodiac", "寅"),
        (3, "decimalEnclosedCircle", "③"),
        (5, "no such style", "5"),
    ],
)
def test_numbers_are_written_as_word_writes_them(value: int, style: str, written: str) -> None:
    assert write_number(value, style) == written


def numbering(levels: str, override: str = "") -> Numbering:
    return Numbering(
        etree.fromstring(
            f'<numbering><abstractNum abstractNumId="0">{levels}</abstractNum><num numId="1"><abstractNumId val="0"/>'
            f"{override}</num></numbering>"
        )
    )


def level(depth: int, style: str, text: str, more: str = "") -> str:
    return f'<lvl ilvl="{depth}"><start val="1"/><numFmt val="{style}"/><lvlText val="{text}"/>{more}</lvl>'


def test_a_deeper_level_starts_again_below_a_new_number() -> None:
    lists = numbering(level(0, "upperRoman", "%1.") + level(1, "decimal", "%1.%2"))
    assert [lists.label("1", depth) for depth in (0, 1, 1, 0, 1)] == ["I.", "I.1", "I.2", "II.", "II.1"]


def test_legal_numbers_are_all_digits() -> None:
    lists = numbering(level(0, "upperRoman", "%1.") + level(1, "decimal", "%1.%2", "<isLgl/>"))
    assert [lists.label("1", depth) for depth in (0, 1)] == ["I.", "1.1"]


def test_a_level_may_be_replaced_and_bullets_are_one() -> None:
    lists = numbering(level(0, "decimal", "%1."), f'<lvlOverride ilvl="0">{level(0, "bullet", "x")}</lvlOverride>')
    assert lists.label("1", 0) == BULLET
    assert lists.label("1", 5) == ""
    assert lists.label("2", 0) is None
    assert Numbering(None).label("1", 0) is None
