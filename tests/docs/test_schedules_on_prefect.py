"""What the page on schedules says of Prefect: its commands are those that the tests of the flows run."""

import re
from pathlib import Path

from typer.testing import CliRunner

from penstock.cli.app import app
from penstock.flows import retrying, steps
from penstock.flows.artifacts import artifacts
from penstock.flows.serving import cut_off

PAGE = (Path(__file__).parents[2] / "docs" / "schedules.md").read_text("utf-8")
SECTION = PAGE[PAGE.index("## On schedule") :]
RUN_BY_THE_TESTS_OF_FLOWS = {
    "penstock schedule",
    "prefect work-pool create penstock --type process",
    "prefect --no-prompt deploy --all",
    "prefect worker start --pool penstock",
    "python -m penstock.flows.ingest ./handbook --collection handbook",
    "pip install 'penstock[flows]'",
}


def test_every_command_is_run() -> None:
    blocks = re.findall(r"^```\n(.*?)^```", SECTION, re.DOTALL | re.MULTILINE)
    assert {line for block in blocks for line in block.splitlines()} == RUN_BY_THE_TESTS_OF_FLOWS


def test_the_command_is_described() -> None:
    result = CliRunner().invoke(app, ["schedule", "--help"])
    assert result.exit_code == 0
    assert "--port" in result.stdout


def test_figures_are_those_of_the_code() -> None:
    assert f"batches of {steps.BATCH}" in SECTION
    delays = retrying.RETRIED["retry_delay_seconds"](retrying.RETRIED["retries"])
    assert f"{', '.join(f'{delay:g}' for delay in delays)} seconds later" in SECTION
    assert cut_off.TRIES == 3
    assert "after the third time" in SECTION
    for kind in ("progress", "outcomes", "attention", "summary"):
        assert f"`{kind}`" in SECTION
        assert artifacts.key("handbook", kind) == f"penstock-handbook-{kind}"
