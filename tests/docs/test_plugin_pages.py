"""What the pages on plug-ins say is so: their examples run on the sample documents, their tables are whole."""

import re
import shlex
import shutil
from dataclasses import fields
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from penstock.cli.app import app
from penstock.integrations.conditions import FIELDS
from penstock.integrations.hits import metadata
from penstock.model import Filter
from penstock.pipelines.workspace import Penstock

ROOT = Path(__file__).parents[2]
FRAMEWORKS = {"langchain": "langchain_core", "llama_index": "llama_index", "haystack": "haystack"}
LONGEST = 20
"""Lines of an example."""
SAYS = {
    "langchain": ["leave-policy.pdf, p. 1", "Up to 8 days [1].", "员工手册.pdf, p. 1", "'indexed'"],
    "llama_index": ["leave-policy.pdf, p. 1", "8 unused days of annual leave", "[1] leave-policy.pdf", "'indexed'"],
    "haystack": ["leave-policy.pdf, p. 1", "Up to 8 days [1]."],
}
"""What the examples print, among other things."""


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text("utf-8")


def blocks(name: str) -> list[tuple[str, str]]:
    """Language and text of each code block."""
    return re.findall(r"^```(\w*)\n(.*?)^```", page(name), re.DOTALL | re.MULTILINE)


def table(name: str, heading: str) -> set[str]:
    """The names in code letters in the first column of a table."""
    rows = page(name).partition(f"| {heading} |")[2].split("\n\n")[0].splitlines()[2:]
    return {word for row in rows for word in re.findall(r"`([\w.]+)`", row.split("|")[1])}


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_everything_that_a_page_types_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if find_spec(FRAMEWORKS[name]) is None:
        pytest.skip(f"{FRAMEWORKS[name]} is not installed")
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "examples" / "handbook", tmp_path / "examples" / "handbook")
    names: dict[str, Any] = {}
    for language, text in blocks(name):
        if language == "python":
            exec(compile(text, f"{name}.md", "exec"), names)
        else:
            for line in text.splitlines():
                typed(line)
    printed = capsys.readouterr().out
    assert [words for words in SAYS[name] if words not in printed] == []
    for opened in names.values():
        if isinstance(getattr(opened, "penstock", None), Penstock):
            opened.penstock.close()


def typed(line: str) -> None:
    program, *arguments = shlex.split(line)
    if program == "pip":  # installs; .ci/run does it
        return
    assert program == "penstock"
    assert CliRunner().invoke(app, arguments).exit_code == 0, line


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_examples_are_short(name: str) -> None:
    assert all(text.count("\n") < LONGEST for _, text in blocks(name))


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_links_lead_somewhere(name: str) -> None:
    for target, heading in re.findall(r"\]\(([\w./]+)#?([\w-]*)\)", page(name)):
        there = (ROOT / "docs" / target).read_text("utf-8")
        headings = [line.strip("# ").lower().replace(" ", "-") for line in re.findall(r"^#.*", there, re.MULTILINE)]
        assert not heading or heading in headings


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_what_a_page_imports_is_public(name: str) -> None:
    if find_spec(FRAMEWORKS[name]) is None:
        pytest.skip(f"{FRAMEWORKS[name]} is not installed")
    module = import_module(f"penstock.integrations.{name}")
    for imported in re.findall(rf"from penstock.integrations.{name} import (\w+)", page(name)):
        assert getattr(module, imported).__doc__


def test_all_metadata_are_explained(tmp_path: Path) -> None:
    with Penstock(tmp_path) as penstock:
        penstock.ingest(ROOT / "examples" / "handbook" / "it-support.html")
        (hit, *_) = penstock.search("error").hits
    assert table("langchain", "key") == set(metadata(hit))


def test_all_conditions_are_explained() -> None:
    assert table("langchain", "in `where`") == {field.name for field in fields(Filter)}
    assert table("llama_index", "key") == {*FIELDS, "labels.NAME"}
    assert table("haystack", "field") == {f"meta.{name}" for name in (*FIELDS, "labels.NAME")}
