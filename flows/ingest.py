"""The ingest flow: the same pipeline as `penstock ingest`, in batches that are retried, with a table of outcomes.

    python -m penstock.flows.ingest ./handbook https://example.org/guide.html --collection handbook

Tasks hand on addresses and counts, never documents; nothing is cached or persisted by Prefect, because the catalog
already knows what was done.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import penstock.flows.prefect_setup  # noqa: F401 - before prefect: switches its telemetry off

from prefect import flow, get_run_logger, task  # isort: skip
from prefect.artifacts import create_table_artifact  # isort: skip
from prefect.cache_policies import NO_CACHE  # isort: skip

from penstock.errors import PenstockError, UsageError
from penstock.model import OUTCOMES, Listed
from penstock.pipelines import reports
from penstock.pipelines.workspace import Penstock

if TYPE_CHECKING:
    from prefect import Task
    from prefect.client.schemas.objects import State, TaskRun


async def may_help(_task: "Task[..., Any]", _run: "TaskRun", state: "State[Any]") -> bool:
    """Whether another try can help: only errors that say so are tried again."""
    error = await state.aresult(raise_on_failure=False)
    return isinstance(error, PenstockError) and error.retryable


@task(cache_policy=NO_CACHE, persist_result=False)
def discover(addresses: list[str], home: str | None, collection: str | None, batch: int) -> list[list[str]]:
    """The URIs below the addresses, in batches."""
    with Penstock(home, collection) as penstock:
        listed = [found for lister in penstock.listers(*addresses) for found in lister.list()]
    uris = list(dict.fromkeys(found.uri for found in listed if isinstance(found, Listed)))
    return [uris[start : start + batch] for start in range(0, len(uris), batch)]


@task(
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=3,
    retry_delay_seconds=[2, 10, 30],
    retry_jitter_factor=0.5,
    retry_condition_fn=may_help,
    task_run_name="ingest {name}",
)
def ingest_batch(name: str, addresses: list[str], home: str | None, collection: str | None) -> dict[str, Any]:
    """Brings the collection to what the addresses say; the run's report as a dictionary."""
    with Penstock(home, collection) as penstock:
        report = penstock.ingest(*addresses)
    get_run_logger().info("%s: %s", name, ", ".join(f"{outcome} {report.count(outcome)}" for outcome in OUTCOMES))
    return reports.run_report(report)


@flow(name="penstock-ingest", persist_result=False)
def ingest(
    addresses: list[str], home: str | None = None, collection: str | None = None, batch: int = 64
) -> dict[str, Any]:
    """Ingests files, folders and web addresses into a collection.

    Args:
        addresses: files, folders, URLs.
        home: where Penstock keeps its data; default as for `penstock --home`.
        collection: name of the collection; default as for `penstock --collection`.
        batch: sources a task.
    """
    batches = discover(addresses, home, collection, batch)
    done = [
        ingest_batch(f"batch {number} of {len(batches)}", uris, home, collection)
        for number, uris in enumerate(batches, start=1)
    ]
    whole = ingest_batch("the whole listing", addresses, home, collection)
    report = joined(done, whole)
    rows = [{"outcome": outcome, "sources": report[outcome]} for outcome in OUTCOMES]
    create_table_artifact(rows, key="penstock-outcomes", description=f"Outcomes in {report['collection']}")
    attention = [one for one in report["sources"] if one["outcome"] in ("failed", "partial", "empty", "skipped")]
    if attention:
        create_table_artifact(attention[:200], key="penstock-attention", description="Sources to look at, with reasons")
    return report


def joined(batches: list[dict[str, Any]], whole: dict[str, Any]) -> dict[str, Any]:
    """One report of a flow run: the final listing's, with what the batches before it did to each source."""
    did = {one["uri"]: one for report in batches for one in report["sources"] if one["outcome"] != "unchanged"}
    sources = [did.get(one["uri"], one) for one in whole["sources"]]
    counts: dict[str, Any] = {outcome: sum(one["outcome"] == outcome for one in sources) for outcome in OUTCOMES}
    totals = {name: sum(report[name] for report in (*batches, whole)) for name in ("parsed", "embedded", "seconds")}
    return {**whole, **counts, **totals, "sources": sources}


def main() -> None:
    """`python -m penstock.flows.ingest`: runs the flow once, prints its counts, and ends as `penstock ingest` does."""
    import argparse
    import json

    parser = argparse.ArgumentParser(prog="python -m penstock.flows.ingest", description=ingest.__doc__)
    parser.add_argument("addresses", nargs="+", help="files, folders and web addresses")
    parser.add_argument("--home", type=Path)
    parser.add_argument("--collection", "-c")
    parser.add_argument("--batch", type=int, default=64, help="sources a task")
    given = parser.parse_args()
    addresses = [_absolute(address) for address in given.addresses]
    try:
        report = ingest(addresses, str(given.home) if given.home else None, given.collection, given.batch)
    except PenstockError as error:  # Prefect has logged where
        parser.exit(2 if isinstance(error, UsageError) else 1, f"error: {error}\n")
    print(json.dumps({outcome: report[outcome] for outcome in ("discovered", *OUTCOMES)}))  # noqa: T201
    if code := exit_code(report):
        parser.exit(code)


def exit_code(report: dict[str, Any]) -> int:
    """0 all well; 3 some sources failed or need attention; 1 nothing could be read at all."""
    if report["failed"] and report["failed"] == report["discovered"]:
        return 1
    return 3 if report["failed"] or report["partial"] or report["empty"] or report["attention"] else 0


def _absolute(address: str) -> str:
    return address if "://" in address else str(Path(address).resolve())


if __name__ == "__main__":
    main()
