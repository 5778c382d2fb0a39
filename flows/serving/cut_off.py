"""Runs that were under way when the process that served them was killed: ended for good, and begun again."""

from typing import TYPE_CHECKING
from uuid import UUID

import penstock.flows.prefect_setup  # noqa: F401 - before prefect: switches its telemetry off

import psutil  # isort: skip
from prefect.client.orchestration import get_client  # isort: skip
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate  # isort: skip
from prefect.client.schemas.filters import (  # isort: skip
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType  # isort: skip
from prefect.client.schemas.sorting import FlowRunSort  # isort: skip
from prefect.states import AwaitingRetry, Cancelled, Crashed  # isort: skip

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun, State

TRIES = 3
"""A run that was cut off this many times is not begun again: it may be what brings the machine down."""
SECONDS_TO_END = 20.0
BEGUN = [kind for kind in StateType if kind not in (StateType.SCHEDULED, StateType.PAUSED)]
UNDER_WAY = (StateType.PENDING, StateType.RUNNING, StateType.CANCELLING)


def begin_again(deployments: list[UUID]) -> None:
    """Begins each deployment's runs again that Prefect believes to be under way, and its last one if that crashed.

    For a server of our own, before anything is served: whatever is under way there was cut off.
    """
    with get_client(sync_client=True) as client:
        for deployment in deployments:
            runs = _begun(client, deployment)
            for number, run in enumerate(runs):
                if run.state_type in UNDER_WAY or (number == 0 and run.state_type == StateType.CRASHED):
                    _end(run)
                    client.set_flow_run_state(run.id, _next(run), force=True)
            _free_slots(client, deployment)


def _begun(client: "SyncPrefectClient", deployment: UUID) -> "list[FlowRun]":
    """The latest runs, latest first."""
    return client.read_flow_runs(
        flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=BEGUN))),
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment])),
        sort=FlowRunSort.EXPECTED_START_TIME_DESC,
        limit=20,
    )


def _next(run: "FlowRun") -> "State[None]":
    if run.state_type == StateType.CANCELLING:
        return Cancelled(message="Cancelled; what was committed stays.")
    if run.run_count >= TRIES:
        return Crashed(message=f"What ran it was killed {run.run_count} times; what was committed stays.")
    return AwaitingRetry(message="What ran it was killed; it begins again, and what was committed stays.")


def _end(run: "FlowRun") -> None:
    """Ends a process of the run that outlived the one that served it."""
    left = [process for process in psutil.process_iter() if _runs(process, str(run.id))]
    for process in left:
        process.terminate()
    for process in psutil.wait_procs(left, SECONDS_TO_END)[1]:
        process.kill()


def _runs(process: psutil.Process, run: str) -> bool:
    try:
        return bool(process.environ().get("PREFECT__FLOW_RUN_ID") == run)
    except psutil.Error:
        return False


def _free_slots(client: "SyncPrefectClient", deployment: UUID) -> None:
    """Lets the next run begin: a server that was killed too forgot who held the slot."""
    limit = client.read_deployment(deployment).global_concurrency_limit
    if limit and limit.active_slots:
        client.update_global_concurrency_limit(limit.name, GlobalConcurrencyLimitUpdate(active_slots=0))
