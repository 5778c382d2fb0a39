"""Where may a text be cut without cutting a character, as a reader sees it?"""

import unicodedata

JOINER = "\u200d"
_FLAGS = range(0x1F1E6, 0x1F200)
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_JAMO = range(0x1100, 0x1200)
_SYLLABLES = range(0xAC00, 0xD7A4)


def is_boundary(text: str, at: int) -> bool:
    """Whether a cut before `text[at]` leaves accents, emoji and syllables whole.

    The rules that matter of Unicode's extended grapheme clusters; the rest errs towards not cutting.
    Source: Unicode Standard Annex #29, rules GB3 to GB13.

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
    if before == JOINER:
        return False
    if ord(before) in _FLAGS and ord(after) in _FLAGS:
        return _flags_before(text, at) % 2 == 0
    return not (ord(after) in _JAMO and (ord(before) in _JAMO or ord(before) in _SYLLABLES))


def _flags_before(text: str, at: int) -> int:
    count = 0
    while at > count and ord(text[at - count - 1]) in _FLAGS:
        count += 1
    return count
