"""Finds a quote in a text, character by character but for white space and the shapes of typographic marks."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from penstock.analysis.wide import text_width
from penstock.model import Span

QUOTED = re.compile(
    r"“(?P<a>[^“”]+)”|\"(?P<b>[^\"\n]+)\"|＂(?P<c>[^＂\n]+)＂|「(?P<d>[^「」]+)」|『(?P<e>[^『』]+)』|«(?P<f>[^«»]+)»"
    r"|„(?P<g>[^„“”]+)[“”]"
)
"""A quotation in quotation marks of any style; the group that matched holds the text between them."""
_ELLIPSIS = re.compile(r"\[\s*+(?:…|\.\.\.)\s*+\]|\(\s*+(?:…|\.\.\.)\s*+\)|…++|\.{3,}+")
MOST_PARTS = 32
"""Parts between the ellipses of one quote: a text with more ellipses is no quote."""
MOST_PLACES = 200
"""Places inside of words at which a part is found before it counts as not found."""
_ALIKE = {
    **dict.fromkeys('“”„‟«»「」『』＂〝〞"‘’‚‛`´′', "'"),  # marks inside a quotation change with those around it
    **dict.fromkeys("‐‑‒–—―−﹣－", "-"),
    **dict.fromkeys("[【［〔(（", "("),
    **dict.fromkeys("]】］〕)）", ")"),
}
_EDGE = ",.;:!?、。，；：！？ "


@dataclass(frozen=True, slots=True)
class Canonical:
    """A text reduced to what is compared, and the position of each character of it in the text itself."""

    text: str
    at: Sequence[int]


def canonical(text: str) -> Canonical:
    """The text without white space, control and invisible characters; compatible and typographic forms made one.

    >>> canonical("“Ten – 10”").text
    "'Ten-10'"
    """
    kept: list[str] = []
    at: list[int] = []
    for position, char in enumerate(text):
        for form in _forms(char):
            kept.append(form)
            at.append(position)
    return Canonical("".join(kept), at)


def find_quote(quote: str, text: str) -> list[Span] | None:
    """Finds a quote in a text: one span for each part between ellipses, in order; None where it is not found.

    The canonical forms are compared, without punctuation at a part's ends and the case of its first letter, which a
    sentence around it may change. A part in Latin letters begins and ends at a word's ends. A quote of more than
    `MOST_PARTS` parts is never found.
    """
    parts = list(filter(None, map(_bare, _ELLIPSIS.split(quote))))
    if len(parts) > MOST_PARTS:
        return None
    whole = canonical(text)
    spans: list[Span] = []
    begin = 0
    for part in parts:
        places = [_find(form, whole, text, begin) for form in (part, _swapped(part))]
        found = min((at for at in places if at >= 0), default=None)
        if found is None:
            return None
        begin = found + len(part)
        spans.append(Span(whole.at[found], whole.at[begin - 1] + 1))
    return spans or None


def quotes_in(text: str) -> list[tuple[Span, str]]:
    """The quotations in a text: the span of each with its marks, and its text."""
    return [(Span(*match.span()), next(filter(None, match.groups()))) for match in QUOTED.finditer(text)]


def weight(quote: str) -> int:
    """The weight of a quote: the number of its letters and digits; a wide one, such as Han, counts as two."""
    return text_width("".join(filter(str.isalnum, canonical(quote).text)))


def _forms(char: str) -> str:
    if char.isascii():
        return "" if char <= " " or char == "\x7f" else _ALIKE.get(char, char)
    if char in _ALIKE:
        return _ALIKE[char]
    if char.isspace() or unicodedata.category(char) in ("Cc", "Cf"):
        return ""
    return "".join(_ALIKE.get(form, form) for form in unicodedata.normalize("NFKC", char) if not form.isspace())


def _bare(part: str) -> str:
    return canonical(part).text.strip(_EDGE)


def _swapped(part: str) -> str:
    return part[0].swapcase() + part[1:] if part[0].isascii() else part


def _find(part: str, whole: Canonical, text: str, begin: int) -> int:
    """Where a part is found in whole words; -1 where it is not."""
    at = begin - 1
    for _ in range(MOST_PLACES):
        at = whole.text.find(part, at + 1)
        if at < 0 or not _cuts_a_word(text, whole.at[at], whole.at[at + len(part) - 1] + 1):
            return at
    return -1


def _cuts_a_word(text: str, start: int, end: int) -> bool:
    """Whether `text[start:end]` begins or ends inside a Latin word or a number."""
    return any(
        0 < cut < len(text) and all(char.isascii() and char.isalnum() for char in text[cut - 1 : cut + 1])
        for cut in (start, end)
    )
