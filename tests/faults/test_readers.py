"""Four processes search while a fifth writes: each answer matches a single revision."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = 8


@pytest.mark.timeout(600)
@pytest.mark.parametrize("keyword", ["tantivy", "rank-bm25"])
def test_every_answer_is_of_one_revision(keyword: str) -> None:
    """`python -m benchmarks.faults.readers` does it for five minutes."""
    command = [sys.executable, "-m", "benchmarks.faults.readers", "--json"]
    command += ["--seconds", str(SECONDS), "--keyword", keyword]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.stdout, run.stderr
    outcome = json.loads(run.stdout)
    assert outcome["wrong"] == []
    assert outcome["answers"] > 20
    assert outcome["revisions"] > 2
