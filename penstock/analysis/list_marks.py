"""How an item of a list begins, and how a heading that is one of several is numbered.

A mark is judged by its line alone. So signs that begin other things too (a dash, `*`, a number, a letter) count only
with what makes them marks: white space behind a dash, white space or a Han letter behind a number in brackets.
"""

import re

from penstock.analysis.scripts import CJK

SIGNS = "•●○◦▪▫■□◆◇▶▷►➢➤❖★☆✓✔‣⁃∙·\uf0b7\uf0a7\uf0d8"
"""Signs that introduce an item, those of Symbol and Wingdings included, as the inside of a character class."""
DASHES = r"–—*+-"
"""Signs that do so too, with white space behind them."""
NUMERALS = "〇零一二三四五六七八九十百"
"""Chinese numerals, as they number chapters and items."""
CHAPTER = re.compile(rf"第[\d{NUMERALS}]{{1,6}}(?:[编編篇章节節条條款]|部(?=\s|$))")
"""The number of a chapter or an article: a line of its own begins here, and a heading with it is one of several."""

_SIGN = rf"[{SIGNS}](?=\s|[^\W_]|$)|[{DASHES}](?=\s)"
_ENCLOSED = "[\u2460-\u249b\u2776-\u2793\u3220-\u3229\u3251-\u325f\u32b1-\u32bf]"
"""Numbers in circles and brackets, and with their full stop, in one character."""
_NUMBER = (
    rf"[(（]?(?:\d{{1,3}}|[a-zA-Z]|[ivxIVX]{{1,5}}|[{NUMERALS}]{{1,3}})[)）](?=\s|[{CJK}A-Z]|$)"
    rf"|(?:\d{{1,3}}\.)+(?=\s)|\d{{1,3}}．|\d{{1,3}}、(?!\d)|[{NUMERALS}]{{1,3}}、(?![{NUMERALS}])"
    r"|[a-uw-z]\.[ \t]+(?=[^\W\d_])"  # `v. Wade` is none
)
_SIGN_MARK = re.compile(_SIGN)
_MARK = re.compile(rf"(?:{_SIGN}|{_ENCLOSED}|{_NUMBER})\s*")


def list_mark(line: str) -> str:
    """The mark with which a line begins that is an item of a list, white space behind it included; empty for others.

    >>> list_mark("• One"), list_mark("(a) two"), list_mark("3、三"), list_mark("3.5 mm"), list_mark("-5")
    ('• ', '(a) ', '3、', '', '')
    """
    found = _MARK.match(line)
    return found[0] if found else ""


def has_sign(line: str) -> bool:
    """Whether a line begins with a sign that introduces items, and not with a number.

    >>> has_sign("– one"), has_sign("1. one")
    (True, False)
    """
    return _SIGN_MARK.match(line) is not None


def is_chapter(line: str) -> bool:
    """Whether a line begins with the Chinese number of a chapter or an article.

    >>> is_chapter("第三章 总则"), is_chapter("第三者")
    (True, False)
    """
    return CHAPTER.match(line) is not None
