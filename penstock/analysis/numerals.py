"""Numbers written in Chinese characters, as digits: 第三十五条 is found by 第35条, and 二〇二四年 by 2024年."""

import re
from collections.abc import Iterator

_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
TEN_THOUSAND, HUNDRED_MILLION = 10**4, 10**8
LONGEST = 40
"""Characters of a numeral: a longer run of them is no number, and its value would have as many digits."""
_NUMERAL = re.compile(r"[〇零一二两三四五六七八九十百千万亿]{2,}")
_PLACES = re.compile(r"[〇零一二三四五六七八九]{2,}")
_VALUE = re.compile(r"(?:[零〇]?[一二两三四五六七八九]?[十百千]|[零〇]?[一二两三四五六七八九]|[万亿])+")


def numbers(run: str) -> Iterator[str]:
    """The numerals of two or more characters in a run of simplified Chinese, in order, written with digits.

    A single character stays a character: 一 is too often no number; so does a run of more than `LONGEST`.

    >>> list(numbers("第三十五条自二〇二四年起两万元"))
    ['35', '2024', '20000']
    """
    for match in _NUMERAL.finditer(run):
        numeral = match[0]
        if len(numeral) > LONGEST:
            continue
        if _PLACES.fullmatch(numeral):
            yield "".join(str(_DIGITS[digit]) for digit in numeral)
        elif _VALUE.fullmatch(numeral) and (numeral[0] in _DIGITS or numeral[0] == "十"):
            yield str(_value(numeral))


def _value(numeral: str) -> int:
    """The value of a numeral with units: 一万二千零三 is 12003, and 一万二, as people say it, 12000."""
    total = ten_thousands = section = digit = 0
    scale = 1
    for character in numeral:
        if character in _DIGITS:
            digit = _DIGITS[character]
            scale = scale if digit else 1
            continue
        if character in _UNITS:
            section += (digit or 1) * _UNITS[character]
            scale = _UNITS[character] // 10
        elif character == "万":
            ten_thousands += (section + digit) * TEN_THOUSAND
            section, scale = 0, TEN_THOUSAND // 10
        else:
            total = (total + ten_thousands + section + digit) * HUNDRED_MILLION
            ten_thousands, section, scale = 0, 0, HUNDRED_MILLION // 10
        digit = 0
    return total + ten_thousands + section + digit * scale
