"""What all chunkers share: sizes in tokens, a fingerprint, and chunks made of drafts. Each says only where to cut."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from penstock.chunkers.drafts import checked_size, finished
from penstock.model import Chunk, Document, Draft

if TYPE_CHECKING:  # the ports bring numpy, which a process that parses has no use for
    from penstock.ports import TokenCounter


class DraftingChunker(ABC):
    """A chunker with one hole: `_drafts`.

    Args:
        counter: counts in the tokens of the embedding model.
        size: tokens of a chunk as it is embedded, headings included.
        tokenizer: names the counter; part of the fingerprint, because a counter has no identity.

    Raises:
        SettingsError: the size is too small.
    """

    version: ClassVar[str]
    """Name and version of the way to cut; a change of either means other chunks."""

    def __init__(self, counter: "TokenCounter", *, size: int, tokenizer: str) -> None:
        self._counter = counter
        self._size = checked_size(size)
        self._tokenizer = tokenizer

    @property
    def fingerprint(self) -> str:
        """Name, version and options."""
        return f"{self.version}({self._sizes()},tokenizer={self._tokenizer})"

    @property
    def size(self) -> int:
        """Tokens of a chunk as it is embedded, headings included."""
        return self._size

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

    def _sizes(self) -> str:
        return f"size={self._size}"

    @abstractmethod
    def _drafts(self, document: Document) -> Iterator[Draft]:
        """Where the document is cut, in reading order."""
