"""How many tokens lie between two characters of a text? Counted once for the whole text, then looked up."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import TYPE_CHECKING

from penstock.model import Span

if TYPE_CHECKING:  # the ports bring numpy, which a process that parses has no use for
    from penstock.ports import TokenCounter

LONGEST_TOKEN = 48
"""Characters. What a model takes for one longer token (an unknown one) is counted in parts of this length, and so is
a longer stretch in which it sees no token at all (blanks, accents, invisible characters). So a chunk of n tokens has at
most 2 x n x LONGEST_TOKEN characters, and a megabyte without a space is no chunk of one token."""
STRETCH = 200_000
"""Characters that are counted at a time, to the end of their line: the tokens of a whole book take much memory."""


class Ruler:
    """Tokens of one text by position."""

    def __init__(self, text: str, counter: "TokenCounter") -> None:
        self._length = len(text)
        self._starts, self._ends = array("q"), array("q")
        start = end = 0
        for stretch in _stretches(text):
            first = stretch.start
            for token_start, token_end in counter.offsets(text[first : stretch.end]):
                # Tokens of a part of a character share its range; those of some models overlap by their white space.
                self._count_parts(end, first + token_start)
                start, end = max(start, first + token_start), max(end, first + token_end)
                while end - start > LONGEST_TOKEN:
                    self._starts.append(start)
                    start += LONGEST_TOKEN
                    self._ends.append(start)
                self._starts.append(start)
                self._ends.append(end)
        self._count_parts(end, self._length)

    def _count_parts(self, start: int, end: int) -> None:
        """Counts a stretch without tokens where it is long."""
        while end - start > LONGEST_TOKEN:
            self._starts.append(start)
            start += LONGEST_TOKEN
            self._ends.append(start)

    def tokens(self, start: int, end: int) -> int:
        """Tokens that touch the characters from `start` to `end`."""
        return max(0, self.begun(end) - self.ended(start))

    def begun(self, at: int) -> int:
        """Tokens of the text that begin before a place."""
        return bisect_left(self._starts, at)

    def ended(self, at: int) -> int:
        """Tokens of the text that end before a place, or at it."""
        return bisect_right(self._ends, at)

    def reach(self, start: int, limit: int) -> int:
        """The furthest end such that at most `limit` tokens lie from `start` to it; always beyond `start`."""
        index = bisect_right(self._ends, start) + limit
        end = self._starts[index] if index < len(self._starts) else self._length
        return max(end, start + 1)

    def back(self, end: int, limit: int) -> int:
        """The first start such that at most `limit` tokens lie from it to `end`."""
        index = bisect_left(self._starts, end) - limit
        return self._starts[index] if 0 <= index < len(self._starts) else 0 if index < 0 else end


def _stretches(text: str) -> Iterator[Span]:
    start = 0
    while start < len(text):
        end = text.find("\n", start + STRETCH)
        end = len(text) if end < 0 else end + 1
        yield Span(start, end)
        start = end
