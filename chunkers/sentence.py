"""Whole sentences, packed in order: for prose, and for comparison."""

from collections.abc import Iterator

from penstock.chunkers.cutting import fitted, lines, sentences
from penstock.chunkers.drafts import Draft, checked_size, finished
from penstock.chunkers.heads import Heads
from penstock.chunkers.measure import Ruler
from penstock.chunkers.outline import Part, runs
from penstock.model import Chunk, Document, Span
from penstock.ports import TokenCounter

VERSION = "1"
BY_LINE = frozenset({"table", "list", "code"})


class SentenceChunker:
    """Packs as many whole sentences as fit into `size` tokens, headings above included. `overlap` is not used.

    Lines of tables, lists and code count as sentences. A sentence that does not fit alone is cut between words.

    Raises:
        SettingsError: the size is too small.
    """

    def __init__(self, counter: TokenCounter, *, size: int, tokenizer: str, overlap: int = 0) -> None:  # noqa: ARG002 all chunkers are built alike
        self._counter = counter
        self._size = checked_size(size)
        self._tokenizer = tokenizer

    @property
    def fingerprint(self) -> str:
        """Name, version and options."""
        return f"sentence-{VERSION}(size={self._size},tokenizer={self._tokenizer})"

    def chunk(self, document: Document, content: str) -> Iterator[Chunk]:
        """The document's packed sentences, in order."""
        return finished(
            self._drafts(document),
            document,
            content,
            fingerprint=self.fingerprint,
            counter=self._counter,
            size=self._size,
        )

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
