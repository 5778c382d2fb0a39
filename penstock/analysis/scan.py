"""Runs of a text that are cut by the same rules: words, Chinese, and other scripts without spaces."""

import re
from collections.abc import Iterator
from typing import Literal

from penstock.analysis.scripts import SCRIPTS
from penstock.analysis.words import CONNECTORS

Kind = Literal["word", "han", "pairs"]

HAN, KANA, HANGUL = (SCRIPTS[name] for name in ("han", "kana", "hangul"))
UNSPACED = "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ebd\u0ec0-\u0ecd\u1000-\u103f\u1050-\u108f\u1780-\u17d3"
"""Thai, Lao, Myanmar and Khmer, with the vowel signs that Python does not count as letters."""
MARKS = "\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0a00-\u0a5f\u0b00-\u0bff\u0c00-\u0dff"
"""Signs of other scripts that occur within words and that Python does not count as letters."""

_LETTER = rf"(?:[^\W_{HAN}{KANA}{HANGUL}{UNSPACED}]|[{MARKS}])"
_THOUSANDS = r"[0-9]{1,3}(?:,[0-9]{3}){1,20}(?:\.[0-9]+)?(?!\w|,[0-9])"
_RUN = re.compile(
    rf"(?P<word>{_THOUSANDS}|{_LETTER}++(?:(?:[{CONNECTORS}]|_++){_LETTER}++)*+(?:\+\+|\#)?)"
    rf"|(?P<han>[{HAN}]++(?![{KANA}]))"
    rf"|(?P<pairs>[{HAN}{KANA}]++|[{HANGUL}]++|[{UNSPACED}]++)"
)


def runs(text: str) -> Iterator[tuple[Kind, str]]:
    """Each run of a normalised text, in order, with its kind; what lies between runs is in no token.

    Chinese characters before kana are Japanese and are cut into pairs with it.
    """
    for match in _RUN.finditer(text):
        yield match.lastgroup, match[0]  # type: ignore[misc]  # the groups are named after the kinds
