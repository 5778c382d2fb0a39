"""Whole sentences, packed in order: for prose, and for comparison."""

from collections.abc import Iterator

from penstock.chunkers.cutting import fitted, lines, sentences
from penstock.chunkers.drafting import DraftingChunker
from penstock.chunkers.heads import Heads
from penstock.chunkers.measure import Ruler
from penstock.chunkers.outline import Part, runs
from penstock.model import Document, Draft, Span

BY_LINE = frozenset({"table", "list", "code"})


class SentenceChunker(DraftingChunker):
    """Packs as many whole sentences as fit into `size` tokens, headings above included.

    Lines of tables, lists and code count as sentences. A sentence that does not fit alone is cut between words.

    Raises:
        SettingsError: the size is too small.
    """

    version = "sentence-2"

    def _drafts(self, document: Document) -> Iterator[Draft]:
        ruler, heads = Ruler(document.text, self._counter), Heads(self._counter, self._size)
        for run in runs(document):
            start, end, path = -1, -1, ()  # type: tuple[int, int, tuple[str, ...]]
            for span, above in self._pieces(document.text, run, ruler, heads):
                if start >= 0 and ruler.tokens(start, span.end) + heads.tokens(path) > self._size:
                    yield Draft(span=Span(start, end), headings=heads.fit(path))
                    start = -1
                if start < 0:
                    start, path = span.start, above
                end = span.end
            yield Draft(span=Span(start, end), headings=heads.fit(path))

    def _pieces(self, text: str, run: list[Part], ruler: Ruler, heads: Heads) -> Iterator[tuple[Span, tuple[str, ...]]]:
        for part in run:
            cut = lines if part.block.kind in BY_LINE else sentences
            limit = self._size - heads.tokens(part.path)
            for span in fitted(text, cut(text, part.block.span), limit, ruler):
                yield span, part.path
