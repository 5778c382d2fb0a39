"""One flow run over one collection, from what is there to its account on Prefect's page."""

from datetime import UTC
from typing import Any

import penstock.flows.prefect_setup  # noqa: F401 - before prefect: switches its telemetry off

from prefect import get_run_logger, runtime  # isort: skip
from prefect.states import Failed  # isort: skip

from penstock.errors import PenstockError
from penstock.flows import working_folder
from penstock.flows.artifacts import artifacts
from penstock.flows.steps import Destination, all_steps, begin, discover
from penstock.flows.workspaces import kept_open
from penstock.model import RunReport
from penstock.pipelines.reporting import reports


def bring_up_to_date(command: str, addresses: list[str], batch: int, target: Destination) -> Any:
    """The run's report as a dictionary; Prefect's state of failure where an error or too many failures ended it."""
    working_folder.return_to_it()
    try:
        report, new = _steps(command, addresses, batch, target)
    except PenstockError as error:  # without its traceback, which says nothing that the message does not
        return Failed(message=str(error), data=error)
    account = reports.run_report(report)
    artifacts.account(account, new)
    get_run_logger().info("%s", artifacts.headline(account))
    if report.failure:
        return Failed(message=f"{report.failure}; what was read is searchable, and the artifacts name the reasons")
    return account


def _steps(command: str, addresses: list[str], batch: int, target: Destination) -> tuple[RunReport, frozenset[str]]:
    """The report, and which sources were new."""
    with kept_open(target.home, target.collection) as penstock:
        plan = discover(addresses, target)
        run = begin(command, target)
        try:
            report = all_steps(plan, run, batch, target)
        except BaseException:  # a cancelled run too
            penstock.abandon(run)
            raise
        return report, frozenset(found.listed.uri for found in plan.new)


def run_name() -> str:
    """The name of a run on Prefect's page: its collection, and when it was due."""
    return run_name_of("default")


def run_name_of(unnamed: str) -> str:
    """The same, with what the run is called that names no collection."""
    due = runtime.flow_run.scheduled_start_time
    collection = runtime.flow_run.parameters.get("collection") or unnamed
    return f"{collection} {due.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
