"""The headings that are embedded above a chunk's text, and what they cost."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the ports bring numpy, which a process that parses has no use for
    from penstock.ports import TokenCounter

SHARE = 4
"""Headings take at most one part in `SHARE` of a chunk's size, and so does a repeated table header."""
CUT_MARK = "…"


class Heads:
    """Shortens paths of headings to what a chunk has room for, and counts them; remembers both."""

    def __init__(self, counter: "TokenCounter", size: int) -> None:
        self._counter = counter
        self._room = size // SHARE
        self._fitted: dict[tuple[str, ...], tuple[tuple[str, ...], int]] = {}

    def fit(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """The path as it is embedded: headings that are too long are shortened or dropped, outermost first."""
        return self._fit(path)[0]

    def tokens(self, path: tuple[str, ...]) -> int:
        """Tokens that the path takes after shortening."""
        return self._fit(path)[1]

    def line(self, text: str) -> tuple[str, int]:
        """A repeated table header, shortened to its room, and its tokens."""
        (tokens,) = self._counter.count([text])
        if tokens <= self._room:
            return text, tokens
        short = self._shortened(text, self._room)
        return short, self._counter.count([short])[0]

    def _fit(self, path: tuple[str, ...]) -> tuple[tuple[str, ...], int]:
        if not path:
            return (), 0
        if path not in self._fitted:
            whole = self._cost(path)
            kept = path if whole <= self._room else self._kept(path)
            self._fitted[path] = kept, whole if kept == path else self._cost(kept)
        return self._fitted[path]

    def _kept(self, path: tuple[str, ...]) -> tuple[str, ...]:
        kept: tuple[str, ...] = ()
        for heading in reversed(path):
            if self._cost((heading, *kept)) <= self._room:
                kept = (heading, *kept)
                continue
            room = self._room - self._cost((CUT_MARK, *kept))
            short = self._shortened(heading, room + 1) if room >= SHARE else ""
            return (short, *kept) if short else kept
        return kept

    def _cost(self, path: Sequence[str]) -> int:
        return self._counter.count([" > ".join(path)])[0] if path else 0

    def _shortened(self, text: str, room: int) -> str:
        """The beginning of a text with a mark that it was cut; empty where not even that has room."""
        kept = text
        for end in reversed([end for _, end in self._counter.offsets(text)[: max(room - 1, 0)]]):
            kept = text[:end].rstrip() + CUT_MARK
            if self._counter.count([kept])[0] <= room:
                return kept
        return ""
