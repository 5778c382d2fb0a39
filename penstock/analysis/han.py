"""Tokens of text that is written without spaces between words: characters, pairs of them, and dictionary words."""

from collections.abc import Iterator
from typing import Protocol

from penstock.analysis.numerals import numbers


class Segmenter(Protocol):
    """Cuts a run of Chinese characters into words."""

    def cut_for_search(self, text: str, hmm: bool = True) -> list[str]:
        """The words in order, each long one after the shorter words in it."""
        ...


def pairs(run: str) -> Iterator[str]:
    """Each two neighbouring characters; a single character as itself.

    >>> list(pairs("清华大"))
    ['清华', '华大']
    """
    if len(run) == 1:
        yield run
    for start in range(len(run) - 1):
        yield run[start : start + 2]


def han_tokens(run: str, segmenter: Segmenter) -> Iterator[str]:
    """Each character, each pair, each dictionary word of three characters or more, and each numeral in digits.

    A word of two characters is a pair already and is not counted twice. Words are those of the dictionary alone:
    guessed ones (jieba's HMM) depend on the text around them, so that a question and a text may get different ones.
    """
    yield from run
    if len(run) == 1:
        return
    yield from pairs(run)
    yield from (word for word in segmenter.cut_for_search(run, False) if len(word) > 2)
    yield from numbers(run)
