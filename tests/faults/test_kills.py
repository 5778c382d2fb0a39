"""Deaths at named and at random moments: catalog and both indexes agree afterwards, and what was told as done is there.

The program under test is killed by `benchmarks.faults`, in a process of its own that has loaded everything once.
"""

from typing import Any

import pytest

from benchmarks.faults.steps import RANDOM, STEPS, is_built
from tests.faults.campaigns import killed

KILLS, KILLS_ON_A_SERVER = 250, 50
BUILT = [*filter(is_built, STEPS), RANDOM]

pytestmark = [pytest.mark.timeout(600), pytest.mark.kills]


@pytest.fixture(scope="module")
def on_sqlite() -> dict[str, Any]:
    return killed("--kills", str(KILLS))


@pytest.fixture(scope="module")
def on_postgresql(postgresql_url: str) -> dict[str, Any]:
    return killed("--kills", str(KILLS_ON_A_SERVER), "--database", "postgresql", "--server", postgresql_url)


@pytest.mark.parametrize("step", BUILT)
def test_a_death_in_a_step_breaks_nothing(step: str, on_sqlite: dict[str, Any]) -> None:
    assert on_sqlite["kills"] == KILLS
    assert on_sqlite["steps"][step] >= 2
    assert not [violation for violation in on_sqlite["violations"] if f" at {step}:" in violation]


def test_no_death_breaks_anything(on_sqlite: dict[str, Any]) -> None:
    assert on_sqlite["violations"] == []


@pytest.mark.postgresql
def test_no_death_breaks_anything_on_a_server(on_postgresql: dict[str, Any]) -> None:
    assert on_postgresql["kills"] == KILLS_ON_A_SERVER
    assert on_postgresql["violations"] == []
