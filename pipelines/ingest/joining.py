"""Joins the reports of a run's batches, and decides whether the run as a whole counts as failed."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from penstock.model import BatchReport, ChunkCounts, RunReport, SourceResult, Stage


def joined(batches: Sequence[BatchReport]) -> BatchReport:
    """One report of several batches, in their order."""
    return BatchReport(
        results=tuple(result for batch in batches for result in batch.results),
        parsed=sum(batch.parsed for batch in batches),
        embedded=sum(batch.embedded for batch in batches),
        pages=sum(batch.pages for batch in batches),
        seconds=sum(batch.seconds for batch in batches),
        stage_seconds=_added(batch.stage_seconds for batch in batches),
        attention=tuple(remark for batch in batches for remark in batch.attention),
        opened=tuple(uri for batch in batches for uri in batch.opened),
        exposed=tuple(uri for batch in batches for uri in batch.exposed),
        interrupted=any(batch.interrupted for batch in batches),
    )


def run_report(whole: BatchReport, *, collection: str, revision: int, chunks: ChunkCounts, failure: str) -> RunReport:
    """The report of a run, from the joined report of its batches and the state of the collection after it."""
    return RunReport(
        collection=collection,
        revision=revision,
        results=whole.results,
        parsed=whole.parsed,
        embedded=whole.embedded,
        chunks=chunks,
        seconds=whole.seconds,
        stage_seconds=whole.stage_seconds,
        pages=whole.pages,
        attention=whole.attention,
        interrupted=whole.interrupted,
        failure=failure,
    )


def status_of(report: RunReport) -> str:
    """The status of a finished run in the catalog."""
    if report.interrupted:
        return "interrupted"
    return "failed" if report.failure else "finished"


def too_many_failed(results: Sequence[SourceResult], *, share: float) -> str:
    """Why a run with these results counts as failed: more than the share failed, or all did; else empty."""
    discovered = sum(result.outcome != "removed" for result in results)
    failed = sum(result.outcome == "failed" for result in results)
    if failed and failed == discovered:
        return "nothing could be read" if failed == 1 else f"none of {failed} sources could be read"
    if failed > share * discovered:
        return f"{failed} of {discovered} sources failed, more than the {share:.0%} that may (failure_share)"
    return ""


def _added(all_seconds: Iterable[Mapping[Stage, float]]) -> Mapping[Stage, float]:
    total: Counter[Stage] = Counter()
    for seconds in all_seconds:
        total.update(dict(seconds))
    return dict(total)
