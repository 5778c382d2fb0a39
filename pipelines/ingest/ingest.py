"""A run over a collection: every discovered source ends in exactly one outcome, and both indexes follow each commit.

Sources stream through: threads read ahead (parsing is done in child processes), embedding and committing are done here
in order, batch by batch. A commit is short and is the only thing that changes the collection. The writer's lock is held
only for commits; a source that another run has changed since it was looked up is read again.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from typing import Any

from penstock.catalog import Batch, Collection
from penstock.catalog.commit.cursors import Cursor
from penstock.engines.embedders.cached import CachedEmbedder
from penstock.errors import CollectionLocked, PenstockError, UnstorableValue
from penstock.model import Access, BatchReport, ChunkCounts, Failure, RunReport, SourceResult
from penstock.pipelines.access.widening import Widening, remarks
from penstock.pipelines.indexing.doctor import refusals
from penstock.pipelines.indexing.following import Followers
from penstock.pipelines.indexing.switching import change_model
from penstock.pipelines.ingest.discovery import Discovery
from penstock.pipelines.ingest.joining import joined, run_report, too_many_failed
from penstock.pipelines.ingest.lookups import NEW, Heirs, Known, LookUp, looked_up
from penstock.pipelines.ingest.outcomes import SourceOutcome, not_fetched, not_listed, overtaken
from penstock.pipelines.ingest.pool import AbandonablePool
from penstock.pipelines.ingest.reading import FoundSource, KnownState, Reader
from penstock.pipelines.ingest.rechecking import Origin, Read, lack_vectors, rechecked, still_gone
from penstock.pipelines.ingest.records import Record, Records
from penstock.pipelines.ingest.removal import Removal
from penstock.pipelines.ingest.stopwatch import Stopwatch
from penstock.urls import scheme_of

CHUNKS_A_COMMIT = 1024
"""A batch is committed early when it holds this many chunks, so that memory does not grow with the size of files."""
SECONDS_BETWEEN_FOLLOWS = 20.0
"""How far the indexes may lag behind the catalog during a run; each update of them costs a write to disk."""
TRIES = 10
"""How often a source is read again because other runs changed it before it could be committed."""

Watch = Callable[[SourceResult], None]
Lock = Callable[[], AbstractContextManager[None]]
"""Holds the collection's writer's lock, for one commit."""


def ignore(_: SourceResult) -> None:
    """Watches nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much is done at a time, and how much one run may remove."""

    documents: int
    """Documents in a commit."""
    workers: int
    """Sources that are read at the same time."""
    removal_share: float
    """Share of a collection that one run may remove."""
    failure_share: float = 1.0
    """The run counts as failed if more than this share of its sources fail."""


class Ingestion:
    """A run over a collection to which other runs may commit meanwhile; used once."""

    def __init__(
        self,
        collection: Collection,
        *,
        embedder: CachedEmbedder,
        followers: Followers,
        lock: Lock,
        pace: Pace,
        run: int,
        watch: Watch,
        stopwatch: Stopwatch,
        followed: float | None = None,
    ) -> None:
        """`followed` is when the indexes were last updated, by `time.monotonic`; by default now."""
        self._collection = collection
        self._embedder = embedder
        self._followers = followers
        self._lock = lock
        self._pace = pace
        self._run = run
        self._watch = watch
        self.stopwatch = stopwatch
        self._widening = Widening(collection, run)
        self._waiting: list[Read[Any]] = []
        self._results: list[SourceResult] = []
        self.followed = time.monotonic() if followed is None else followed
        self._parsed = self._pages = 0
        self._attention: list[str] = []

    def ingest(self, discovery: Discovery, reader: Reader) -> RunReport:
        """Updates the collection to what the listings show; an interrupt keeps what is committed.

        Raises:
            EngineError, CatalogError, IndexingError: the run cannot go on; what is committed stays.
        """

        def work() -> None:
            found = discovery.found()
            self._collection.remember(discovery.given, run=self._run)
            heirs = Heirs(self._collection, discovery.beside, reader)
            self._take_all(self._read_ahead(found, heirs), heirs)
            removal = discovery.removal(Known(self._collection), share=self._pace.removal_share)
            self._remove(removal)
            self._keep(() if removal.refused else discovery.cursors, self._results, removal.since)

        return self._reported(work)

    def add(self, records: Iterable[Record], origin: Records) -> RunReport:
        """Commits texts that a program holds; nothing is removed."""

        def reads() -> Iterator[Read[Record]]:
            for record in records:
                before = origin.known([record]).get(record.uri, NEW)
                yield Read(item=record, before=before, outcome=origin.read(record, before))

        return self._reported(lambda: self._take_all(reads(), origin))

    def remove(self, uris: Sequence[str], since: int | None = None) -> RunReport:
        """Removes sources on request, except those changed after the revision `since`; no guard applies."""

        def work() -> None:
            self._remove(Removal(uris=tuple(uris), reason="removed on request", since=since))
            self._keep((), self._results)

        return self._reported(work)

    def take(self, batch: Sequence[FoundSource], reader: Reader) -> BatchReport:
        """Reads and commits some of the sources of a run; looks up only those, and removes nothing.

        The indexes are updated if their last update was a while ago.

        Raises: as `ingest`.
        """
        begun = time.perf_counter()

        def work() -> None:
            self._change_model()
            named = {(found.address, found.marks.access) for found in batch if found.address}
            given = [(address, access) for address, access in named if access is not None]
            self._collection.remember(given, run=self._run)
            heirs = Heirs(self._collection, lambda found: found.beside, reader)
            self._take_all(self._read_ahead(batch, heirs), heirs)

        return self._batch(begun, self._worked(work))

    def finish(
        self,
        batches: Sequence[BatchReport],
        removal: Removal,
        given: Iterable[tuple[str, Access]] = (),
        cursors: Sequence[Cursor] = (),
    ) -> RunReport:
        """Removes what is gone and updates the indexes; the report is of the whole run in batches.

        `given` is the access that the run gives to addresses, also to those with nothing to read; `cursors` are where
        its listings ended, if everything they listed was read.

        Raises: as `ingest`.
        """

        def work() -> None:
            self._collection.remember(given, run=self._run)
            self._remove(removal)
            results = [result for batch in batches for result in batch.results]
            self._keep(() if removal.refused else cursors, [*results, *self._results], removal.since)

        return self._reported(work, batches)

    def _reported(self, work: Callable[[], None], batches: Sequence[BatchReport] = ()) -> RunReport:
        begun = time.perf_counter()
        interrupted = self._worked(lambda: self._in_step(work))
        self._follow_to_the_end()
        self._attention += refusals(self._collection, self._followers)
        whole = joined((*batches, self._batch(begun, interrupted)))
        whole = replace(whole, attention=(*whole.attention, *remarks(whole.opened, whole.exposed)))
        return run_report(
            whole,
            collection=self._collection.name,
            revision=self._collection.revision(),
            chunks=self._counts(),
            failure=too_many_failed(whole.results, share=self._pace.failure_share),
        )

    def _in_step(self, work: Callable[[], None]) -> None:
        self._follow(timeout=0)  # updates or repairs the indexes after a crash or damage, whatever the run finds
        self._change_model()
        work()

    def _worked(self, work: Callable[[], None]) -> bool:
        """Whether the work was interrupted; after an error, the indexes are updated as far as possible."""
        try:
            work()
        except KeyboardInterrupt:
            return True
        except PenstockError:
            with suppress(PenstockError):  # the error that ended the run is the one to report
                self._follow(timeout=0)
            raise
        return False

    def _batch(self, begun: float, interrupted: bool) -> BatchReport:
        return BatchReport(
            results=tuple(self._results),
            parsed=self._parsed,
            embedded=self._embedder.computed,
            pages=self._pages,
            seconds=time.perf_counter() - begun,
            stage_seconds=self.stopwatch.seconds(),
            attention=tuple(self._attention),
            opened=tuple(self._widening.opened),
            exposed=tuple(self._widening.exposed),
            interrupted=interrupted,
        )

    def _discovered(
        self, listed: Iterable[FoundSource | Failure], look_up: LookUp
    ) -> Iterator[tuple[FoundSource, KnownState]]:
        for found in looked_up(self.stopwatch.timing_each("discover", iter(listed)), look_up):
            if isinstance(found, Failure):
                self._end(not_listed(found))
            else:
                yield found

    def _read_ahead(self, listed: Iterable[FoundSource | Failure], heirs: Heirs) -> Iterator[Read[FoundSource]]:
        """Reads sources in the order of discovery, a few of them ahead."""
        ahead: deque[tuple[FoundSource, KnownState, Future[SourceOutcome] | SourceOutcome]] = deque()
        pool = AbandonablePool(self._pace.workers, name="penstock-read")
        try:
            for found, before in self._discovered(listed, heirs.known):
                ahead.append((found, before, heirs.settled(found, before) or pool.submit(heirs.read, found, before)))
                while len(ahead) > 2 * self._pace.workers:
                    yield _finished(*ahead.popleft())
            while ahead:
                yield _finished(*ahead.popleft())
        finally:
            pool.shutdown()

    def _take_all(self, reads: Iterable[Read[Any]], origin: Origin[Any]) -> None:
        chunks = 0
        for read in reads:
            if not self._waits(read):
                continue
            chunks += len(read.outcome.upsert.chunks) if read.outcome.upsert else 0
            if len(self._waiting) >= self._pace.documents or chunks >= CHUNKS_A_COMMIT:
                self._commit_waiting(origin)
                chunks = 0
        self._commit_waiting(origin)

    def _waits(self, read: Read[Any]) -> bool:
        """Whether there is something to commit; else reports the outcome of the source."""
        outcome = read.outcome
        self._parsed += outcome.parsed
        self._pages += outcome.pages
        if outcome.upsert or outcome.quarantined or outcome.removed or outcome.overtaken:
            self._waiting.append(read)
            return True
        self._end(outcome.result)
        return False

    def _commit_waiting(self, origin: Origin[Any]) -> None:
        """Commits what waits; first reads sources again that another run changed since they were looked up."""
        for _ in range(TRIES):
            if not self._waiting:
                return
            waiting, self._waiting = self._waiting, []
            self._embed(waiting)
            with self._lock():
                if lack_vectors(self._collection, waiting, self._embedder.identity):
                    self._waiting = waiting
                    continue
                checked = rechecked(self._collection, waiting, origin)
                ended = self._commit_outcomes([read.outcome for read in checked.fit])
            for result in ended:
                self._end(result)
            self._follow_now_and_then()
            for item, now in checked.changed:
                self._waits(Read(item=item, before=now, outcome=origin.read(item, now)))
        waiting, self._waiting = self._waiting, []
        for read in waiting:
            self._end(overtaken(read.outcome.result.uri, read.before.known).result)

    def _embed(self, reads: Sequence[Read[Any]]) -> None:
        chunks = (chunk for read in reads if read.outcome.upsert for chunk in read.outcome.upsert.chunks)
        with self.stopwatch.timing("embed"):
            self._embedder.embed([chunk.context for chunk in chunks], role="passage")

    def _commit_outcomes(self, outcomes: Sequence[SourceOutcome]) -> list[SourceResult]:
        """Commits all together; if the database cannot store a value of one of them, commits each separately."""
        if not outcomes:
            return []
        upserts = tuple(outcome.upsert for outcome in outcomes if outcome.upsert)
        failures = tuple(outcome.quarantined for outcome in outcomes if outcome.quarantined)
        removed = tuple(outcome.result.uri for outcome in outcomes if outcome.removed)
        known = self._widening.known(upserts)
        try:
            self._commit(Batch(puts=upserts, removed=removed, failures=failures))
        except UnstorableValue as error:
            if len(outcomes) > 1:
                return [result for outcome in outcomes for result in self._commit_outcomes([outcome])]
            return [self._not_stored(outcomes[0], error)]
        self._widening.look(upserts, known)
        return [outcome.result for outcome in outcomes]

    def _not_stored(self, outcome: SourceOutcome, error: UnstorableValue) -> SourceResult:
        uri = outcome.result.uri
        return not_fetched(uri, str(error), self._collection.known(uri)).result

    def _commit(self, batch: Batch) -> None:
        with self.stopwatch.timing("commit"):
            self._collection.commit(batch, run=self._run, embedder=self._embedder.identity)

    def _remove(self, removal: Removal) -> None:
        self._forget(removal.left_out, None)  # also if another run has just added it: nobody may see it
        behind = "behind a link that is not followed (folders.links)"
        self._forget(removal.behind, removal.since, reason=behind)
        if removal.refused:
            self._attention.append(removal.refused)
            return
        self._forget(removal.uris, removal.since, reason=removal.reason)
        self._attention.extend(removal.remarks)

    def _keep(self, cursors: Sequence[Cursor], results: Sequence[SourceResult], since: int | None = None) -> None:
        """Stores where listings ended, as the last step: after a run that is killed before, the same is listed again.

        The cursor is not stored if a source of its scheme could not be fetched: no later listing would name it. A
        source in quarantine is listed again when it changes.
        """
        failed = [result.uri for result in results if result.outcome == "failed"]
        waiting = {entry.source.uri for entry in self._collection.quarantine(failed)}
        unread = {scheme_of(uri) for uri in failed if uri not in waiting}
        removed = {scheme_of(result.uri) for result in results if result.outcome == "removed"}
        kept = [cursor for cursor in cursors if scheme_of(cursor.address) not in unread]
        self._collection.keep_cursors(kept, removed=removed, run=self._run, since=since)

    def _forget(self, uris: Sequence[str], since: int | None, *, reason: str = "") -> None:
        """Removes sources from the catalog; without a reason their outcome was reported already."""
        for start in range(0, len(uris), CHUNKS_A_COMMIT):
            with self._lock():
                gone = still_gone(self._collection, uris[start : start + CHUNKS_A_COMMIT], since)
                self._commit(Batch(puts=(), removed=tuple(gone), failures=()))
            for uri in gone if reason else ():
                self._end(SourceResult(uri=uri, outcome="removed", reason=reason))
            self._follow_now_and_then()

    def _change_model(self) -> None:
        """Embeds the stored text with the model in force, where the collection was built with another model."""
        self._collection.know_model(self._embedder.identity, self._embedder.dimension)
        present = self._collection.embedder()
        if present in ("", self._embedder.identity):
            return
        with self.stopwatch.timing("embed"):
            change_model(self._collection, self._embedder, self._lock)

    def _follow_now_and_then(self) -> None:
        if time.monotonic() - self.followed > SECONDS_BETWEEN_FOLLOWS:
            self._follow(timeout=0)

    def _follow(self, *, timeout: float | None = None) -> None:
        """Updates the indexes; without a timeout, waits `lock_seconds` for another process that updates them."""
        if self._collection.embedder() != self._embedder.identity:
            return  # nothing is committed yet, or the change to another model was not completed
        with self.stopwatch.timing("follow"), suppress(*(() if timeout is None else (CollectionLocked,))):
            self._followers.catch_up(timeout=timeout)
        self.followed = time.monotonic()

    def _follow_to_the_end(self) -> None:
        try:
            self._follow()
        except CollectionLocked as error:
            self._attention.append(f"all is committed, and searches show the last of it later: {error}")

    def _counts(self) -> ChunkCounts:
        for _ in range(TRIES):
            keyword, vector = self._followers.counts()
            counts = ChunkCounts(catalog=self._collection.chunk_count(), keyword=keyword, vector=vector)
            if counts.catalog == keyword == vector or not self._followers.are_behind(self._collection.revision()):
                break
            self._follow(timeout=0)  # another run has committed meanwhile
        return counts

    def _end(self, result: SourceResult) -> None:
        self._results.append(result)
        self._watch(result)


def _finished(
    found: FoundSource, before: KnownState, pending: Future[SourceOutcome] | SourceOutcome
) -> Read[FoundSource]:
    outcome = pending if isinstance(pending, SourceOutcome) else pending.result()
    return Read(item=found, before=before, outcome=outcome)
