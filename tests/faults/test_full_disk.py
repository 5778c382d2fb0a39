"""A file system that is really full: commits are intact, and with some space free again the next run succeeds."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.faults.full import can_mount

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("megabytes", [1, 3])
def test_a_full_disk_loses_nothing_and_heals(megabytes: int) -> None:
    if not can_mount():
        pytest.skip("this user may not mount a small file system (unshare --mount --user)")
    command = [sys.executable, "-m", "benchmarks.faults.full", "--json", "--megabytes", str(megabytes)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.stdout, run.stderr
    found = json.loads(run.stdout)
    assert found["wrong"] == []
    assert found["refused"]
    assert found["documents"] > 6
