"""One process that runs the flow as its user does, with Prefect's own temporary server, and writes down what it saw."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.testing.doubles.plugins import environment

WATCHER = """
import os, sys

def note(event, given):
    if event == "socket.connect":
        address = given[1]
    elif event == "socket.getaddrinfo":
        address = given[0]
    else:
        return
    with open(os.environ["PENSTOCK_TEST_CONNECTIONS"], "a", encoding="utf-8") as file:
        file.write(f"{address[0] if isinstance(address, tuple) else address}\\n")

sys.addaudithook(note)
"""
"""Runs at the start of every Python process below ours, Prefect's server included."""

PROGRAM = """
import json, runpy, sys, warnings

folder, home, output = sys.argv[1:]
sys.argv = ["ingest", folder, "--home", home, "--collection", "flow", "--batch", "2"]
try:
    code = runpy.run_module("penstock.flows.ingest", run_name="__main__", alter_sys=True) and 0
except SystemExit as end:
    code = end.code

# Prefect's temporary server lives as long as this process does.
from prefect import flow
from prefect.client.orchestration import get_client

from penstock.errors import AddressRefused, CollectionLocked
from penstock.flows import steps as module
from penstock.pipelines.stepwise import Stepwise

with get_client(sync_client=True) as client:
    artifacts = [
        {"key": one.key, "type": one.type, "data": one.data, "description": one.description}
        for one in client.read_artifacts()
    ]
    runs = sorted(one.name for one in client.read_task_runs())

tries = {"CollectionLocked": 0, "AddressRefused": 0}
target = module.Destination(collection="flow", home=home)

def failing(error):
    def take(self, batch, **options):
        tries[type(error).__name__] += 1
        raise error
    return take

@flow(name="retries")
def retried():
    quick = module.ingest_batch.with_options(retry_delay_seconds=0, retry_jitter_factor=0)
    return quick(1, 1, (), 1, target)

for error in (CollectionLocked("busy"), AddressRefused("no")):
    Stepwise.take = failing(error)
    try:
        retried()
    except type(error):
        pass

from penstock.flows.ingest import ingest
from penstock.model import BatchReport

taken = []

def interrupted(self, batch, **options):
    taken.append(len(batch))
    return BatchReport(interrupted=True)

Stepwise.take = interrupted
stopped = {"interrupted": ingest([folder], "stopped", home, 2)["interrupted"], "taken": taken}

with open(output, "w", encoding="utf-8") as file:
    json.dump({"artifacts": artifacts, "tasks": runs, "tries": tries, "code": code, "stopped": stopped}, file)
"""


@pytest.fixture(scope="session")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of several batches."""
    folder = tmp_path_factory.mktemp("flow") / "documents 手册"
    folder.mkdir()
    for number in range(4):
        (folder / f"page {number}.txt").write_text(f"Page number{number} tells of water.\n", "utf-8")
    (folder / "100%.txt").write_text("One hundred percent.\n", "utf-8")
    (folder / "copy of page 0.txt").write_text("Page number0 tells of water.\n", "utf-8")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing\n")
    return folder


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment without the settings of the user who runs this; every Python process in it notes whom it calls."""
    scratch = tmp_path_factory.mktemp("prefect")
    (scratch / "sitecustomize.py").write_text(WATCHER, "utf-8")
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PENSTOCK_", "PREFECT_", "COVERAGE"))
    }
    kept.pop("DO_NOT_TRACK", None)
    kept |= environment(scratch)
    return kept | {
        "PREFECT_HOME": str(scratch / "home"),
        "PENSTOCK_TEST_CONNECTIONS": str(scratch / "connections"),
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",
    }


@pytest.fixture(scope="module")
def connections(watched: dict[str, str]) -> Callable[[], set[str]]:
    """Whom the processes called so far."""
    return lambda: set(filter(None, Path(watched["PENSTOCK_TEST_CONNECTIONS"]).read_text("utf-8").split("\n")))


@pytest.fixture(scope="module")
def flow_run(
    documents: Path,
    tmp_path_factory: pytest.TempPathFactory,
    watched: dict[str, str],
    connections: Callable[[], set[str]],
) -> dict[str, Any]:
    """What the run printed, logged and left in Prefect, the tries of tasks that fail, and who was connected to."""
    scratch = tmp_path_factory.mktemp("run")
    home = scratch / "penstock"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, documents, home, scratch / "output.json"],
        env=watched,
        cwd=scratch,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    state: dict[str, Any] = json.loads((scratch / "output.json").read_text("utf-8"))
    printed = json.loads(done.stdout.splitlines()[-1])
    return {**state, "home": home, "printed": printed, "log": done.stderr, "connections": connections()}
