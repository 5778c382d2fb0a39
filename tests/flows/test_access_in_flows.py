"""Flows give new files the readers that plain runs give them, and refuse what plain runs refuse."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.pipelines.workspace import Penstock
from penstock.testing.doubles.embedders import LittleModel

PROGRAM = """
import json, sys

home, folder, output = sys.argv[1:]

from penstock.flows.ingest import ingest
from penstock.flows.sync import sync

report = ingest([folder], "hr", home, 2)
silent = sync("silent", home, 2)
opened = sync("open", home, 2)
state = sync("clash", home, 2, return_state=True)
with open(output, "w", encoding="utf-8") as file:
    access = {"new": report["indexed"], "silent": silent["attention"], "opened": opened["attention"]}
    json.dump({**access, "clash": state.message}, file)
"""

DESCRIBED = """
[collections.open]
sources = [{{ path = "{0}", access = [] }}]
[collections.silent]
sources = [{{ path = "{0}" }}]
[collections.clash]
sources = [{{ path = "{0}", access = ["staff"] }}, {{ path = "{0}", include = ["new.*"], access = [] }}]
"""


@pytest.mark.timeout(300)
def test_flows_keep_closed_what_nobody_opened(tmp_path: Path, watched: dict[str, str]) -> None:
    folder, home = tmp_path / "documents", tmp_path / "home"
    folder.mkdir()
    (folder / "pay.txt").write_text("the pay", "utf-8")
    for collection in ("hr", "open", "silent"):
        with Penstock(home, collection, embedder=LittleModel()) as penstock:
            penstock.ingest(folder, access=["staff"])
    for name in ("new", "newer", "newest"):
        (folder / f"{name}.txt").write_text(f"the {name} pay", "utf-8")
    (tmp_path / "penstock.toml").write_text(DESCRIBED.format(folder), "utf-8")
    command = [sys.executable, "-c", PROGRAM, str(home), str(folder), str(tmp_path / "output.json")]
    done = subprocess.run(command, env=watched, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "output.json").read_text("utf-8"))
    for collection in ("hr", "silent"):
        with Penstock(home, collection) as penstock:
            assert [known.source.access for known in penstock.collection.sources()] == [frozenset({"staff"})] * 4
    assert (report["new"], report["silent"]) == (3, [])
    assert "1 known sources are visible to more readers than before" in report["opened"][0]
    assert "3 new sources are visible to more readers than their neighbours" in report["opened"][1]
    assert "new.txt' is listed by entry 1" in report["clash"]
