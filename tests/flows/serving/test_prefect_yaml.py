"""prefect.yaml deploys the three flows, and a worker of a process pool runs them, in a folder with a penstock.toml."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from penstock import Penstock
from penstock.flows.serving import server
from penstock.testing.doubles.embedders import LittleModel
from tests.servers.processes import free_port

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(300)]

FLOWS = ("penstock-doctor", "penstock-ingest", "penstock-sync")
CHECKOUT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of prefect.yaml beside a penstock.toml."""
    folder = tmp_path_factory.mktemp("deploy")
    shutil.copy(CHECKOUT / "prefect.yaml", folder)
    (folder / "penstock.toml").write_text(
        'home = "home"\n[collections.handbook]\nsources = [{ path = "handbook" }]\n', "utf-8"
    )
    (folder / "handbook").mkdir()
    (folder / "handbook" / "a.txt").write_text("Water flows down the penstock.\n", "utf-8")
    return folder


@pytest.fixture(scope="module")
def prefect(folder: Path, watched: Mapping[str, str]) -> Iterator[Callable[..., str]]:
    """Prefect's own command line, against a server on loopback."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", watched["PYTHONPATH"])
        patch.setenv("PENSTOCK_TEST_CONNECTIONS", watched["PENSTOCK_TEST_CONNECTIONS"])
        with server.running(folder / "prefect", free_port()) as running:
            environment = {
                **watched,
                "PENSTOCK_TRUST": str(folder / "penstock.toml"),
                "PREFECT_API_URL": running.api,
                "PREFECT_API_AUTH_STRING": running.password,
                "DO_NOT_TRACK": "1",
            }

            def command(*words: str) -> str:
                if words == ("api",):
                    return running.api.replace("//", f"//{running.password}@")
                done = subprocess.run(
                    [sys.executable, "-m", "prefect", "--no-prompt", *words],
                    cwd=folder,
                    env=environment,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert done.returncode == 0, done.stdout + done.stderr
                return done.stdout

            yield command


def post(api: str, path: str, **body: Any) -> Any:
    answer = httpx.post(f"{api}{path}", json=body, timeout=30, trust_env=False)
    answer.raise_for_status()
    return answer.json()


def test_a_worker_runs_what_it_deploys(
    folder: Path, prefect: Callable[..., str], connections: Callable[[], set[str]]
) -> None:
    api = prefect("api")
    prefect("work-pool", "create", "penstock", "--type", "process")
    prefect("deploy", "--all")
    deployed = {deployment["entrypoint"]: deployment["id"] for deployment in post(api, "/deployments/filter")}
    assert sorted(deployed) == [f"penstock.flows.{name}.{name}" for name in ("doctor", "ingest", "sync")]

    sync = deployed["penstock.flows.sync.sync"]
    run = post(api, f"/deployments/{sync}/create_flow_run", parameters={"collection": "handbook"})
    prefect("worker", "start", "--pool", "penstock", "--run-once")
    check = post(api, f"/deployments/{deployed['penstock.flows.doctor.doctor']}/create_flow_run")
    prefect("worker", "start", "--pool", "penstock", "--run-once")

    states = {found["id"]: (found["state_type"], found["state"]["message"]) for found in post(api, "/flow_runs/filter")}
    assert states == {run["id"]: ("COMPLETED", None), check["id"]: ("COMPLETED", None)}
    with Penstock(folder / "home", "handbook", embedder=LittleModel()) as penstock:
        assert [hit.chunk.text for hit in penstock.search("penstock").hits] == ["Water flows down the penstock."]
    # Whoever makes a work pool has Prefect's server look for the newest list of kinds of workers; its own is at hand.
    assert connections() <= {"127.0.0.1", "::1", "localhost", "b'raw.githubusercontent.com'"}


def test_parameters_are_described(prefect: Callable[..., str]) -> None:
    for deployment in post(prefect("api"), "/deployments/filter"):
        for name, parameter in deployment["parameter_openapi_schema"]["properties"].items():
            assert parameter.get("description"), (deployment["entrypoint"], name)
