"""Piles of combining marks: a letter of any language has a few, only the text of an attacker has thousands.

The marks on one letter have an order of their own, into which `unicodedata.normalize` sorts them in time that grows
with the square of their number.
"""

import re
import unicodedata
from functools import cache

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
