"""`penstock schedule` in a folder that was cloned from a stranger: neither Prefect nor Python takes orders from it."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from penstock import Penstock
from penstock.errors import PenstockError
from penstock.testing.doubles.embedders import LittleModel
from tests.servers.processes import free_port

PROGRAM = "from penstock.cli import main; main()"
HARMLESS = "[collections.h]\nsources = [{ path = 'documents' }]\nschedule = { every = '2s' }\n"


@pytest.fixture
def cloned(tmp_path: Path) -> Path:
    folder = tmp_path / "cloned"
    (folder / "documents").mkdir(parents=True)
    (folder / "documents" / "a.txt").write_text("Water flows down the penstock.\n", "utf-8")
    (folder / "penstock.toml").write_text(HARMLESS, "utf-8")
    return folder


@pytest.fixture
def environment(watched: dict[str, str], tmp_path: Path) -> dict[str, str]:
    mine = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "PENSTOCK_HOME": str(tmp_path / "home")}
    return {**watched, **mine, "PREFECT_HOME": str(tmp_path / "prefect")}


def words(*arguments: str) -> list[str]:
    """The program as it is installed: unlike `python -c`, it imports nothing from the working folder."""
    return [sys.executable, "-P", "-c", PROGRAM, *arguments]


def penstock(folder: Path, environment: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        words(*arguments), cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("prefect.toml", "[api]\nurl = '{api}'\n", id="prefect.toml"),
        pytest.param("pyproject.toml", "[tool.prefect.api]\nurl = '{api}'\n", id="pyproject.toml"),
        pytest.param(".env", "PREFECT_API_URL={api}\n", id=".env"),
    ],
)
def test_a_cloned_folder_does_not_choose_prefects_server(
    cloned: Path, environment: dict[str, str], name: str, text: str
) -> None:
    """Whoever runs that server says what the runs do."""
    api = f"http://127.0.0.1:{free_port()}/api"
    (cloned / name).write_text(text.format(api=api), "utf-8")
    refused = penstock(cloned, environment, "schedule")
    assert refused.returncode == 2
    assert f"{cloned / name}, which is not trusted" in refused.stderr
    assert api not in refused.stderr
    assert penstock(cloned, environment, "trust", name, "--yes").returncode == 0
    assert f"{api} (PREFECT_API_URL) does not answer" in penstock(cloned, environment, "schedule").stderr
    (cloned / name).write_text(text.format(api=api) + "\n", "utf-8")
    assert penstock(cloned, environment, "schedule").returncode == 2


@pytest.mark.parametrize(("name", "text"), [("pyproject.toml", "[project]\nname = 'x'\n"), (".env", "COLOUR=blue\n")])
def test_files_that_say_nothing_to_prefect_do_not_matter(
    cloned: Path, environment: dict[str, str], name: str, text: str
) -> None:
    (cloned / name).write_text(text, "utf-8")
    nowhere = {**environment, "PREFECT_API_URL": f"http://127.0.0.1:{free_port()}/api"}
    assert penstock(cloned, nowhere, "schedule").returncode == 1


@pytest.mark.prefect
@pytest.mark.timeout(300)
def test_modules_that_lie_in_a_cloned_folder_are_not_run(cloned: Path, environment: dict[str, str]) -> None:
    ran = cloned / "ran"
    for name in ("prefect", "penstock", "httpx", "uvicorn", "tomllib"):
        (cloned / f"{name}.py").write_text(f"open({str(ran)!r}, 'a').write({name!r})\nraise SystemExit(1)\n", "utf-8")
    with (cloned.parent / "log").open("wb") as log:
        process = subprocess.Popen(
            words("schedule", "--port", str(free_port())), cwd=cloned, env=environment, stdout=log, stderr=log
        )
    try:
        end = time.monotonic() + 240
        while not ran.exists() and process.poll() is None and time.monotonic() < end and not searchable(environment):
            time.sleep(0.5)
    finally:
        process.terminate()
        process.wait(60)
    assert not ran.exists(), ran.read_text("utf-8")
    assert searchable(environment), (cloned.parent / "log").read_text("utf-8")


def searchable(environment: Mapping[str, str]) -> bool:
    """Whether a run has brought the collection up to date."""
    if not os.path.exists(environment["PENSTOCK_HOME"]):  # noqa: PTH110 - not made by looking
        return False
    try:
        with Penstock(environment["PENSTOCK_HOME"], "h", embedder=LittleModel()) as workspace:
            return bool(workspace.search("penstock").hits)
    except PenstockError:
        return False
