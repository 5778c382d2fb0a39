"""A campaign of kills, in a process of its own, and what it found."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def killed(*arguments: str) -> dict[str, Any]:
    """The report of `python -m benchmarks.faults` with these arguments."""
    command = [sys.executable, "-m", "benchmarks.faults", "--json", *arguments]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.stdout, run.stderr
    report: dict[str, Any] = json.loads(run.stdout)
    return report
