"""Broken programs that the look after a death must catch; else `test_kills.py` would prove nothing."""

import pytest

from benchmarks.faults.broken import VARIANTS
from tests.faults.campaigns import killed

KILLS = 300
"""So many deaths at most until a violation is seen."""

pytestmark = [pytest.mark.timeout(600), pytest.mark.kills]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_broken_program_is_caught(variant: str) -> None:
    report = killed("--broken", variant, "--kills", str(KILLS))
    assert report["kills"] < KILLS
    assert report["violations"]
