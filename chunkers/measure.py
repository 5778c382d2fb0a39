"""How many tokens lie between two characters of a text? Counted once for the whole text, then looked up."""

from bisect import bisect_left, bisect_right

from penstock.ports import TokenCounter

LONGEST_TOKEN = 48
"""Characters. What a model takes for one longer token (an unknown one) is counted in parts of this length, so that a
megabyte without a space is no chunk of one token."""


class Ruler:
    """Tokens of one text by position."""

    def __init__(self, text: str, counter: TokenCounter) -> None:
        self._length = len(text)
        self._starts: list[int] = []
        self._ends: list[int] = []
        start = end = 0
        for token_start, token_end in counter.offsets(text):
            # Tokens of a part of a character share its range; those of some models overlap by their white space.
            start, end = max(start, token_start), max(end, token_end)
            while end - start > LONGEST_TOKEN:
                self._add(start, start + LONGEST_TOKEN)
                start += LONGEST_TOKEN
            self._add(start, end)

    def _add(self, start: int, end: int) -> None:
        self._starts.append(start)
        self._ends.append(end)

    def tokens(self, start: int, end: int) -> int:
        """Tokens that touch the characters from `start` to `end`."""
        return max(0, bisect_left(self._starts, end) - bisect_right(self._ends, start))

    def reach(self, start: int, limit: int) -> int:
        """The furthest end such that at most `limit` tokens lie from `start` to it; always beyond `start`."""
        index = bisect_right(self._ends, start) + limit
        end = self._starts[index] if index < len(self._starts) else self._length
        return max(end, start + 1)

    def back(self, end: int, limit: int) -> int:
        """The first start such that at most `limit` tokens lie from it to `end`."""
        index = bisect_left(self._starts, end) - limit
        return self._starts[index] if 0 <= index < len(self._starts) else 0 if index < 0 else end
