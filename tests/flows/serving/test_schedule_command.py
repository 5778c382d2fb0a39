"""`penstock schedule` with a real Prefect server: scheduled runs, pauses, kills, cancelled runs, and a quiet end."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from penstock import Penstock
from penstock.flows.serving import server
from penstock.testing.doubles.embedders import LittleModel
from tests.servers.processes import free_port

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(900)]

TOML = """
[collections.handbook]
sources = [{ path = "handbook" }]
schedule = { every = "5s" }

[collections."员工手册"]
sources = [{ path = "手册" }]
"""
PROGRAM = "from penstock.cli import main; main()"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with penstock.toml and the sources of two collections."""
    folder = tmp_path_factory.mktemp("schedule")
    (folder / "penstock.toml").write_text(TOML, "utf-8")
    for name, count in (("handbook", 3), ("手册", 40)):
        (folder / name).mkdir()
        for number in range(count):
            (folder / name / f"page {number}.txt").write_text(
                f"Page number{number} of {name} tells of water.\n", "utf-8"
            )
    (folder / "handbook" / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing\n")
    return folder


def command(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-c", PROGRAM, *arguments, "--home", str(folder / "home")]


@contextmanager
def schedule(folder: Path, environment: Mapping[str, str], port: int) -> Iterator["subprocess.Popen[bytes]"]:
    with (folder / "schedule.log").open("ab") as log:
        process = subprocess.Popen(
            command(folder, "schedule", "--port", str(port)), cwd=folder, env=environment, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)


def until(found: Callable[[], Any], seconds: float = 240) -> Any:
    """What is found as soon as it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if result := found():
                return result
        except httpx.HTTPError:
            pass
        time.sleep(0.3)
    raise AssertionError("it did not happen")


class Api:
    """Prefect's API, as its page uses it."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def post(self, path: str, **body: Any) -> Any:
        answer = self._http.post(path, json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def deployment(self, name: str) -> dict[str, Any]:
        found = [deployment for deployment in self.post("/deployments/filter") if deployment["name"] == name]
        return found[0] if found else {}

    def begun(self, name: str) -> list[dict[str, Any]]:
        """The deployment's runs that are no longer only scheduled."""
        runs = self.post("/flow_runs/filter", deployments={"name": {"any_": [name]}}, sort="EXPECTED_START_TIME_ASC")
        return [run for run in runs if run["state_type"] not in ("SCHEDULED", "PENDING")]

    def run(self, number: str) -> dict[str, Any]:
        found: dict[str, Any] = self._http.get(f"/flow_runs/{number}").json()
        return found

    def ask_for(self, name: str, **parameters: Any) -> str:
        path = f"/deployments/{self.deployment(name)['id']}/create_flow_run"
        return str(self.post(path, state={"type": "SCHEDULED"}, parameters=parameters)["id"])

    def batches(self, run: str) -> int:
        """Tasks of the run that committed a batch."""
        tasks = self.post("/task_runs/filter", flow_runs={"id": {"any_": [run]}})
        return sum(task["name"].startswith("batch") and task["state_type"] == "COMPLETED" for task in tasks)

    def artifacts(self, run: str) -> dict[str, Any]:
        found = self.post("/artifacts/filter", artifacts={"flow_run_id": {"any_": [run]}})
        return {artifact["key"]: artifact["data"] for artifact in found}


@pytest.fixture
def port() -> int:
    return free_port()


class NotedPassword(httpx.Auth):
    """Brings the password that is noted now: each start of a server draws another."""

    def __init__(self, note: Path) -> None:
        self._note = note

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]  # sends it once
        with suppress(OSError, ValueError):
            name, _, secret = json.loads(self._note.read_text("utf-8"))["password"].partition(":")
            yield from httpx.BasicAuth(name, secret).auth_flow(request)
            return
        yield request


@pytest.fixture
def api(folder: Path, port: int) -> Iterator[Api]:
    auth = NotedPassword(folder / "home" / "prefect" / server.NOTE)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/api", auth=auth, timeout=30, trust_env=False) as http:
        yield Api(http)


def contents(home: Path, collection: str) -> dict[str, list[tuple[str, str]]]:
    """What the catalog holds, by URI: ids and texts of chunks."""
    with Penstock(home, collection, embedder=LittleModel()) as penstock:
        penstock.search("water")  # where a run was cut off, the indexes catch up with the catalog now
        assert penstock.doctor().ok
        uris = [known.source.uri for known in penstock.collection.sources()]
        return {uri: [(chunk.id, chunk.text) for chunk in penstock.show(uri).chunks] for uri in uris}


def test_a_scheduler_that_is_killed_paused_cancelled_and_ended(
    folder: Path, watched: Mapping[str, str], connections: Callable[[], set[str]], port: int, api: Api
) -> None:
    home = folder / "home"
    with schedule(folder, watched, port) as killed:
        run = until(lambda: [begun for begun in api.begun("handbook") if begun["state_type"] == "COMPLETED"])[0]
        assert run["name"].startswith("handbook 20")
        artifacts = api.artifacts(run["id"])
        assert {row["outcome"]: row["sources"] for row in json.loads(artifacts["penstock-handbook-outcomes"])} == {
            "indexed": 3,
            "unchanged": 0,
            "empty": 0,
            "partial": 0,
            "skipped": 0,
            "failed": 1,
            "removed": 0,
        }
        assert "## Failed" in artifacts["penstock-handbook-summary"]

        api.post(f"/deployments/{api.deployment('handbook')['id']}/pause_deployment")
        asked = api.ask_for("员工手册", batch=1)
        until(lambda: api.batches(asked) >= 3)
        killed.kill()
        killed.wait()

    with schedule(folder, watched, port) as scheduler:
        run = until(lambda: api.run(asked) if api.run(asked)["state_type"] == "COMPLETED" else None)
        assert run["run_count"] == 2
        assert api.deployment("handbook")["paused"]
        _undisturbed(folder, watched)
        assert contents(home, "员工手册") == contents(folder / "plain", "员工手册")

        for number in range(40):
            (folder / "手册" / f"new {number}.txt").write_text(f"A new page number{number}.\n", "utf-8")
        asked = api.ask_for("员工手册", batch=1)
        until(lambda: api.batches(asked) >= 3)
        api.post(f"/flow_runs/{asked}/set_state", state={"type": "CANCELLING"})
        until(lambda: api.run(asked)["state_type"] == "CANCELLED")
        held = len(contents(home, "员工手册"))
        assert 43 <= held < 80
        with Penstock(home, "员工手册", embedder=LittleModel()) as penstock:
            penstock.remove(folder / "手册" / "page 0.txt")  # the lock is free

        children = psutil.Process(scheduler.pid).children(recursive=True)
        scheduler.send_signal(signal.SIGTERM)
        assert scheduler.wait(60) == 0
        assert not psutil.wait_procs(children, 10)[1]
    log = (folder / "schedule.log").read_text("utf-8")
    assert f"Prefect's page: http://127.0.0.1:{port}" in log
    assert log.splitlines()[-1] == "stopped; what was committed stays"
    assert connections() <= {"127.0.0.1", "::1", "localhost"}


def _undisturbed(folder: Path, environment: Mapping[str, str]) -> None:
    home = str(folder / "plain")
    done = run([sys.executable, "-c", PROGRAM, "sync", "员工手册", "--home", home], folder, environment)
    assert done.returncode == 0, done.stderr


def run(words: list[str], folder: Path, environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_without_collections_it_says_what_to_write(tmp_path: Path, watched: Mapping[str, str]) -> None:
    done = run(command(tmp_path, "schedule"), tmp_path, watched)
    assert done.returncode == 2
    assert "describes no collection" in done.stderr


def test_without_prefect_it_names_the_extra(folder: Path, watched: Mapping[str, str]) -> None:
    program = "import sys; sys.modules['prefect'] = None; " + PROGRAM
    done = run([sys.executable, "-c", program, "schedule"], folder, watched)
    assert done.returncode == 2
    assert done.stderr == "error: Prefect is not installed; install it with: pip install 'penstock[flows]'\n"


def test_a_server_that_is_named_but_not_there(folder: Path, watched: Mapping[str, str]) -> None:
    nowhere = {**watched, "PREFECT_API_URL": f"http://127.0.0.1:{free_port()}/api"}
    done = run(command(folder, "schedule"), folder, nowhere)
    assert done.returncode == 1
    assert "PREFECT_API_URL) does not answer" in done.stderr
