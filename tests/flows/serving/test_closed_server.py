"""Prefect's server runs whatever a deployment says: it takes orders from nobody without the password of this start."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from penstock import telemetry
from penstock.flows.serving import server, serving
from penstock.flows.serving.environment import needed
from tests.servers.processes import free_port

TOML = '[collections.handbook]\nsources = [{ path = "handbook" }]\nschedule = { every = "5s" }\n'
PROGRAM = "from penstock.cli import main; main()"
SECRETS = {
    "OPENAI_API_KEY": "sk-vendor",
    "AWS_SECRET_ACCESS_KEY": "cloud",
    "SSH_AUTH_SOCK": "/tmp/agent",
    "PENSTOCK_LLM__API_KEY": "sk-penstock",
}


def until(found: Callable[[], Any], seconds: float = 240) -> Any:
    """What is found as soon as it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := found():
            return result
        time.sleep(0.3)
    raise AssertionError("it did not happen")


@contextmanager
def schedule(folder: Path, environment: Mapping[str, str], *also: str) -> Iterator["subprocess.Popen[bytes]"]:
    words = [sys.executable, "-c", PROGRAM, "schedule", "--home", str(folder / "home"), *also]
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = subprocess.Popen(words, cwd=folder, env=environment, stdout=out, stderr=err)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "penstock.toml").write_text(TOML, "utf-8")
    (tmp_path / "handbook").mkdir()
    (tmp_path / "handbook" / "leave.txt").write_text("Five days of annual leave carry over.\n", "utf-8")
    return tmp_path


def attack(http: httpx.Client, deployment: str, command: str, **how: Any) -> list[int]:
    """Has the next run of a deployment execute a shell command, and begins it; the status of each answer."""
    steps = [{"prefect.deployments.steps.run_shell_script": {"script": f"sh -c '{command}'"}}]
    calls = [
        http.post("/deployments/filter", json={}, **how),
        http.patch(f"/deployments/{deployment}", json={"pull_steps": steps, "path": "/"}, **how),
        http.post(f"/deployments/{deployment}/create_flow_run", json={"state": {"type": "SCHEDULED"}}, **how),
    ]
    return [answer.status_code for answer in calls]


@pytest.mark.prefect
@pytest.mark.timeout(600)
def test_a_run_is_ordered_with_the_password_alone(folder: Path, watched: Mapping[str, str]) -> None:
    with schedule(folder, {**watched, **SECRETS}):
        announced = until(
            lambda: re.search(r"Prefect's page: (\S+), password: (\S+)", (folder / "out").read_text("utf-8"))
        )
        page, (name, _, secret) = announced[1], announced[2].partition(":")
        note = folder / "home" / "prefect" / server.NOTE
        assert note.stat().st_mode & 0o777 == 0o600
        assert json.loads(note.read_text("utf-8"))["password"] == announced[2]
        with httpx.Client(base_url=f"{page}/api", timeout=30, trust_env=False) as http:

            def deployed() -> str | None:
                found = http.post("/deployments/filter", json={}, auth=(name, secret)).json()
                return {str(deployment["name"]): str(deployment["id"]) for deployment in found}.get("handbook")

            deployment = until(deployed)
            stolen = folder / "stolen"
            for how in (
                {},
                {"auth": (name, "guessed")},
                {"auth": ("", "")},
                {"headers": {"Host": "localhost"}},
                {"headers": {"Host": "example.org", "Origin": page}},
            ):
                assert attack(http, deployment, f"env > {stolen}", **how) == [401, 401, 401]

            def completed() -> list[Any]:
                runs = http.post("/flow_runs/filter", json={}, auth=(name, secret)).json()
                return [run for run in runs if run["state_type"] == "COMPLETED"]

            until(completed)
            assert not stolen.exists()

            # With the password the same calls run the command: it is what keeps others out. And no keys are there.
            command = f"env > {stolen}.part; mv {stolen}.part {stolen}"
            until(lambda: attack(http, deployment, command, auth=(name, secret)) == [200, 204, 201])  # 503: it is busy
            until(stolen.exists)
    lines = stolen.read_text("utf-8")
    assert f"PENSTOCK_TEST_CONNECTIONS={watched['PENSTOCK_TEST_CONNECTIONS']}" in lines  # what it needs is there
    assert not [name for name, value in SECRETS.items() if f"{name}=" in lines or value in lines]


@contextmanager
def without_password(folder: Path) -> Iterator[server.PrefectServer]:
    """A server as somebody starts one who did not think of a password, and as a release before this started ours."""
    port = free_port()
    words = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    environment = {**needed(os.environ), **telemetry.everything(), "PREFECT_HOME": str(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(words, env=environment, stdout=log, stderr=log, start_new_session=True)
    found = server.PrefectServer(pid=process.pid, port=port)
    try:
        until(found.answers)
        yield found
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.prefect
@pytest.mark.timeout(600)
def test_a_server_that_asks_for_no_password_is_named_and_never_taken_over(
    folder: Path, watched: Mapping[str, str]
) -> None:
    kept = folder / "home" / "prefect"
    kept.mkdir(parents=True)
    with without_password(kept) as others:
        with schedule(folder, {**watched, "PREFECT_API_URL": others.api}):
            warning = until(lambda: (folder / "err").read_text("utf-8"))
            until(lambda: "Prefect's page" in (folder / "out").read_text("utf-8"))
        assert f"warning: the Prefect server at {others.api} (PREFECT_API_URL) asks for no password" in warning
        assert "password:" not in (folder / "out").read_text("utf-8")

        (kept / server.NOTE).write_text(json.dumps({"pid": others.pid, "port": others.port}), "utf-8")
        with server.running(kept, None) as ours:
            assert not others.answers()
            assert ours.is_closed()
            ours_is_named = {PREFECT_API_URL: ours.api, PREFECT_API_AUTH_STRING: ours.password}
            with temporary_settings(ours_is_named), serving.reached(folder / "home", None) as reached:
                assert (reached.own, reached.is_open) == (False, False)
        assert not psutil.pid_exists(ours.pid)


def test_somebody_elses_program_at_the_port_is_not_taken_for_the_server(tmp_path: Path) -> None:
    """One that answers all that is asked, as whoever waits for the port to become free would have it."""
    imposter = """
import http.server, sys

class Agreeable(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path.endswith("health") or "Authorization" in self.headers else 401)
        self.end_headers()

with http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), Agreeable) as server:
    server.serve_forever()
"""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", imposter, "prefect", str(port)], stderr=subprocess.DEVNULL)
    started = subprocess.Popen(["sleep", "60"])
    try:
        theirs = server.PrefectServer(pid=process.pid, port=port, password="penstock:x")
        until(theirs.answers)
        ours = server.PrefectServer(pid=started.pid, port=port, password="penstock:x")
        assert ours.is_closed()  # as far as one can ask
        assert not ours.answers()
    finally:
        for child in (process, started):
            child.kill()
            child.wait()


@pytest.mark.parametrize(
    ("name", "is_needed"),
    [
        pytest.param("PATH", True, id="programs"),
        pytest.param("LC_ALL", True, id="locale"),
        pytest.param("https_proxy", True, id="proxy"),
        pytest.param("SSL_CERT_FILE", True, id="certificates"),
        pytest.param("PENSTOCK_CATALOG__PASSWORD", True, id="catalog"),
        pytest.param("PREFECT_API_URL", True, id="Prefect"),
        pytest.param("PGPASSFILE", True, id="PostgreSQL"),
        pytest.param("PENSTOCK_LLM__API_KEY", False, id="language model"),
        pytest.param("PENSTOCK_LLM", False, id="language model as JSON"),
        pytest.param("PENSTOCK_COLLECTIONS__HANDBOOK__LLM__API_KEY", False, id="of a collection"),
        pytest.param("DEEPSEEK_API_KEY", False, id="vendor"),
        pytest.param("GITHUB_TOKEN", False, id="token"),
        pytest.param("SSH_AUTH_SOCK", False, id="agent"),
        pytest.param("HF_TOKEN", False, id="hub"),
    ],
)
def test_what_a_run_gets_of_the_environment(name: str, is_needed: bool) -> None:
    assert bool(needed({name: "value"})) == is_needed
