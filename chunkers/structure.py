"""Chunks that follow the document's own structure: the default."""

from collections.abc import Iterator

from penstock.chunkers.drafts import Draft, checked_size, finished
from penstock.chunkers.heads import Heads
from penstock.chunkers.measure import Ruler
from penstock.chunkers.outline import runs
from penstock.chunkers.partition import partition
from penstock.chunkers.units import Units
from penstock.model import Chunk, Document
from penstock.ports import TokenCounter

VERSION = "1"


class StructureChunker:
    """Cuts at headings, then between paragraphs, then between sentences, so that chunks fill `size` tokens.

    Sections too small to stand alone share a chunk with their neighbours; lists stay together where they fit; a table
    is cut between rows only, and its header is repeated; slides keep to themselves. `overlap` is not used.

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
        return f"structure-{VERSION}(size={self._size},tokenizer={self._tokenizer})"

    def chunk(self, document: Document, content: str) -> Iterator[Chunk]:
        """The document's chunks, in reading order."""
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
        found = runs(document)
        parts = [part for run in found for part in run]
        units = Units(document.text, parts, size=self._size, ruler=ruler, heads=heads)
        for run in found:
            yield from partition(units.of(run), size=self._size, ruler=ruler, heads=heads)
