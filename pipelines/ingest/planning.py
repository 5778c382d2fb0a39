"""What a run would do, found out without writing anything: for a look before it, and for a run in steps."""

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
"""The outcome of a source, where its listing alone tells it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """What the listings of a run show, against what the collection holds."""

    collection: str
    pending: tuple[FoundSource, ...]
    """Sources to read, in the order of discovery: new ones, and those of which the listing does not say that they are
    unchanged. A web page without a date in its sitemap is always one: only its server can tell."""
    changed: frozenset[str]
    """URIs of pending sources that the collection knows already; the others are new."""
    settled: BatchReport
    """Outcomes that need no reading: unchanged sources, known failures, and what could not be listed."""
    removal: Removal
    """What `finish` takes out, or why the guard stops it."""
    given: tuple[tuple[str, Access], ...] = ()
    """What the run was told of addresses: who may see what lies there."""
    opened: tuple[str, ...] = ()
    """URIs of known sources that somebody will see who does not yet."""
    cursors: tuple[Cursor, ...] = ()
    """Where the next listings may go on, when this plan was carried out."""

    @property
    def attention(self) -> tuple[str, ...]:
        """What a person should look at before it is done."""
        refused = (self.removal.refused,) if self.removal.refused else ()
        return (*self.removal.remarks, *refused, *remarks(self.opened, ()))

    @property
    def new(self) -> tuple[FoundSource, ...]:
        """Pending sources that the collection does not know."""
        return tuple(found for found in self.pending if found.listed.uri not in self.changed)

    def batches(self, size: int) -> list[tuple[FoundSource, ...]]:
        """The pending sources, so many at a time."""
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
    """Looks through the listings once; nothing is fetched but lists and sitemaps, and nothing is written."""
    pending: list[FoundSource] = []
    changed: set[str] = set()
    results: list[SourceResult] = []
    opened: list[str] = []
    for one in looked_up(stopwatch.timing_each("discover", discovery.found()), known.of):
        if isinstance(one, Failure):
            results.append(not_listed(one))
            continue
        found, before = one
        if reading := settle(found, before):
            results.append(reading.result)
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
