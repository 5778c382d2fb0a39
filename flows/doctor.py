"""The doctor flow: proves that catalog and indexes hold the same chunks, or brings them back in step."""

from typing import Any

import penstock.flows.prefect_setup  # noqa: F401 - before prefect: switches its telemetry off

from prefect import flow, get_run_logger, task  # isort: skip
from prefect.artifacts import create_table_artifact  # isort: skip
from prefect.states import Failed  # isort: skip

from penstock.flows import working_folder
from penstock.flows.artifacts import artifacts
from penstock.flows.artifacts.markdown import cell
from penstock.flows.retrying import RETRIED
from penstock.flows.running import run_name_of
from penstock.pipelines.reporting import reports
from penstock.pipelines.workspace import Penstock


@task(name="examine", task_run_name="examine {collection}", **RETRIED)
def examine(collection: str, home: str | None, repair: bool) -> dict[str, Any]:
    """What the doctor found in a collection, as a dictionary."""
    with Penstock(home, collection) as penstock:
        found = reports.diagnosis(penstock.doctor(repair=repair))
    verdict = "the same chunks everywhere" if found["ok"] else f"{len(found['problems'])} problems"
    get_run_logger().info("%s, revision %d, %d chunks: %s", collection, found["revision"], found["chunks"], verdict)
    return found


def run_name() -> str:
    """The name of a run on Prefect's page: its collection or all, and when it was due."""
    return run_name_of("all")


@flow(name="penstock-doctor", flow_run_name=run_name, persist_result=False)
def doctor(collection: str | None = None, home: str | None = None, repair: bool = False) -> Any:
    """Proves that catalog, keyword index and vector index hold the same chunks.

    Args:
        collection: name of the collection; default: each collection of the home.
        home: where Penstock keeps its data; default as for `penstock --home`.
        repair: whether an index that differs is rebuilt from the catalog.
    """
    working_folder.return_to_it()
    found = [examine(name, home, repair) for name in ([collection] if collection else _collections(home))]
    rows = [
        {
            "collection": examined["collection"],
            "revision": examined["revision"],
            "chunks": examined["chunks"],
            "found": cell("; ".join(problem["message"] for problem in examined["problems"])) or "the same everywhere",
        }
        for examined in found
    ]
    create_table_artifact(rows, key=artifacts.key(collection or "all", "doctor"), description="What the doctor found")
    if ill := [examined["collection"] for examined in found if not examined["ok"]]:
        return Failed(message=f"catalog and indexes differ in {', '.join(ill)}; run it again with repair")
    return found


def _collections(home: str | None) -> list[str]:
    with Penstock(home) as penstock:
        return [info.name for info in penstock.collections()]
