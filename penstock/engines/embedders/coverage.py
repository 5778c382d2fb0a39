"""Which share of a text a vocabulary can distinguish: the most that a vector can express of it.

An English model still gives a vector for a Chinese text; that vector hardly differs from that of another Chinese
text, and only the tokenizer shows it: unknown pieces, or single characters of a script of which it knows few.
"""

import unicodedata
from functools import lru_cache

from penstock.engines.embedders.vocabulary import Vocabulary

ENOUGH_HAN = 3000
"""Chinese characters that make a vocabulary a Chinese one, even if each is a piece of its own, as in Chinese BERT.

The first level of the Table of General Standard Chinese Characters (2013) has 3,500; English BERT knows some 500.
"""
REMEMBERED = 1024
"""Texts whose coverage is remembered: what one search finds, the next ones often find again."""
ENOUGH_PIECES = 1000
"""Pieces of two characters or more that make a vocabulary one of their script."""

FREE = frozenset({"LATIN", "DIGIT", ""})
"""Scripts whose single characters stand for themselves: identifiers, numbers, symbols."""
ALONE = frozenset({"CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN"})
"""Scripts written without spaces, in which a lone character is a piece of a longer word as any other."""


class Coverage:
    """Measures texts against one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._knows: dict[str, bool] = {}
        self._remembered = lru_cache(maxsize=REMEMBERED)(self._measure)

    def of(self, text: str) -> float:
        """Share of the characters that are letters, digits or symbols and that the vocabulary distinguishes, 0 to 1.

        A character is distinguished in a known piece that is longer than itself, in a script that the vocabulary knows
        well, or in one whose characters stand for themselves. A text without such characters says nothing: 0.
        """
        return self._remembered(text)

    def _measure(self, text: str) -> float:
        counted = {place for place, character in enumerate(text) if _counts(character)}
        if not counted:
            return 0.0
        covered: set[int] = set()
        for start, end, known in self._vocabulary.pieces(text):
            inside = [place for place in range(start, end) if place in counted]
            if known and (len(inside) > 1 or all(self._has_meaning(text, place) for place in inside)):
                covered.update(inside)
        return len(covered) / len(counted)

    def _has_meaning(self, text: str, place: int) -> bool:
        """Whether a single character at a place of the text carries meaning."""
        script = _script(text[place])
        if script in FREE or self._well_known(script):
            return True
        if script in ALONE:
            return False
        around = text[max(place - 1, 0) : place + 2]
        return sum(character.isalpha() for character in around) == 1  # a word of one letter

    def _well_known(self, script: str) -> bool:
        if script not in self._knows:
            self._knows[script] = self._count(script)
        return self._knows[script]

    def _count(self, script: str) -> bool:
        singles = pieces = 0
        for entry in self._vocabulary.entries:
            if entry.isascii():
                continue
            letters = [character for character in entry if _script(character) == script]
            singles += len(letters) == 1
            pieces += len(letters) > 1
            if pieces >= ENOUGH_PIECES or (script == "CJK" and singles >= ENOUGH_HAN):
                return True
        return False


@lru_cache(maxsize=65536)
def _counts(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNS"


@lru_cache(maxsize=65536)
def _script(character: str) -> str:
    """First word of the character's Unicode name, which for letters is their script; empty for symbols."""
    plain = unicodedata.normalize("NFKC", character)[0]
    if not plain.isalpha():
        return ""
    return unicodedata.name(plain, "").split(" ")[0]
