"""When a task is tried again: after errors that say that it can help, ever later, and not all at the same moment."""

from typing import TYPE_CHECKING, Any, TypedDict

import penstock.flows.prefect_setup  # noqa: F401 - before prefect: switches its telemetry off

from prefect.cache_policies import NO_CACHE  # isort: skip
from prefect.tasks import exponential_backoff  # isort: skip

from penstock.errors import PenstockError

if TYPE_CHECKING:
    from prefect import Task
    from prefect.client.schemas.objects import State, TaskRun


async def may_help(_task: "Task[..., Any]", _run: "TaskRun", state: "State[Any]") -> bool:
    """Whether another try can help: only errors that say so are tried again."""
    error = await state.aresult(raise_on_failure=False)
    return isinstance(error, PenstockError) and error.retryable


class Unkept(TypedDict):
    """Options of a task of which Prefect keeps nothing: the catalog knows what was done."""

    cache_policy: Any
    persist_result: bool


class Retried(Unkept):
    """Options of a task that is tried again."""

    retries: int
    retry_delay_seconds: Any
    retry_jitter_factor: float
    retry_condition_fn: Any


UNKEPT: Unkept = {"cache_policy": NO_CACHE, "persist_result": False}
RETRIED: Retried = {
    **UNKEPT,
    "retries": 4,
    "retry_delay_seconds": exponential_backoff(backoff_factor=2),  # 2, 4, 8, 16 seconds, each up to half as long again
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": may_help,
}
