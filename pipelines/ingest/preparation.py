"""What is done with a file's text in the process that parsed it: cleaning and cutting, under the same limits."""

import time
from collections.abc import Callable, Mapping
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, TypeVar

from penstock import registry
from penstock.loaders import Parsed, is_out_of_memory
from penstock.model import Blueprint, Draft, Extraction, Failure, Source, Stage
from penstock.pipelines.cleaning.cleaning import clean
from penstock.pipelines.ingest.documents import document_of
from penstock.urls import without_secrets

if TYPE_CHECKING:  # the ports bring numpy, which a process that parses has no use for
    from penstock.ports import Chunker

ResultT = TypeVar("ResultT")


class Preparation:
    """Cleans each extraction and, where a chunker is named, chunks it.

    Args:
        chunker: name, options and token counter of the chunker, as `parts.preparing` gives them; None: nothing is cut.

    Raises:
        PenstockError: the chunker or its counter cannot be made; the subclass says why.
    """

    def __init__(self, *, chunker: Mapping[str, Any] | None = None) -> None:
        self._chunker: Chunker | None = None
        if chunker:
            counter = registry.build(Blueprint(**chunker["counter"]))
            self._chunker = registry.make(
                "chunkers",
                chunker["name"],
                counter,
                offered=chunker["offered"],
                options=chunker["options"],
                allow_external=chunker["allow_external"],
            )

    def prepare(self, source: Source, extraction: Extraction) -> Parsed | Failure:
        """The cleaned extraction with its chunk drafts; a fault of our own gives a failure that is retried."""
        begun = time.perf_counter()
        cleaned = _guarded("clean", source, lambda: clean(extraction))
        if isinstance(cleaned, Failure):
            return cleaned
        between = time.perf_counter()
        drafts = self.cut(source, cleaned)
        if isinstance(drafts, Failure):
            return drafts
        seconds: dict[Stage, float] = {"clean": between - begun, "chunk": time.perf_counter() - between}
        return Parsed(extraction=cleaned, drafts=drafts, seconds=seconds)

    def cut(self, source: Source, extraction: Extraction) -> tuple[Draft, ...] | Failure | None:
        """Where a cleaned text is cut; None without a chunker."""
        return _guarded("chunk", source, lambda: self._drafts(source, extraction))

    def _drafts(self, source: Source, extraction: Extraction) -> tuple[Draft, ...] | None:
        if self._chunker is None:
            return None
        # Ids depend on what only the calling process knows; it makes the chunks again from their spans.
        return tuple(
            Draft(span=chunk.span, headings=chunk.headings, table_header=chunk.table_header)
            for chunk in self._chunker.chunk(document_of(source, extraction), "")
        )


def blueprint(chunker: Mapping[str, Any] | None = None) -> Blueprint:
    """Makes a `Preparation` in another process."""
    return Blueprint(factory=f"{Preparation.__module__}:{Preparation.__qualname__}", options={"chunker": chunker})


def fault(error: Exception) -> str:
    """The message for an unexpected error: with the file and line that raised it, in place of the traceback."""
    last = extract_tb(error.__traceback__)[-1]
    text = without_secrets(f"{type(error).__name__}: {error}".rstrip(": "))
    file = last.filename.rpartition("/")[2]
    return f"a fault of Penstock, not of the source: {text} ({file}:{last.lineno}); please report it"


def _guarded(stage: Stage, source: Source, work: Callable[[], ResultT]) -> ResultT | Failure:
    try:
        return work()
    except Exception as error:
        if is_out_of_memory(error):
            raise
        return Failure(uri=source.uri, stage=stage, kind=type(error).__name__, message=fault(error), retryable=True)
