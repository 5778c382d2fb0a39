"""Serves what penstock.toml schedules: one deployment a collection, one process, one run of a collection at a time."""

import asyncio
import logging
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from inspect import isawaitable
from pathlib import Path
from typing import TYPE_CHECKING, cast
from uuid import UUID

import penstock.flows.prefect_setup  # noqa: F401 - before prefect: switches its telemetry off

import httpx  # isort: skip
from filelock import FileLock, Timeout  # isort: skip
from prefect.client.orchestration import get_client  # isort: skip
from prefect.client.schemas.actions import DeploymentScheduleCreate  # isort: skip
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule  # isort: skip
from prefect.deployments.runner import DeploymentApplyError, RunnerDeployment  # isort: skip
from prefect.exceptions import ObjectNotFound, PrefectException  # isort: skip
from prefect.logging.handlers import APILogHandler  # isort: skip
from prefect.runner import Runner  # isort: skip
from prefect.types.entrypoint import EntrypointType  # isort: skip
from prefect.settings import (  # isort: skip
    PREFECT_API_AUTH_STRING,
    PREFECT_API_KEY,
    PREFECT_API_URL,
    PREFECT_CLIENT_CUSTOM_HEADERS,
    temporary_settings,
)

from penstock.errors import SchedulerError, UsageError
from penstock.flows import working_folder
from penstock.flows.doctor import doctor
from penstock.flows.serving import cut_off, server
from penstock.flows.serving.environment import narrowed
from penstock.flows.sync import sync
from penstock.settings import CollectionSettings, ScheduleSettings

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.responses import DeploymentResponse

TAG = "penstock"
SLUG = "penstock-toml"
"""Name of the schedule that penstock.toml gives a deployment, beside those that were made on Prefect's page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """The Prefect server in use."""

    api: str
    own: bool
    """Whether this process started it, so that nobody else runs anything on it."""
    password: str = field(default="", repr=False)
    """What the page of our own server asks for; empty for other servers, whose password is not ours to show."""
    is_open: bool = False
    """Whether it takes orders from everybody who reaches it, so that they run programs here."""

    @property
    def page(self) -> str:
        """Address of its page, for a browser."""
        return self.api.removesuffix("/").removesuffix("/api")


@contextmanager
def reached(home: Path, port: int | None) -> Iterator[Reached]:
    """The Prefect server that `PREFECT_API_URL` or the profile names, or one of our own for as long as it is needed.

    Raises:
        SchedulerError: the server that is named does not answer, or our own does not start.
        UsageError: another process serves the schedules of this home already.
    """
    if PREFECT_API_URL.value():
        api = str(PREFECT_API_URL.value())
        _check(api)
        yield Reached(api=api, own=False, is_open=_is_open())
        return
    folder = home / "prefect"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)  # what is kept there names sources, and says why they could not be read
    with _alone(folder), server.running(folder, port) as own:
        ours = {PREFECT_API_URL: own.api, PREFECT_API_AUTH_STRING: own.password}
        with temporary_settings(ours):
            yield Reached(api=own.api, own=True, password=own.password)


def deployments(collections: Mapping[str, CollectionSettings]) -> list[RunnerDeployment]:
    """A deployment of `sync` for each collection, with its schedule if it has one, and one of `doctor` for all."""
    synced = [_deployment(name, described) for name, described in collections.items()]
    check = RunnerDeployment.from_flow(
        doctor,
        "all",
        tags=[TAG],
        description="Proves that catalog, keyword index and vector index hold the same chunks.",
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    return [*synced, check]


def register(runner: Runner, served: list[RunnerDeployment], *, own: bool) -> list[UUID]:
    """Makes the deployments known to the server, and gives their ids; what was paused there stays paused.

    Raises:
        SchedulerError: the server does not take them.
    """
    try:
        with get_client(sync_client=True) as client:
            for deployment in served:
                _keep_what_was_set(deployment, _known(client, deployment))
        ids = [cast(UUID, runner.add_deployment(deployment)) for deployment in served]  # no loop runs here yet
        if own:
            _forget_others(ids)
    except (DeploymentApplyError, httpx.HTTPError) as error:
        raise SchedulerError(f"Prefect's server does not take the schedules: {error}") from error
    return ids


def serve(collections: Mapping[str, CollectionSettings], *, own: bool) -> None:
    """Runs what is due and what is asked for, until it is interrupted or terminated; a run that is under way is ended.

    Raises:
        SchedulerError: the server does not take the schedules.
    """
    # It logs, for each run that waits for its turn, that the run was not begun: every few seconds.
    logging.getLogger("prefect.runner.state_proposer").setLevel(logging.WARNING)
    runner = Runner(name=TAG, pause_on_shutdown=False, limit=None)
    ids = register(runner, deployments(collections), own=own)
    if own:
        cut_off.begin_again(ids)
    with narrowed(), working_folder.left():
        asyncio.run(_run(runner))
    APILogHandler().flush()  # before our server ends: what is left is sent to nobody, again and again, for a minute


async def _run(runner: Runner) -> None:
    """Runs until SIGINT or SIGTERM, which ends the runs that are under way; Prefect records them as cancelled.

    Prefect's own handling of SIGTERM does not end them in some of its releases.
    """
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    work = asyncio.ensure_future(runner.start())
    while not runner.started and not work.done():  # it puts a handler of its own in place before it has started
        await asyncio.sleep(0.05)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    waiting = asyncio.ensure_future(stopped.wait())
    await asyncio.wait((work, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not work.done():
        stopping = runner.stop()
        if isawaitable(stopping):
            await stopping
    await work


def _deployment(name: str, described: CollectionSettings) -> RunnerDeployment:
    shown = f"{name} (py)" if name.endswith(".py") else name  # Prefect takes .py for a file's ending
    return RunnerDeployment.from_flow(
        sync,
        shown,
        parameters={"collection": name},
        schedules=[_schedule(described.schedule)] if described.schedule else [],
        concurrency_limit=1,
        tags=[TAG],
        description=f"Brings the collection {name} to what its sources say now.",
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


def _schedule(schedule: ScheduleSettings) -> DeploymentScheduleCreate:
    if schedule.every:
        return DeploymentScheduleCreate(schedule=IntervalSchedule(interval=schedule.every), slug=SLUG)
    return DeploymentScheduleCreate(schedule=CronSchedule(cron=schedule.cron, timezone=schedule.timezone), slug=SLUG)


def _known(client: "SyncPrefectClient", deployment: RunnerDeployment) -> "DeploymentResponse | None":
    try:
        return client.read_deployment_by_name(deployment.full_name)
    except ObjectNotFound:
        return None


def _keep_what_was_set(deployment: RunnerDeployment, known: "DeploymentResponse | None") -> None:
    """Lets a paused deployment stay paused, an unchanged interval keep its rhythm, and further schedules stay."""
    if known is None:
        return
    deployment.paused = known.paused
    ours = {schedule.slug: schedule for schedule in deployment.schedules or []}
    kept = []
    for before in known.schedules:
        after = ours.pop(before.slug, None)
        if before.slug == SLUG and after is None:
            continue  # penstock.toml no longer gives one
        schedule = before.schedule if after is None or _same(before.schedule, after.schedule) else after.schedule
        kept.append(DeploymentScheduleCreate(schedule=schedule, active=before.active, slug=before.slug))
    deployment.schedules = [*kept, *ours.values()]


def _same(before: object, after: object) -> bool:
    if isinstance(before, IntervalSchedule) and isinstance(after, IntervalSchedule):
        return before.interval == after.interval
    return before == after


def _forget_others(served: list[UUID]) -> None:
    """Takes deployments away that penstock.toml no longer describes; their runs stay on the page."""
    with get_client(sync_client=True) as client:
        for deployment in client.read_deployments():
            if TAG in deployment.tags and deployment.work_pool_name is None and deployment.id not in served:
                client.delete_deployment(deployment.id)


def _check(api: str) -> None:
    with get_client(sync_client=True) as client:  # with the keys and certificates that are set for this server
        error = client.api_healthcheck()
    if error:
        reason = " ".join(str(error).split())
        raise SchedulerError(f"Prefect's server at {api} (PREFECT_API_URL) does not answer: {reason}") from error


def _is_open() -> bool:
    """Whether the server that is named lists deployments to one who brings no key, no password and no header."""
    credentials = {PREFECT_API_AUTH_STRING, PREFECT_API_KEY, PREFECT_CLIENT_CUSTOM_HEADERS}
    with temporary_settings(restore_defaults=credentials), get_client(sync_client=True) as client:
        try:
            client.read_deployments(limit=1)
        except (httpx.HTTPError, PrefectException, ValueError):  # the last: a page where somebody logs in, say
            return False
    return True


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    lock = FileLock(folder / "schedule.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UsageError(f"another `penstock schedule` serves this home already ({folder.parent})") from None
    try:
        yield
    finally:
        lock.release()
