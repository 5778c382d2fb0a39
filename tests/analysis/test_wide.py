"""How wide text is, and where two lines of it become one without a space."""

import unicodedata

import pytest

from penstock.analysis.scripts import is_cjk
from penstock.analysis.wide import is_solid, one_line, stand_solid, text_width, unwrapped


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param("我爱𠮷", "野家", True, id="extension B"),
        pytest.param("我爱", "\U000323b0野家", True, id="extension J"),
        pytest.param("〆", "切", True, id="closing mark of Japanese"),
        pytest.param("カ", "\U0001b000", True, id="kana of the supplement"),
        pytest.param("ㄅㄆ", "ㄇ", True, id="bopomofo"),
        pytest.param("２０２４", "年", True, id="full-width digits"),
        pytest.param("㎡", "的", True, id="a unit in one square"),
        pytest.param("流下，", "then", True, id="full-width mark"),
        pytest.param("then", "（注", True, id="full-width bracket"),
        pytest.param("ａｂ", "then", False, id="full-width letters are no marks"),
        pytest.param("使用", "PyTorch", False, id="chinese and latin"),
        pytest.param("한국어", "문장", False, id="hangul"),
        pytest.param("한", "年", False, id="hangul and han"),
        pytest.param("㈀", "㉠", False, id="hangul in circles"),
        pytest.param("他说“好”", "然后", True, id="shared marks beside han"),
        pytest.param("“好。”", "“好吧。”", True, id="shared marks on both sides, chinese"),
        pytest.param("“Yes.”", "“No.”", False, id="shared marks on both sides, english"),
        pytest.param("—", "“", False, id="nothing but shared marks"),
        pytest.param("", "年", False, id="nothing before"),
        pytest.param("年", "", False, id="nothing behind"),
    ],
)
def test_where_no_space_belongs(before: str, after: str, expected: bool) -> None:
    assert stand_solid(before, after) is expected


def test_every_han_character_of_unicode_is_han_wide_and_solid() -> None:
    named = [chr(code) for code in range(0x110000) if unicodedata.name(chr(code), "").startswith("CJK UNIFIED")]
    assert len(named) > 90_000
    assert [
        character
        for character in named
        if not (is_cjk(character) and is_solid(character) and text_width(character) == 2)
    ] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("water", 5, id="latin"),
        pytest.param("é", 1, id="accent"),
        pytest.param("𠮷野家", 6, id="han"),
        pytest.param("한", 2, id="hangul"),
        pytest.param("ＡＢ", 4, id="full-width"),
        pytest.param("ｶﾅ", 2, id="half-width"),
        pytest.param("\ue000", 1, id="private use"),
    ],
)
def test_width(text: str, expected: int) -> None:
    assert text_width(text) == expected


def test_lines_become_one() -> None:
    assert unwrapped("我爱𠮷\r\n\t野家\nand\n\nmore, Stra\nße") == "我爱𠮷野家 and more, Stra ße"
    assert one_line("  我爱𠮷\n野家  的\u3000菜单 ") == "我爱𠮷野家 的 菜单"
