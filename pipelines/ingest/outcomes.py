"""The outcomes that a source can have before embedding, each with its reason and what to write to the catalog."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from penstock.catalog import KnownSource, Quarantined, Upsert
from penstock.errors import ExcludedSource, LimitExceeded, UnsupportedFormat
from penstock.model import Chunk, Document, Extraction, Failure, Outcome, Source, SourceResult
from penstock.urls import without_secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOutcome:
    """The outcome of a source before embedding, and what to write to the catalog."""

    result: SourceResult
    upsert: Upsert | None = None
    quarantined: Quarantined | None = None
    removed: bool = False
    """Whether the source is removed from the catalog."""
    parsed: bool = False
    pages: int = 0
    overtaken: bool = False
    """Whether another run changed the source while it was read: it has to be looked up and read again."""


def as_before(known: KnownSource) -> SourceOutcome:
    """Nothing about the source has changed. A source without text keeps its outcome: it never counts as read."""
    outcome: Outcome = "unchanged" if known.chunks else known.outcome
    return SourceOutcome(result=_result(known.source, outcome, known.reason, known.chunks))


def touched(source: Source, known: KnownSource) -> SourceOutcome:
    """The same bytes with a new date, labels or access: only the record of the source changes."""
    upsert = _record(source, known.outcome, known.reason, known.loader)
    upsert = replace(upsert, content=known.content, chunker=known.chunker)
    return replace(as_before(known), upsert=upsert)


def copied(source: Source, copy: KnownSource) -> SourceOutcome:
    """The same bytes as another source: nothing is parsed or embedded, and the document gains a source."""
    reason = f"same bytes as {without_secrets(copy.source.uri)}"
    upsert = _record(source, copy.outcome, copy.reason, copy.loader)
    upsert = replace(upsert, content=copy.content, chunker=copy.chunker)
    return SourceOutcome(result=_result(source, copy.outcome, reason, copy.chunks), upsert=upsert)


def skipped(source: Source, loader: str, reason: str) -> SourceOutcome:
    """No loader reads this kind of file."""
    return SourceOutcome(result=_result(source, "skipped", reason), upsert=_record(source, "skipped", reason, loader))


def without_text(source: Source, loader: str, extraction: Extraction, *, pages: int) -> SourceOutcome:
    """The file was read and has no text."""
    reason = problems_of(extraction) or "no text was found in it"
    upsert = _record(source, "empty", reason, loader)
    return SourceOutcome(result=_result(source, "empty", reason), upsert=upsert, parsed=True, pages=pages)


def cut(
    document: Document, content: str, chunks: tuple[Chunk, ...], chunker: str, extraction: Extraction
) -> SourceOutcome:
    """The file was read and cut; `partial` where a part of it could not be read."""
    outcome: Outcome = "partial" if extraction.problems else "indexed"
    upsert = Upsert(
        source=document.source,
        outcome=outcome,
        reason=problems_of(extraction),
        content=content,
        loader=document.loader,
        chunker=chunker,
        document=document,
        chunks=chunks,
    )
    return SourceOutcome(
        result=_result(document.source, outcome, upsert.reason, len(chunks)), upsert=upsert, parsed=True
    )


def cut_again(upsert: Upsert) -> SourceOutcome:
    """The stored text was cut again, because the chunker or its settings changed."""
    reason = "cut again from the stored text"
    return SourceOutcome(result=_result(upsert.source, "indexed", reason, len(upsert.chunks)), upsert=upsert)


def not_fetched(uri: str, reason: str, known: KnownSource | None) -> SourceOutcome:
    """The bytes could not be fetched or read; what was read before stays."""
    if still_there := _still_there(known):
        reason += f"{still_there} (`penstock remove` takes it out)"
    return SourceOutcome(
        result=SourceResult(uri=uri, outcome="failed", reason=reason, chunks=known.chunks if known else 0)
    )


def overtaken(uri: str, known: KnownSource | None = None) -> SourceOutcome:
    """Another run has changed the source since it was looked up."""
    reason = "other runs changed it while it was read; run again when they have finished"
    return replace(not_fetched(uri, reason, known), overtaken=True)


def not_listed(failure: Failure) -> SourceResult:
    """A place that could not be listed, or that a setting excludes: it is reported like a source."""
    return SourceResult(uri=failure.uri, outcome=outcome_of(failure), reason=failure.message)


def left_out(uri: str, reason: str, *, was_known: bool) -> SourceOutcome:
    """A setting excludes the source; what was read of it before is removed."""
    return SourceOutcome(result=SourceResult(uri=uri, outcome="skipped", reason=reason), removed=was_known)


def is_left_out(failure: Failure) -> bool:
    """Whether the source did not fail but is excluded by a setting."""
    return failure.kind == ExcludedSource.__name__


def broken(source: Source, loader: str, failure: Failure, known: KnownSource | None) -> SourceOutcome:
    """The bytes could not be parsed. Unless another try may help, they wait in quarantine until they change."""
    reason = failure.message + _still_there(known)
    result = _result(source, outcome_of(failure), reason, known.chunks if known else 0)
    quarantined = Quarantined(source=source, loader=loader, failure=failure, since=datetime.now(UTC))
    return SourceOutcome(result=result, quarantined=None if failure.retryable else quarantined, parsed=True)


def not_tried_again(failed: Quarantined, known: KnownSource | None, source: Source | None = None) -> SourceOutcome:
    """In quarantine, and neither the bytes nor their loader have changed; `source` has its present date and labels."""
    changes = "the file, a limit or the chunker" if failed.failure.kind == LimitExceeded.__name__ else "the file"
    reason = f"{failed.failure.message} (as on {failed.since:%Y-%m-%d}; tried again when {changes} changes)"
    result = _result(failed.source, outcome_of(failed.failure), reason, known.chunks if known else 0)
    renewed = replace(failed, source=source) if source and source != failed.source else None
    return SourceOutcome(result=result, quarantined=renewed)


def outcome_of(failure: Failure) -> Outcome:
    """The outcome of a source that was not read."""
    return "skipped" if failure.kind in (UnsupportedFormat.__name__, ExcludedSource.__name__) else "failed"


def _record(source: Source, outcome: Outcome, reason: str, loader: str) -> Upsert:
    return Upsert(
        source=source, outcome=outcome, reason=reason, content="", loader=loader, chunker="", document=None, chunks=()
    )


def _result(source: Source, outcome: Outcome, reason: str, chunks: int = 0) -> SourceResult:
    return SourceResult(uri=source.uri, outcome=outcome, reason=reason, chunks=chunks)


def _still_there(known: KnownSource | None) -> str:
    return "; the version read before stays searchable" if known and known.chunks else ""


def problems_of(extraction: Extraction) -> str:
    """What could not be read of a source, with the pages; empty where everything could."""
    pages: dict[str, list[int]] = {}
    for problem in extraction.problems:
        pages.setdefault(problem.message, []).extend([problem.page] if problem.page else [])
    return "; ".join(_with_pages(message, numbers) for message, numbers in pages.items())


def _with_pages(message: str, pages: list[int]) -> str:
    if not pages:
        return message
    more = f" and {len(pages) - 5} more" if len(pages) > 5 else ""
    return f"page {', '.join(map(str, pages[:5]))}{more}: {message}"
