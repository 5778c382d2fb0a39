"""Windows of tokens that share their ends: for text whose structure says nothing."""

from bisect import bisect_right
from collections.abc import Iterator
from typing import TYPE_CHECKING

from penstock.analysis.scripts import is_cjk
from penstock.chunkers.cutting import best_cut, trimmed
from penstock.chunkers.drafting import DraftingChunker
from penstock.chunkers.graphemes import is_boundary
from penstock.chunkers.heads import Heads
from penstock.chunkers.measure import Ruler
from penstock.chunkers.outline import Part, runs
from penstock.errors import SettingsError
from penstock.model import Document, Draft, Span

if TYPE_CHECKING:  # the ports bring numpy, which a process that parses has no use for
    from penstock.ports import TokenCounter


class WindowChunker(DraftingChunker):
    """Cuts runs of blocks into windows of `size` tokens, headings above included; neighbours share `overlap` tokens.

    Windows begin and end between words wherever a word fits, and never inside a character.

    Raises:
        SettingsError: the size is too small, or the overlap is more than half of it.
    """

    version = "window-2"

    def __init__(self, counter: "TokenCounter", *, size: int, tokenizer: str, overlap: int = 0) -> None:
        super().__init__(counter, size=size, tokenizer=tokenizer)
        if not 0 <= overlap <= size // 2:
            raise SettingsError(f"an overlap of {overlap} tokens is not between 0 and half of the size, {size // 2}")
        self._overlap = overlap

    def _sizes(self) -> str:
        return f"size={self._size},overlap={self._overlap}"

    def _drafts(self, document: Document) -> Iterator[Draft]:
        ruler, heads = Ruler(document.text, self._counter), Heads(self._counter, self._size)
        for run in runs(document):
            yield from self._windows(document.text, run, ruler, heads)

    def _windows(self, text: str, run: list[Part], ruler: Ruler, heads: Heads) -> Iterator[Draft]:
        starts = [part.block.span.start for part in run]
        rest = Span(starts[0], run[-1].block.span.end)
        while rest.start < rest.end:
            path = run[bisect_right(starts, rest.start) - 1].path
            end = ruler.reach(rest.start, self._size - heads.tokens(path))
            end = rest.end if end >= rest.end else best_cut(text, rest.start, end)
            window = trimmed(text, rest.start, end)
            yield Draft(span=window, headings=heads.fit(path))
            if end >= rest.end:
                return
            rest = trimmed(text, self._next(text, window, end, ruler), rest.end)

    def _next(self, text: str, window: Span, end: int, ruler: Ruler) -> int:
        """Where the next window starts: at a word near the last `overlap` tokens of this one."""
        if self._overlap == 0:
            return end
        start = max(ruler.back(end, self._overlap), window.start + 1)
        while start < end and not _begins_word(text, start):
            start += 1
        return start


def _begins_word(text: str, at: int) -> bool:
    if not is_boundary(text, at) or text[at].isspace():
        return False
    return text[at - 1].isspace() or is_cjk(text[at]) or is_cjk(text[at - 1])
