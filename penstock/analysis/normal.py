"""One form for the many ways in which the same characters can be written.

Among them are piles of combining marks: a letter of any language has a few, only the text of an attacker has thousands.
The marks on one letter have an order of their own, into which `unicodedata.normalize` sorts them in time that grows
with the square of their number.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

LETTERS_WITH_STROKE = {
    "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ħ": "h", "ı": "i", "ŧ": "t", "ŋ": "n",
}  # fmt: skip
"""Latin letters that Unicode does not take apart into a letter and a mark."""

_ACCENTED = (*range(0x00C0, 0x0250), *range(0x0370, 0x0400), *range(0x1E00, 0x2000))
_MARKS = range(0x0300, 0x0370)
_INVISIBLE = (0x00AD, *range(0x200B, 0x2010), 0x2060, 0xFEFF, *range(0xFE00, 0xFE10))
_DASHES = (0x2010, 0x2011, 0x2012, 0x2013, 0x2212)
_APOSTROPHES = (0x2018, 0x2019, 0x02BC)
_FRACTION = re.compile("(?<=[0-9])(?=[\u00bc-\u00be\u2150-\u215e])")


def normalise(text: str) -> str:
    """The text in NFKC and folded case, Latin and Greek without accents, Chinese in simplified characters.

    Invisible characters are gone, and digits, dashes and apostrophes of all scripts have their ASCII form.

    >>> normalise("Ｃａｆé 臺灣")
    'cafe 台湾'
    """
    if text.isascii():
        return text.lower()
    apart = _FRACTION.sub(" ", without_piles(text))  # 6½ is not 61/2
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", apart).casefold())
    return folded.translate(_table())


@cache
def _table() -> Mapping[int, str | None]:
    table: dict[int, str | None] = {}
    for code in _ACCENTED:
        table[code] = "".join(
            part for part in unicodedata.normalize("NFD", chr(code)) if not unicodedata.combining(part)
        )
    table.update({ord(letter): plain for letter, plain in LETTERS_WITH_STROKE.items()})
    table.update(dict.fromkeys((*_MARKS, *_INVISIBLE), None))
    table.update(dict.fromkeys(_DASHES, "-"))
    table.update(dict.fromkeys(_APOSTROPHES, "'"))
    table[0x2044] = "/"
    digits = (code for code in range(0x0660, 0x10000) if chr(code).isdecimal())
    table.update({code: str(unicodedata.decimal(chr(code))) for code in digits})
    table.update({ord(traditional): simplified for traditional, simplified in simplified_forms().items()})
    return table


@cache
def simplified_forms() -> Mapping[str, str]:
    """Each traditional character that has a simplified form, and that form.

    Character by character, so that both sides of a search are folded alike, whatever is around the character.
    """
    lines = files("penstock.analysis").joinpath("simplified.txt").read_text("utf-8").splitlines()
    pairs = (pair for line in lines if not line.startswith("#") for pair in line.split())
    return {pair[0]: pair[1] for pair in pairs}


MOST = 30
"""Marks on one character; the most that any text needs. Source: Unicode Standard Annex #15, stream-safe text format."""
_FIRST, _AFTER = 0x0300, 0x1F000
"""Between these lie all characters that have a place in the order of marks."""


def without_piles(text: str) -> str:
    """The text with at most `MOST` combining marks in a row.

    >>> len(without_piles("e" + "\\u0301" * 1000))
    31
    """
    return text if text.isascii() else _pile().sub(lambda found: found[0][:MOST], text)


@cache
def _pile() -> re.Pattern[str]:
    marks = "".join(chr(code) for code in range(_FIRST, _AFTER) if unicodedata.combining(chr(code)))
    return re.compile(f"[{marks}]{{{MOST + 1},}}")
