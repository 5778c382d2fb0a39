"""Reading sources without a collection: the cleaned text and the outcome of each."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from penstock import ids, loaders
from penstock.errors import SourceError
from penstock.model import EVERYBODY, Document, Extraction, Failure, Fetched, Listed, Removed, Source, SourceResult
from penstock.pipelines import assembly
from penstock.pipelines.connectors import Connectors
from penstock.pipelines.ingest import preparation
from penstock.pipelines.ingest.documents import Formats, document_of, not_read, read_with, source_of
from penstock.pipelines.ingest.outcomes import not_listed, problems_of
from penstock.pipelines.ingest.pool import AbandonablePool
from penstock.pipelines.ingest.preparation import fault
from penstock.ports import Fetcher, Lister
from penstock.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """One source that was read outside any collection: its outcome, and the document or failure that goes with it."""

    result: SourceResult
    """Its outcome is one of indexed (that is, read whole), partial, empty, skipped and failed."""
    document: Document | None = None
    """Its id is made of the URI alone."""
    failure: Failure | None = None


def extract(settings: Settings, *addresses: str | Path) -> Generator[Extracted, None, None]:
    """Every source below the addresses once, in the order of their listings; read ahead by a few, never all at once.

    Files are parsed in the sandbox, under the limits of the settings, as an ingest would.

    Raises:
        SourceError: an address is not there, or is of a kind that is not read.
    """
    connectors = Connectors(settings)
    listers = [
        connectors.lister(str(address)) if connectors.reads(str(address)) else assembly.lister(settings, address)
        for address in addresses
    ]
    with assembly.sandbox(settings, preparation.blueprint()) as sandbox:
        reader = _Extractor(sandbox, connectors.fetchers(assembly.fetching(settings)), assembly.formats(settings))
        yield from _in_order(_discovered(listers), reader.extract, settings.limits.workers)


def _discovered(listers: Iterable[Lister]) -> Iterator[Listed | Failure]:
    seen = set[str]()
    for lister in listers:
        for found in lister.list():
            if isinstance(found, Removed):
                continue
            if isinstance(found, Failure) or found.uri not in seen:
                seen.add(found.uri)
                yield found


def _in_order(
    discovered: Iterator[Listed | Failure], extract: Callable[[Listed], Extracted], workers: int
) -> Iterator[Extracted]:
    ahead: deque[Future[Extracted] | Extracted] = deque()
    pool = AbandonablePool(workers, name="penstock-extract")
    try:
        for found in discovered:
            ahead.append(_failed(found) if isinstance(found, Failure) else pool.submit(extract, found))
            while len(ahead) > 2 * workers:
                yield _finished(ahead.popleft())
        while ahead:
            yield _finished(ahead.popleft())
    finally:
        pool.shutdown()


def _finished(pending: Future[Extracted] | Extracted) -> Extracted:
    return pending if isinstance(pending, Extracted) else pending.result()


class _Extractor:
    """Reads one listed source; safe to use from several threads."""

    def __init__(self, sandbox: loaders.Sandbox, fetcher_for: Callable[[str], Fetcher], formats: Formats) -> None:
        self._sandbox = sandbox
        self._fetcher_for = fetcher_for
        self._formats = formats

    def extract(self, listed: Listed) -> Extracted:
        """The text of the source, or why it cannot be read."""
        try:
            with self._fetcher_for(listed.uri).fetch(listed, None) as fetched:
                return self._read(listed, fetched)
        except SourceError as error:
            return _failed(_failure(listed.uri, error, str(error), retryable=error.retryable))
        except Exception as error:  # noqa: BLE001 - it ends in the outcome of this source: the others are not at fault
            return _failed(_failure(listed.uri, error, fault(error), retryable=False))

    def _read(self, listed: Listed, fetched: Fetched | None) -> Extracted:
        if fetched is None:
            raise AssertionError(f"{listed.uri}: called unchanged, but never read")
        media_type = self._formats.sniff(fetched.path, listed.uri, fetched.declared_type)
        loader = read_with(self._formats, media_type, listed.uri)
        if loader is None:
            return Extracted(result=SourceResult(uri=listed.uri, outcome="skipped", reason=not_read(media_type)))
        source = source_of(listed, fetched, media_type, labels=listed.labels or {}, access=EVERYBODY)
        extraction = self._sandbox.parse(source, fetched.path, fetched.declared_type)
        return _failed(extraction) if isinstance(extraction, Failure) else _extracted(source, loader, extraction)


def _extracted(source: Source, loader: str, extraction: Extraction) -> Extracted:
    reason = problems_of(extraction)
    if not any(block.kind != "furniture" for block in extraction.blocks):
        reason = reason or "no text was found in it"
        return Extracted(result=SourceResult(uri=source.uri, outcome="empty", reason=reason))
    document = document_of(source, extraction, document_id=ids.document_id("", source.uri), loader=loader)
    result = SourceResult(uri=source.uri, outcome="partial" if reason else "indexed", reason=reason)
    return Extracted(result=result, document=document)


def _failed(failure: Failure) -> Extracted:
    return Extracted(result=not_listed(failure), failure=failure)


def _failure(uri: str, error: Exception, message: str, *, retryable: bool) -> Failure:
    return Failure(uri=uri, stage="fetch", kind=type(error).__name__, message=message, retryable=retryable)
