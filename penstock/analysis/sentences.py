"""Where do sentences end? Rules for Chinese, Japanese and English, mixed texts included."""

import re

from penstock.analysis.scripts import is_cjk
from penstock.model import Span

STRONG = frozenset("。｡！？；؟۔।॥")
"""Marks that end a sentence wherever they are."""
CLOSERS = "”’」』）】》〉〕］｝\"')\\]}»›"
OPENERS = "“‘「『（【《〈〔［｛\"'([{«‹¿¡—–-•*"

_MARKS = re.compile(rf"(?P<marks>[。｡．！？!?；….؟۔।॥]+)(?P<closers>[{CLOSERS}]*)|\n")
_WORD_BEFORE = re.compile(r"[^\s(（\[\"'“‘]+$")
_DOTTED = re.compile(r"(?:[A-Za-z]\.)+[A-Za-z]")
_FIRST_WORD = re.compile(r"\w+")
_LONGEST_NUMBERING = 12
_NUMBERING = re.compile(r"(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})(?:\.\d{1,3})*")


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


NEVER_LAST = _words(
    "mr mrs ms dr prof st sr mt ft gen col lt sgt capt rev hon gov sen rep pres vs cf viz eg e.g i.e ie approx "
    "fig figs eq eqs secs chap vol vols pp eds refs al jan feb mar apr jun jul aug sept oct nov dec "
    "dept inst univ assoc resp bzw z.b d.h u.a"
)
"""Abbreviations that do not end a sentence, because something must follow them."""
OFTEN_LAST = _words("etc inc ltd co corp jr esq a.m p.m ph.d b.a m.a b.c a.d u.s u.k u.n e.u d.c")
"""Abbreviations that may end a sentence: they do when a word follows that begins one."""
WORDS_BEFORE_NUMBERS = _words("no nos sec ch p ed art para tab ref nr bd")
"""Abbreviations that are words too: they do not end a sentence before a number."""
BEGINNERS = _words(
    "the a an this that these those it its he she they we i you his her their our in on at by for from with when "
    "while if as after before there here however but and so then thus what who how why where no not all some many most"
)
"""Words that begin a sentence far more often than they follow an abbreviation inside one."""
SURNAMES = _words("he you so an no all how a i not")
"""Those of them that may follow an initial."""


def sentence_spans(text: str) -> list[Span]:
    """The sentences of a text, in order: every character that is not white space lies in exactly one of them.

    A line break ends a sentence, because cleaning has joined the lines that belong together. White space at either
    end is no part of a span.

    >>> [text[s:e] for text in ["他说：“好。”Dr. No paid 3.5 m. 完了！"] for s, e in sentence_spans(text)]
    ['他说：“好。”', 'Dr. No paid 3.5 m.', '完了！']
    """
    spans: list[Span] = []
    start = 0
    for match in _MARKS.finditer(text):
        if match["marks"] is None or _is_end(text, start, match):
            _append(spans, text, start, match.end())
            start = match.end()
    _append(spans, text, start, len(text))
    return spans


def _append(spans: list[Span], text: str, start: int, end: int) -> None:
    sentence = text[start:end]
    body = sentence.strip()
    if body:
        begin = start + len(sentence) - len(sentence.lstrip())
        spans.append(Span(begin, begin + len(body)))


def _is_end(text: str, start: int, match: re.Match[str]) -> bool:
    marks, at, end = match["marks"], match.start(), match.end()
    before, after = text[at - 1 : at], text[end : end + 1]
    if not after:
        return True
    if not STRONG.isdisjoint(marks):
        return True
    if marks == "．":
        return not (before.isdigit() and after.isdigit())
    if not after.isspace():
        return _ends_without_space(text, start, at, before, after)
    following = text[end : end + 60].lstrip().lstrip(OPENERS)
    if following[:1].islower():
        return False
    return marks != "." or not _is_abbreviation(text, start, at, following)


def _ends_without_space(text: str, start: int, at: int, before: str, after: str) -> bool:
    """Western marks in text without spaces: `今天很好.明天再说`, but not `文件.txt`, `3.5` or `1.总则`."""
    if before.isascii() and before.isdigit():
        return False
    if is_cjk(after) or after in OPENERS[:10]:
        return not (before.isascii() and before.isalpha() and _is_numbering(text, start, at))
    return False


def _is_abbreviation(text: str, start: int, at: int, following: str) -> bool:
    found = _WORD_BEFORE.search(text, max(start, at - 40), at)
    if found is None:
        return False
    word = found[0]
    lower = word.casefold()
    if _is_numbering(text, start, at):
        return True
    if lower in NEVER_LAST or (lower in WORDS_BEFORE_NUMBERS and following[:1].isdigit()):
        return True
    if len(word) == 1 and word.isupper() and word != "I":
        return not (is_cjk(following[:1]) or _next_word(following) in BEGINNERS - SURNAMES)  # an initial
    if lower in OFTEN_LAST or _DOTTED.fullmatch(word):
        return following[:1].isascii() and _next_word(following) not in BEGINNERS
    return False


def _next_word(following: str) -> str:
    found = _FIRST_WORD.match(following)
    return found[0].casefold() if found else ""


def _is_numbering(text: str, start: int, at: int) -> bool:
    """Whether all that is before the mark is the number of a heading or of a list item."""
    return at - start <= _LONGEST_NUMBERING and _NUMBERING.fullmatch(text[start:at].strip()) is not None
