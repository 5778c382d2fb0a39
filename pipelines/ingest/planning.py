"""Plans a run without writing anything: for a dry run, and for a run in steps."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from penstock.catalog.commit.cursors import Cursor
from penstock.model import Access, BatchReport, Failure, SourceResult, lets_in
from penstock.pipelines.access.widening import remarks
from penstock.pipelines.ingest.discovery import Discovery
from penstock.pipelines.ingest.lookups import Known, inherits, looked_up
from penstock.pipelines.ingest.outcomes import SourceOutcome, not_listed
from penstock.pipelines.ingest.reading import FoundSource, KnownState
from penstock.pipelines.ingest.removal import Removal
from penstock.pipelines.ingest.stopwatch import Stopwatch

Settle = Callable[[FoundSource, KnownState], SourceOutcome | None]
"""The outcome of a source, where its listing alone decides it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """The listings of a run compared with the collection."""

    collection: str
    pending: tuple[FoundSource, ...]
    """Sources to read, in the order of discovery: new ones, and those that the listing does not show to be unchanged.
    A web page without a date in its sitemap is always pending: only its server knows."""
    changed: frozenset[str]
    """URIs of pending sources that the collection knows already; the others are new."""
    settled: BatchReport
    """Outcomes that need no reading: unchanged sources, known failures, and what could not be listed."""
    removal: Removal
    """What `finish` removes, or why the guard stops it."""
    given: tuple[tuple[str, Access], ...] = ()
    """The access that the run gives to addresses."""
    opened: tuple[str, ...] = ()
    """URIs of known sources that will be visible to more readers."""
    cursors: tuple[Cursor, ...] = ()
    """Where the next listings may continue after this plan was carried out."""

    @property
    def attention(self) -> tuple[str, ...]:
        """What the user should check before the run."""
        refused = (self.removal.refused,) if self.removal.refused else ()
        return (*self.removal.remarks, *refused, *remarks(self.opened, ()))

    @property
    def new(self) -> tuple[FoundSource, ...]:
        """Pending sources that the collection does not know."""
        return tuple(found for found in self.pending if found.listed.uri not in self.changed)

    def batches(self, size: int) -> list[tuple[FoundSource, ...]]:
        """The pending sources in batches of `size`."""
        return [self.pending[start : start + size] for start in range(0, len(self.pending), size)]


def plan_run(
    collection: str,
    discovery: Discovery,
    known: Known,
    settle: Settle,
    *,
    removal_share: float,
    stopwatch: Stopwatch,
) -> RunPlan:
    """Reads the listings once; fetches only lists and sitemaps, and writes nothing."""
    pending: list[FoundSource] = []
    changed: set[str] = set()
    results: list[SourceResult] = []
    opened: list[str] = []
    for item in looked_up(stopwatch.timing_each("discover", discovery.found()), known.of):
        if isinstance(item, Failure):
            results.append(not_listed(item))
            continue
        found, before = item
        if outcome := settle(found, before):
            results.append(outcome.result)
            continue
        pending.append(replace(found, beside=discovery.beside(found)) if inherits(found, before) else found)
        if before.known or before.failed:
            changed.add(found.listed.uri)
        if _opens(found, before):
            opened.append(found.listed.uri)
    seconds = stopwatch.seconds()
    return RunPlan(
        collection=collection,
        pending=tuple(pending),
        changed=frozenset(changed),
        settled=BatchReport(results=tuple(results), seconds=sum(seconds.values()), stage_seconds=seconds),
        removal=discovery.removal(known, share=removal_share),
        given=discovery.given,
        opened=tuple(opened),
        cursors=discovery.cursors,
    )


def _opens(found: FoundSource, before: KnownState) -> bool:
    known, access = before.known, found.marks.access
    return known is not None and access is not None and lets_in(access, known.source.access)
