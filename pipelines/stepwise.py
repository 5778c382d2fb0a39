"""A run in steps that an orchestrator can repeat and show: a plan, batches to ingest, and a last step that removes."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from threading import Lock

from penstock.errors import CatalogError
from penstock.loaders import Sandbox
from penstock.model import BatchReport, Labels, RunReport
from penstock.pipelines.history.compacting import tidy
from penstock.pipelines.ingest.ingest import Watch, ignore
from penstock.pipelines.ingest.joining import status_of
from penstock.pipelines.ingest.lookups import Known
from penstock.pipelines.ingest.planning import RunPlan, plan_run
from penstock.pipelines.ingest.reading import FoundSource
from penstock.pipelines.ingest.removal import Removal
from penstock.pipelines.ingest.stopwatch import Stopwatch
from penstock.pipelines.workspace import Penstock


class Stepwise(Penstock):
    """A workspace whose runs are made in steps; all steps together do what `ingest` or `sync` does.

    The steps exchange plain values, so each may run in a process of its own; those that share a workspace share its
    model, its parsers and its catalog. A step that failed may be repeated: what it committed is then unchanged. Batches
    may be taken at the same time, by threads or by processes: the writer's lock is held for their commits alone.

        with Stepwise(collection="handbook") as penstock:
            plan = penstock.plan()
            run = penstock.begin("sync")
            done = [penstock.take(batch, run=run) for batch in plan.batches(64)]
            report = penstock.finish(plan, done, run=run)
    """

    def close(self) -> None:
        """Closes all files and the parsing processes; the next call opens them again."""
        self._close_sandbox()
        super().close()

    def plan(
        self, *addresses: str | Path, labels: Labels | None = None, access: Iterable[str] | None = None
    ) -> RunPlan:
        """What an ingest of these addresses would do, or without addresses a sync with `penstock.toml`; writes nothing.

        Listed sources, and known ones below the addresses, are looked up. `labels` and `access` are those of `ingest`.

        Raises:
            UnknownName: no address is given, and `penstock.toml` does not describe the collection.
            SourceError: an address is not there and never was, or is of a kind that is not read.
        """
        stopwatch = Stopwatch()
        present = self.present()
        return plan_run(
            self.settings.collection,
            self.discovery(*addresses, labels=labels, access=access),
            Known(present),
            self._reader(present, self._sandbox, stopwatch).settled if present else lambda _found, _before: None,
            removal_share=self.settings.removal_share,
            stopwatch=stopwatch,
        )

    def begin(self, command: str) -> int:
        """Records in the catalog that a run begins, and creates the collection if needed; gives the run's number."""
        self.collection = self.catalog.collection(self.settings.collection, create=True)
        return self.collection.start_run(command)

    def take(self, batch: Sequence[FoundSource], *, run: int, watch: Watch = ignore) -> BatchReport:
        """Reads and commits a batch of a plan's pending sources; looks up only those, and removes nothing.

        Raises:
            CollectionLocked: another process held the writer's lock for longer than `lock_seconds`.
            EngineError, CatalogError, IndexingError: the run cannot go on; what is committed stays.
        """
        working = self._ingestion(run, watch, followed=self._followed)
        try:
            return working.take(batch, self._reader(self.collection, self._sandbox, working.stopwatch))
        finally:
            self._followed = max(self._followed, working.followed)

    def finish(self, plan: RunPlan, batches: Sequence[BatchReport], *, run: int, watch: Watch = ignore) -> RunReport:
        """Removes what is gone, updates the indexes, and gives the report of the whole run.

        A run that lacks batches of its plan counts as interrupted; nothing is removed then.

        Raises: as `take`.
        """
        done = {result.uri for batch in batches for result in batch.results}
        whole = all(found.listed.uri in done for found in plan.pending)
        stopped = () if whole else (BatchReport(interrupted=True),)
        working = self._ingestion(run, watch)
        removal = plan.removal if whole else Removal()
        cursors = plan.cursors if whole else ()
        report = working.finish((plan.settled, *batches, *stopped), removal, plan.given, cursors)
        self.collection.finish_run(run, report, status_of(report))
        tidy(self.collection, self.settings.history.revisions)
        self._close_sandbox()
        return report

    def abandon(self, run: int) -> None:
        """Records in the catalog that a run ended early, if the catalog can still be written."""
        with suppress(CatalogError):
            self.collection.finish_run(run, None, "failed")

    _followed = 0.0
    """When the indexes last followed, by `time.monotonic`."""

    @property
    def _making(self) -> AbstractContextManager[object]:
        lock: AbstractContextManager[object] = self.__dict__.setdefault("_lock_of_making", Lock())
        return lock

    @property
    def _sandbox(self) -> Sandbox:
        """Made once, by the first thread that needs it."""
        with self._making:
            if self._made is None:
                self._made = self._new_sandbox()
            return self._made

    _made: Sandbox | None = None

    def _close_sandbox(self) -> None:
        with self._making:
            sandbox, self._made = self._made, None
        if sandbox:
            sandbox.close()
