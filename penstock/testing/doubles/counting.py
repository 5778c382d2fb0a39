"""A token counter without a model: for tests, and for trying a chunker out."""

import re
from collections.abc import Sequence

from penstock.analysis.scripts import CJK


class WordCounter:
    """Counts words, single Chinese and Japanese characters and punctuation marks; a long word is several tokens.

    >>> WordCounter().offsets("see 手册.")
    [(0, 3), (4, 5), (5, 6), (6, 7)]
    """

    def __init__(self, *, longest: int = 12) -> None:
        self._token = re.compile(rf"[{CJK}]|[^\W{CJK}]{{1,{longest}}}|[^\w\s]")

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text."""
        return [len(self._token.findall(text)) for text in texts]

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """The position of each token."""
        return [match.span() for match in self._token.finditer(text)]
