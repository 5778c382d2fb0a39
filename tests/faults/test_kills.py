"""Deaths at named and at random moments: catalog and both indexes agree afterwards, and what was told as done is there.

The program under test is killed by `benchmarks.faults`, in a process of its own that has loaded everything once.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faults.broken import VARIANTS
from benchmarks.faults.steps import RANDOM, STEPS, is_built

ROOT = Path(__file__).parents[2]
KILLS, KILLS_ON_A_SERVER, KILLS_UNTIL_CAUGHT = 250, 50, 300
BUILT = [*filter(is_built, STEPS), RANDOM]

pytestmark = [pytest.mark.timeout(600), pytest.mark.kills]


def killed(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.faults", "--json", *arguments]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.stdout, run.stderr
    report: dict[str, Any] = json.loads(run.stdout)
    return report


@pytest.fixture(scope="module")
def on_sqlite() -> dict[str, Any]:
    return killed("--kills", str(KILLS))


@pytest.fixture(scope="module")
def on_postgresql(postgresql_url: str) -> dict[str, Any]:
    return killed("--kills", str(KILLS_ON_A_SERVER), "--database", "postgresql", "--server", postgresql_url)


@pytest.mark.xdist_group("the campaign on SQLite")
@pytest.mark.parametrize("step", BUILT)
def test_a_death_in_a_step_breaks_nothing(step: str, on_sqlite: dict[str, Any]) -> None:
    assert on_sqlite["kills"] == KILLS
    assert on_sqlite["steps"][step] >= 2
    assert not [violation for violation in on_sqlite["violations"] if f" at {step}:" in violation]


@pytest.mark.xdist_group("the campaign on SQLite")
def test_no_death_breaks_anything(on_sqlite: dict[str, Any]) -> None:
    assert on_sqlite["violations"] == []


@pytest.mark.postgresql
def test_no_death_breaks_anything_on_a_server(on_postgresql: dict[str, Any]) -> None:
    assert on_postgresql["kills"] == KILLS_ON_A_SERVER
    assert on_postgresql["violations"] == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_broken_program_is_caught(variant: str) -> None:
    """Else the tests above would prove nothing."""
    report = killed("--broken", variant, "--kills", str(KILLS_UNTIL_CAUGHT))
    assert report["kills"] < KILLS_UNTIL_CAUGHT
    assert report["violations"]
