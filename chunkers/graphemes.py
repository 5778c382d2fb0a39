"""Where may a text be cut without cutting a character, as a reader sees it?"""

import unicodedata

JOINER = "\u200d"
_VIRAMA = 9
"""Combining class of the signs that join two Indic consonants."""
LOOK_BACK = 256
"""Characters, an even number: in a longer row of flags or marks a cut may fall into one."""
_FLAGS = range(0x1F1E6, 0x1F200)
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_JAMO = range(0x1100, 0x1200)
_SYLLABLES = range(0xAC00, 0xD7A4)


def is_boundary(text: str, at: int) -> bool:
    """Whether a cut before `text[at]` leaves accents, emoji and syllables whole.

    The rules that matter of Unicode's extended grapheme clusters; the rest errs towards not cutting.
    Source: Unicode Standard Annex #29, rules GB3 to GB13, and GB9c.

    >>> is_boundary("e\\u0301a", 1), is_boundary("e\\u0301a", 2)
    (False, True)
    """
    if at <= 0 or at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    if before.isascii() and after.isascii():
        return (before, after) != ("\r", "\n")
    if unicodedata.category(after).startswith("M") or after in (JOINER, "\u200c") or ord(after) in _SKIN_TONES:
        return before in "\r\n"
    if before == JOINER or (after.isalpha() and _is_conjunct(text, at)):
        return False
    if ord(before) in _FLAGS and ord(after) in _FLAGS:
        return _flags_before(text, at) % 2 == 0
    jamo = ord(before) in _JAMO, ord(after) in _JAMO
    return not (all(jamo) or (any(jamo) and (ord(before) in _SYLLABLES or ord(after) in _SYLLABLES)))


def _is_conjunct(text: str, at: int) -> bool:
    """Whether the marks before a letter join it to the consonant that carries them."""
    first = max(0, at - LOOK_BACK)
    while at > first and unicodedata.category(text[at - 1]).startswith("M"):
        at -= 1
        if unicodedata.combining(text[at]) == _VIRAMA:
            return True
    return False


def _flags_before(text: str, at: int) -> int:
    count = 0
    while min(at, LOOK_BACK) > count and ord(text[at - count - 1]) in _FLAGS:
        count += 1
    return count
