"""Text that is set without spaces: how wide its characters are, and where two lines of it become one.

What is wide is Unicode's East Asian Width. Line breaks follow CSS Text (segment break transformation): they leave no
space between two characters that are wide or full-width, except Hangul, which is written with spaces; nor beside a
full-width mark, which brings its own blank.
"""

import re
from functools import cache
from itertools import groupby
from unicodedata import east_asian_width

from penstock.analysis.scripts import CJK

SIGNS = (
    "\u3000-\u3004\u3008-\u3020\u302a-\u3037\u303c-\u303f\ufe10-\ufe19\ufe30-\ufe6b"
    "\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)
"""Full-width punctuation, as the inside of a character class: no space belongs beside it, whatever follows."""
SHARED = "\u2014\u2018\u2019\u201c\u201d\u2026"
"""Marks of Chinese and of Western text: the character on their other side decides which they are."""

_SOLID = re.compile(
    rf"[{CJK}{SIGNS}\u2ff0-\u2fff\u3099-\u309c\u30a0\u30fb\u3105-\u312f\u3190-\u31ef\u3220-\u325f\u3280-\u33ff"
    "\ua000-\ua4cf\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\U00016fe0-\U00018dff]"
)
"""Letters and marks that are set without spaces, by Unicode blocks: besides Han and kana Bopomofo, Yi and Tangut, what
is in circles and squares, and full-width letters and digits."""
_SIGN = re.compile(f"[{SIGNS}]")
_BLANKS = " \t\r\f"
_BEYOND = re.compile("[\U00010000-\U0010ffff]")
_FIRST, _LAST_OF_PLANE = 0x1100, 0xFFFF


def text_width(text: str) -> int:
    """How many columns a text takes: a wide or full-width character takes two.

    >>> text_width("𠮷野家 1"), text_width("ｶﾅ")
    (8, 2)
    """
    if text.isascii():
        return len(text)
    # Apart, because `re` finds a character in a class at once only where the class keeps to the first plane.
    beyond = (
        sum(east_asian_width(character) in "WF" for character in _BEYOND.findall(text)) if max(text) > "\uffff" else 0
    )
    return len(text) + sum(map(len, _wide().findall(text))) + beyond


def is_solid(character: str) -> bool:
    """Whether a character is of text that is set without spaces: Han, kana, full-width marks, letters and digits.

    >>> is_solid("𠮷"), is_solid("，"), is_solid("한"), is_solid("“")
    (True, True, False, False)
    """
    return _SOLID.match(character) is not None


def stand_solid(before: str, after: str) -> bool:
    """Whether two lines are joined without a space between them.

    >>> stand_solid("我爱𠮷", "野家"), stand_solid("流下，", "then"), stand_solid("使用", "PyTorch")
    (True, True, False)
    """
    left, right = before[-1:], after[:1]
    if left in SHARED and right in SHARED:
        left, right = before.rstrip(SHARED)[-1:], after.lstrip(SHARED)[:1]
    if not left or not right:
        return False
    if _SIGN.match(left) or _SIGN.match(right):
        return True
    solid = is_solid(left), is_solid(right)
    return all(solid) or (solid[0] and right in SHARED) or (solid[1] and left in SHARED)


def unwrapped(text: str) -> str:
    """The text with each line break and its blanks removed where lines join without a space, else made one space.

    >>> unwrapped("我爱𠮷 \\n  野家 and\\nmore")
    '我爱𠮷野家 and more'
    """
    if "\n" not in text:
        return text
    first, *between, last = text.split("\n")
    pieces = [first.rstrip(_BLANKS)]
    for line in (*filter(None, (line.strip(_BLANKS) for line in between)), last.lstrip(_BLANKS)):
        pieces += (_seam(pieces[-1], line), line)
    return "".join(pieces)


def one_line(text: str) -> str:
    """The text on one line: broken lines joined, and every other run of white space one space."""
    return " ".join(unwrapped(text).split())


def _seam(before: str, after: str) -> str:
    foreign = before[-1:] > "\x7f" or after[:1] > "\x7f"  # the common case, at a tenth of the cost
    return "" if foreign and stand_solid(before, after) else " "


@cache
def _wide() -> re.Pattern[str]:
    runs = groupby(range(_FIRST, _LAST_OF_PLANE + 1), lambda code: east_asian_width(chr(code)) in "WF")
    listed = [[*codes] for is_wide, codes in runs if is_wide]
    return re.compile(f"[{''.join(f'{chr(codes[0])}-{chr(codes[-1])}' for codes in listed)}]+")
