"""The flow is the same pipeline: the same documents in the catalog, in batches that are tried again where it helps."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from penstock.model import OUTCOMES
from penstock.pipelines.workspace import Penstock
from penstock.testing.doubles.embedders import LittleModel

BATCHES = [f"batch {number} of 4" for number in range(1, 5)]


@pytest.fixture
def plain(documents: Path, tmp_path: Path) -> Any:
    with Penstock(tmp_path / "plain", "flow", embedder=LittleModel()) as penstock:
        report = penstock.ingest(documents)
    return report, contents(tmp_path / "plain")


def contents(home: Path) -> dict[str, list[str]]:
    with Penstock(home, "flow") as penstock:
        uris = [known.source.uri for known in penstock.collection.sources()]
        return {uri: [chunk.id for chunk in penstock.show(uri).chunks] for uri in uris}


def test_the_flow_gives_what_the_plain_pipeline_gives(flow_run: dict[str, Any], plain: Any) -> None:
    report, held = plain
    assert flow_run["printed"] == {"discovered": report.discovered} | {name: report.count(name) for name in OUTCOMES}
    assert report.count("failed") == 1
    assert contents(flow_run["home"]) == held
    with Penstock(flow_run["home"], "flow") as penstock:
        assert penstock.doctor().ok


def test_it_ran_in_batches(flow_run: dict[str, Any]) -> None:
    assert flow_run["tasks"] == [*BATCHES, "begin", "discover", "finish"]


def test_prefect_holds_tables_of_outcomes_and_of_what_needs_attention(flow_run: dict[str, Any]) -> None:
    tables = {
        artifact["key"]: json.loads(artifact["data"])
        for artifact in flow_run["artifacts"]
        if artifact["type"] == "table"
    }
    assert {row["outcome"]: row["sources"] for row in tables["penstock-flow-outcomes"]} == {
        name: flow_run["printed"][name] for name in OUTCOMES
    }
    (row,) = tables["penstock-flow-attention"]
    assert row["source"].endswith("broken.pdf")
    assert row["reason"]


def test_prefect_holds_a_full_bar_and_a_summary(flow_run: dict[str, Any]) -> None:
    others = {artifact["type"]: artifact for artifact in flow_run["artifacts"] if artifact["type"] != "table"}
    assert float(others["progress"]["data"]) == 100
    assert others["progress"]["description"] == "flow: share of 7 sources to read that are done"
    assert others["markdown"]["key"] == "penstock-flow-summary"
    assert "6 added, 0 changed, 1 failed, and 0 removed" in others["markdown"]["data"]


def test_only_what_may_help_is_tried_again(flow_run: dict[str, Any]) -> None:
    assert flow_run["tries"] == {"CollectionLocked": 5, "AddressRefused": 1}


def test_an_interrupt_ends_the_run_and_not_only_its_batch(flow_run: dict[str, Any]) -> None:
    assert flow_run["stopped"] == {"interrupted": True, "taken": [2]}


def test_sources_that_failed_show_in_the_exit_code(flow_run: dict[str, Any]) -> None:
    assert flow_run["printed"]["failed"] == 1
    assert flow_run["code"] == 3


def test_nothing_reaches_out(flow_run: dict[str, Any]) -> None:
    assert flow_run["connections"]
    assert all(host in ("127.0.0.1", "::1", "localhost") for host in flow_run["connections"]), flow_run["connections"]


def test_the_log_is_short_and_clean(flow_run: dict[str, Any]) -> None:
    log = flow_run["log"].partition("'retries'")[0]
    assert "Warning" not in log
    assert "Traceback" not in log
    assert len(log.splitlines()) < 25


WITHOUT = "import sys; sys.modules['prefect'] = None; "


def test_without_prefect_the_flow_names_the_extra() -> None:
    run = subprocess.run(
        [sys.executable, "-c", f"{WITHOUT}import penstock.flows.ingest"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1] == (
        "penstock.errors.MissingExtra: Prefect is not installed; install it with: pip install 'penstock[flows]'"
    )


def test_without_prefect_the_core_works(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Water.\n", "utf-8")
    ingest = "from penstock import Penstock; print(Penstock(sys.argv[1]).ingest(sys.argv[2]).count('indexed'))"
    program = [sys.executable, "-c", WITHOUT + ingest, str(tmp_path / "home"), str(tmp_path / "a.txt")]
    run = subprocess.run(program, capture_output=True, text=True, check=True)
    assert run.stdout == "1\n"
