"""What is served: the schedules of penstock.toml, what was set on the page, runs that were cut off."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest
from filelock import FileLock
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule

from penstock.errors import SchedulerError, UsageError
from penstock.flows.serving import cut_off, server, serving
from penstock.settings import CollectionSettings, ScheduleSettings
from tests.servers.processes import free_port


def described(**schedule: Any) -> CollectionSettings:
    when = ScheduleSettings(**schedule) if schedule else None
    return CollectionSettings(sources=cast(Any, [{"path": "docs"}]), schedule=when)


def of(name: str, collection: CollectionSettings) -> Any:
    return serving.deployments({name: collection})[0]


def known(*schedules: DeploymentScheduleCreate, paused: bool = False) -> Any:
    return SimpleNamespace(paused=paused, schedules=list(schedules))


EARLIER = datetime(2026, 1, 1, tzinfo=UTC)
BEAT = IntervalSchedule(interval=timedelta(hours=1), anchor_date=EARLIER)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        pytest.param({"cron": "0 3 * * *", "timezone": "Asia/Shanghai"}, ("0 3 * * *", "Asia/Shanghai"), id="cron"),
        pytest.param({"every": "90m"}, timedelta(minutes=90), id="interval"),
    ],
)
def test_schedules_are_those_of_penstock_toml(times: dict[str, Any], expected: Any) -> None:
    (schedule,) = of("员工手册", described(**times)).schedules
    when = schedule.schedule
    assert (when.interval if isinstance(when, IntervalSchedule) else (when.cron, when.timezone)) == expected


def test_a_deployment_is_of_one_collection_and_runs_once_at_a_time() -> None:
    deployment = of("员工手册", described())
    assert deployment.full_name == "penstock-sync/员工手册"
    assert deployment.parameters == {"collection": "员工手册"}
    assert deployment.concurrency_limit == 1
    assert deployment.entrypoint == "penstock.flows.sync.sync"
    assert deployment.schedules == []


def test_a_collection_that_is_named_like_a_file_keeps_a_name_of_its_own() -> None:
    assert of("notes.py", described()).name != of("notes", described()).name


def test_what_was_paused_stays_paused() -> None:
    deployment = of("handbook", described(every="1h"))
    before = DeploymentScheduleCreate(schedule=BEAT, active=False, slug=serving.SLUG)
    serving._keep_what_was_set(deployment, known(before, paused=True))
    (schedule,) = deployment.schedules
    assert deployment.paused
    assert not schedule.active
    assert schedule.schedule.anchor_date == EARLIER  # an interval keeps its beat


def test_a_changed_time_holds_and_what_was_added_on_the_page_lives_on() -> None:
    deployment = of("handbook", described(cron="0 5 * * *"))
    added = DeploymentScheduleCreate(schedule=CronSchedule(cron="0 12 * * *"), active=True, slug="mine")
    serving._keep_what_was_set(
        deployment, known(DeploymentScheduleCreate(schedule=BEAT, active=True, slug=serving.SLUG), added)
    )
    assert [planned.schedule.cron for planned in deployment.schedules] == ["0 5 * * *", "0 12 * * *"]


def test_a_schedule_that_left_penstock_toml_goes() -> None:
    deployment = of("handbook", described())
    before = DeploymentScheduleCreate(schedule=BEAT, active=True, slug=serving.SLUG)
    serving._keep_what_was_set(deployment, known(before))
    assert deployment.schedules == []


@pytest.mark.parametrize(
    ("state", "tries", "expected"),
    [
        pytest.param(StateType.RUNNING, 1, StateType.SCHEDULED, id="begins again"),
        pytest.param(StateType.CRASHED, 2, StateType.SCHEDULED, id="crashed with what served it"),
        pytest.param(StateType.RUNNING, 3, StateType.CRASHED, id="not for ever"),
        pytest.param(StateType.CANCELLING, 1, StateType.CANCELLED, id="was being cancelled"),
    ],
)
def test_what_becomes_of_a_run_that_was_cut_off(state: StateType, tries: int, expected: StateType) -> None:
    run = FlowRun(flow_id=uuid4(), state_type=state, run_count=tries)
    found = cut_off._next(run)
    assert found.type == expected
    assert found.message


def test_only_one_process_serves_a_home(tmp_path: Path) -> None:
    (tmp_path / "prefect").mkdir()
    already = pytest.raises(UsageError, match="serves this home already")
    with FileLock(tmp_path / "prefect" / "schedule.lock"), already, serving._alone(tmp_path / "prefect"):
        pass


def test_a_note_of_a_server_that_is_gone_is_not_believed(tmp_path: Path) -> None:
    note = tmp_path / "server.json"
    for text in ("", "{", '{"pid": 1}', json.dumps({"pid": os.getpid(), "port": free_port()})):
        note.write_text(text, "utf-8")
        assert server._left_behind(note) is None
    assert server._left_behind(tmp_path / "nothing") is None


@pytest.mark.prefect
@pytest.mark.timeout(180)
def test_a_server_of_our_own_listens_to_its_page_alone_and_keeps_to_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", f"sqlite+aiosqlite:///{tmp_path}/other.db")
    monkeypatch.setenv("PREFECT_API_DATABASE_CONNECTION_URL", f"sqlite+aiosqlite:///{tmp_path}/older.db")
    with server.running(tmp_path / "prefect", free_port()) as running:

        def let_in(origin: str) -> str | None:
            asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            answer = httpx.options(f"{running.api}/flows/filter", headers=asked, trust_env=False)
            allowed: str | None = answer.headers.get("access-control-allow-origin")
            return allowed

        assert let_in("https://example.org") is None
        assert let_in(running.page) == running.page
    assert (tmp_path / "prefect" / "prefect.db").exists()
    assert not list(tmp_path.glob("*.db"))


def test_a_server_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(SchedulerError, match="ended while it started"), server.running(tmp_path, free_port()):
        pass
    assert not (tmp_path / "server.json").exists()
