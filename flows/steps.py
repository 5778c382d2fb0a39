"""The tasks of a run over a collection: what is there, batch by batch, and what is gone.

Tasks hand on addresses and counts, never documents.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import penstock.flows.prefect_setup  # noqa: F401 - before prefect: switches its telemetry off

from prefect import get_run_logger, task  # isort: skip

from penstock.flows.artifacts import artifacts
from penstock.flows.retrying import RETRIED
from penstock.flows.workspaces import opened
from penstock.model import OUTCOMES, BatchReport, RunReport, SourceResult
from penstock.pipelines.ingest.planning import RunPlan
from penstock.pipelines.ingest.reading import FoundSource

BATCH = 64
"""Sources a task, where nobody says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """The collection and the home that a run writes to; None means the one that the settings name."""

    collection: str | None
    home: str | None


@task(name="discover", task_run_name="discover", **RETRIED)
def discover(addresses: list[str], target: Destination) -> RunPlan:
    """What is below the addresses, or in the sources that penstock.toml describes where there are none."""
    with opened(target.home, target.collection) as penstock:
        plan = penstock.plan(*addresses)
    settled = _outcomes(plan.settled.results)
    get_run_logger().info(
        "%d to read%s; %d gone", len(plan.pending), f"; {settled}" if settled else "", len(plan.removal.removed)
    )
    return plan


@task(name="begin", task_run_name="begin", **RETRIED)
def begin(command: str, target: Destination) -> int:
    """Records in the catalog that a run begins; gives its number."""
    with opened(target.home, target.collection) as penstock:
        return penstock.begin(command)


@task(name="ingest", task_run_name="batch {number} of {of}", **RETRIED)
def ingest_batch(number: int, of: int, batch: Sequence[FoundSource], run: int, target: Destination) -> BatchReport:
    """Reads and commits one batch of sources."""
    with opened(target.home, target.collection) as penstock:
        report = penstock.take(batch, run=run)
    get_run_logger().info("batch %d of %d: %s", number, of, _outcomes(report.results) or "nothing")
    return report


@task(name="finish", task_run_name="finish", **RETRIED)
def finish(plan: RunPlan, batches: Sequence[BatchReport], run: int, target: Destination) -> RunReport:
    """Removes what is gone, brings both indexes up to date, and gives the report of the run."""
    with opened(target.home, target.collection) as penstock:
        return penstock.finish(plan, batches, run=run)


def all_steps(plan: RunPlan, run: int, batch: int, target: Destination) -> RunReport:
    """The tasks of a run one after the other, with a bar that shows how far it is."""
    batches = plan.batches(batch)
    with artifacts.progress(plan.collection, len(plan.pending)) as bar:
        done = []
        for number, sources in enumerate(batches, start=1):
            done.append(ingest_batch(number, len(batches), sources, run, target))
            if done[-1].interrupted:
                break
            bar.add(len(sources))
        return finish(plan, done, run, target)


def _outcomes(results: Sequence[SourceResult]) -> str:
    counts = Counter(result.outcome for result in results)
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES if counts[outcome])
