"""Finding any of many given terms in a text, the longest first."""

import re
from collections.abc import Iterable

from penstock.analysis.scan import HAN, HANGUL, KANA, UNSPACED

_DENSE = f"{HAN}{KANA}{HANGUL}{UNSPACED}"
_DENSE_LETTER = re.compile(f"[{_DENSE}]")
_SPACED_LETTER = rf"[^\W_{_DENSE}]"


class PhraseFinder:
    """Finds given normalised terms in a normalised text: whole words where the script has spaces between words."""

    def __init__(self, terms: Iterable[str]) -> None:
        ordered = sorted(set(terms), key=lambda term: (-len(term), term))
        self._pattern = re.compile("|".join(map(_bounded, ordered))) if ordered else None

    def find(self, text: str) -> list[str]:
        """The terms in the text, in order, without overlaps; at each place the longest."""
        if self._pattern is None:
            return []
        return [" ".join(match[0].split()) for match in self._pattern.finditer(text)]


def _bounded(term: str) -> str:
    body = r"\s+".join(map(re.escape, term.split()))
    before = f"(?<!{_SPACED_LETTER})" if _is_spaced(term[0]) else ""
    after = f"(?!{_SPACED_LETTER})" if _is_spaced(term[-1]) else ""
    return before + body + after


def _is_spaced(letter: str) -> bool:
    return letter.isalnum() and not _DENSE_LETTER.match(letter)
