"""Chunks that follow the document's own structure: the default."""

from collections.abc import Iterator

from penstock.chunkers.drafting import DraftingChunker
from penstock.chunkers.heads import Heads
from penstock.chunkers.measure import Ruler
from penstock.chunkers.outline import runs
from penstock.chunkers.partition import partition
from penstock.chunkers.units import Units
from penstock.model import Document, Draft


class StructureChunker(DraftingChunker):
    """Cuts at headings, then between paragraphs, then between sentences, so that chunks fill `size` tokens.

    Sections too small to stand alone share a chunk with their neighbours; lists stay together where they fit; a table
    is cut between rows only, and its header is repeated; slides keep to themselves.

    Raises:
        SettingsError: the size is too small.
    """

    version = "structure-2"

    def _drafts(self, document: Document) -> Iterator[Draft]:
        ruler, heads = Ruler(document.text, self._counter), Heads(self._counter, self._size)
        found = runs(document)
        parts = [part for run in found for part in run]
        units = Units(document.text, parts, size=self._size, ruler=ruler, heads=heads)
        for run in found:
            yield from partition(units.of(run), size=self._size, ruler=ruler, heads=heads)
