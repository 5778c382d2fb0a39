"""A time limit on chunking in the calling process, where no process of the sandbox does it."""

from collections.abc import Iterator
from time import monotonic

from penstock.errors import LimitExceeded
from penstock.loaders import shown
from penstock.model import Chunk, Document
from penstock.ports import Chunker


class TimedChunker:
    """A chunker that gives up a document that takes longer than `seconds`; checked between chunks."""

    def __init__(self, inner: Chunker, *, seconds: float) -> None:
        self._inner = inner
        self._seconds = seconds

    @property
    def fingerprint(self) -> str:
        """That of the inner chunker, whose chunks are the same."""
        return self._inner.fingerprint

    @property
    def size(self) -> int:
        """That of the inner chunker."""
        return self._inner.size

    def chunk(self, document: Document, content: str) -> Iterator[Chunk]:
        """The document's chunks.

        Raises:
            LimitExceeded: it takes too long.
        """
        until = monotonic() + self._seconds
        for chunk in self._inner.chunk(document, content):
            if monotonic() > until:
                raise LimitExceeded(
                    f"{shown(document.source.uri)!r} took more than {self._seconds:g} seconds to be cut; "
                    "raise limits.parse_seconds (PENSTOCK_LIMITS__PARSE_SECONDS) to read it"
                )
            yield chunk
