"""Numbers in Chinese characters have the value that a reader gives them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.analysis.numerals import numbers


def spelled(number: int) -> str:
    """The number in Chinese characters: written by taking it apart, where the product puts it together."""
    for large, name in ((10**8, "亿"), (10**4, "万")):
        if number >= large:
            high, low = divmod(number, large)
            return spelled(high) + name + (("零" if low < large // 10 else "") + spelled(low) if low else "")
    text, gap = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            text += ("零" if gap and text else "") + "零一二三四五六七八九"[digit] + name
        gap = not digit
    return text


@given(st.integers(10, 10**12 - 1))
def test_reads_what_is_spelled(number: int) -> None:
    assert list(numbers(spelled(number))) == ([str(number)] if len(spelled(number)) > 1 else [])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("第三十五条", ["35"], id="article"),
        pytest.param("十二个月", ["12"], id="ten without one"),
        pytest.param("二〇二四年一月", ["2024"], id="year"),
        pytest.param("一百二十万元", ["1200000"], id="ten thousands"),
        pytest.param("三亿五千万", ["350000000"], id="hundred millions"),
        pytest.param("千万不要", [], id="by all means"),
        pytest.param("一", [], id="one character"),
        pytest.param("三万五", ["35000"], id="as people say it"),
        pytest.param("一万零五", ["10005"], id="with a zero"),
        pytest.param("两千年", ["2000"], id="liang"),
    ],
)
def test_numerals_in_text(text: str, found: list[str]) -> None:
    assert list(numbers(text)) == found


@pytest.mark.parametrize("run", ["亿" * 30_000, "一亿" * 3000, "一" * 30_000, "十" + "零" * 100])
def test_a_run_of_numerals_without_end_is_no_number(run: str) -> None:
    assert list(numbers(run)) == []
