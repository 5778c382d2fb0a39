"""Loaders that other distributions bring, through the whole product."""

import json
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from penstock import registry
from penstock.cli.app import app
from penstock.loaders import formats
from penstock.pipelines import assembly
from penstock.pipelines.extracting import extract
from penstock.settings import read_settings
from penstock.testing.doubles.plugins import Parts, write_distribution
from tests.cli.conftest import Run, printed

PAGE = Path(__file__).resolve().parents[2] / "docs" / "loaders.md"
ALLOWED = ("--set", "allow_external=true")
NOTEBOOK = json.dumps(
    {
        "cells": [
            {"cell_type": "markdown", "source": ["The turbine", " was inspected in spring."]},
            {"cell_type": "code", "source": ["print('sluice')"]},
        ]
    }
)
SCANS = """
from penstock.model import ExtractionWriter, FileKind
from pydantic import BaseModel

class ScanOptions(BaseModel):
    word: str = "gauge"

class Scans:
    Options = ScanOptions
    takes = (FileKind(media_type="{kind}", suffixes=({suffix!r},), magic=({magic!r},) if {magic!r} else ()),)
    fingerprint = "{name}-1"

    def __init__(self, word="gauge"):
        self.word = word

    def load(self, source, data):
        writer = ExtractionWriter()
        writer.add("paragraph", self.word + " read by {name}")
        return writer.finish()
"""

Install = Callable[..., None]


@pytest.fixture
def run() -> Run:
    """Types a command. The model is the built-in one: to use that of another distribution, all code must be allowed."""
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, [os.fspath(argument) for argument in arguments])


def forget() -> None:
    for kept in (registry._found, formats._claims, formats._fingerprint):
        kept.cache_clear()


@pytest.fixture
def add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a distribution with one loader."""

    def added(name: str, text: str = "", loader: str = "Scans", **options: object) -> None:
        text = text or SCANS.format(
            **{"name": name, "suffix": ".scan", "magic": b"", "kind": "image/x-scan", **options}
        )
        parts: Parts = {("loaders", name): f"{name}:{loader}"}
        site = write_distribution(tmp_path / name, parts, name=name, modules={name: text})
        monkeypatch.syspath_prepend(str(site))
        forget()

    yield added
    for thread in threading.enumerate():  # what a run that ended early left behind would fill the caches again
        if thread.name.startswith("penstock-read"):
            thread.join(10)
    forget()
    for name in ("notebooks", "scans", "others"):
        sys.modules.pop(name, None)


def outcomes(run: Run, folder: Path, *arguments: object) -> dict[str, str]:
    """What became of each file."""
    report = printed(run("ingest", folder, *arguments, "--json"))
    return {source["uri"].rpartition("/")[2]: source["outcome"] for source in report["sources"]}


def found(run: Run, question: str) -> list[str]:
    return [hit["text"] for hit in printed(run("search", question, "--json"))["hits"]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = tmp_path / "files"
    files.mkdir()
    (files / "inspection.ipynb").write_text(NOTEBOOK, "utf-8")
    (files / "notes.md").write_text("# Sluice\n\nClosed in winter.\n", "utf-8")
    (files / "wall.scan").write_bytes(b"SCAN\0\1\2\0" * 9)
    return files


@pytest.fixture
def notebooks(add: Install) -> None:
    (text,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    add("notebooks", text, "NotebookLoader")


def test_the_notebook_of_the_page_is_indexed_and_found(run: Run, folder: Path, notebooks: None) -> None:
    assert outcomes(run, folder, *ALLOWED)["inspection.ipynb"] == "indexed"
    assert found(run, "turbine inspected")[0] == "The turbine was inspected in spring.\n\nprint('sluice')"


def test_what_was_read_otherwise_before_is_read_again_once(run: Run, folder: Path, notebooks: None) -> None:
    assert outcomes(run, folder)["inspection.ipynb"] == "indexed"
    assert '"cells"' in found(run, "turbine inspected")[0]
    again = outcomes(run, folder, *ALLOWED)
    assert (again["inspection.ipynb"], again["notes.md"]) == ("indexed", "unchanged")
    assert outcomes(run, folder, *ALLOWED)["inspection.ipynb"] == "unchanged"
    assert '"cells"' not in found(run, "turbine inspected")[0]
    assert outcomes(run, folder)["inspection.ipynb"] == "indexed"  # as JSON, as before
    assert '"cells"' in found(run, "turbine inspected")[0]


@pytest.mark.parametrize("magic", [b"", b"SCAN"])
def test_what_was_skipped_is_read_once_a_loader_takes_it(run: Run, folder: Path, add: Install, magic: bytes) -> None:
    assert outcomes(run, folder)["wall.scan"] == "skipped"
    assert outcomes(run, folder)["wall.scan"] == "skipped"
    add("scans", magic=magic, suffix=".other" if magic else ".scan")
    assert outcomes(run, folder)["wall.scan"] == "skipped"  # its code is not run yet
    read = outcomes(run, folder, *ALLOWED)
    assert (read["wall.scan"], read["notes.md"], read["inspection.ipynb"]) == ("indexed", "unchanged", "unchanged")
    assert "gauge read by scans" in found(run, "gauge")


def test_options_reach_the_loader_that_they_are_for(run: Run, folder: Path, add: Install) -> None:
    add("scans")
    outcomes(run, folder, *ALLOWED, "--set", "loaders.options.scans.word=dial")
    assert "dial read by scans" in found(run, "dial")
    wrong = run("ingest", folder, *ALLOWED, "--set", "loaders.options.scans.words=dial", "--collection", "other")
    assert wrong.exit_code == 2
    assert "the loader 'scans' has no option loaders.options.scans.words; it takes word" in " ".join(
        wrong.output.split()
    )


def test_two_loaders_for_one_kind_are_an_error_until_one_is_named(run: Run, folder: Path, add: Install) -> None:
    add("scans")
    add("others")
    refused = run("ingest", folder, *ALLOWED)
    assert refused.exit_code == 2
    message = " ".join(refused.output.split())
    assert "'others' (of others) and 'scans' (of scans)" in message
    assert '[loaders.engines]: "image/x-scan" = "others"' in message
    named = ("--set", "loaders.engines.image/x-scan=others")
    assert outcomes(run, folder, *ALLOWED, *named)["wall.scan"] == "indexed"
    assert found(run, "gauge")[0] == "gauge read by others"


def test_another_engine_reads_its_own_files_again_and_no_others(run: Run, folder: Path, add: Install) -> None:
    add("scans", kind="text/markdown", suffix=".md")
    assert outcomes(run, folder, *ALLOWED)["notes.md"] == "indexed"
    assert "Closed in winter." in found(run, "closed winter")[0]  # the built-in loader's files stay its own
    named = (*ALLOWED, "--set", "loaders.engines.text/markdown=scans")
    again = outcomes(run, folder, *named)
    assert again == {"notes.md": "indexed", "inspection.ipynb": "unchanged", "wall.scan": "skipped"}
    assert "gauge read by scans" in found(run, "gauge")
    assert outcomes(run, folder, *named)["notes.md"] == "unchanged"


def test_a_setting_lets_a_loader_take_files_of_the_built_in_ones(run: Run, folder: Path, add: Install) -> None:
    add("scans", kind="text/x-vault", suffix=".md")
    assert outcomes(run, folder, *ALLOWED)["notes.md"] == "indexed"
    assert "Closed in winter." in found(run, "closed winter")[0]
    assert outcomes(run, folder, *ALLOWED, "--set", "loaders.engines.text/x-vault=scans")["notes.md"] == "indexed"
    assert "gauge read by scans" in found(run, "gauge")


@pytest.mark.parametrize(
    ("engine", "message"),
    [
        ("loaders.engines.application/pdf=docx", "gives 'application/pdf' to the loader 'docx', which takes"),
        ("loaders.engines.application/pdf=nobody", "no loader named 'nobody'"),
        ("loaders.engines.PDF=docx", "loaders.engines.PDF"),
        ("loaders.engines.image/x-scan=scans", "whose code is only run when allow_external is set"),
    ],
)
def test_an_engine_that_cannot_be_is_reported(run: Run, folder: Path, add: Install, engine: str, message: str) -> None:
    add("scans")
    refused = run("ingest", folder, "--set", engine)
    assert refused.exit_code == 2
    assert message in " ".join(refused.output.split())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("class Scans:\n    takes = ['image/x-scan']\n", "does not state what it takes"),
        ("import a_module_that_is_missing\n", "cannot be imported: ModuleNotFoundError"),
    ],
)
def test_a_loader_that_cannot_be_used_is_named(run: Run, folder: Path, add: Install, text: str, message: str) -> None:
    add("scans", text)
    refused = run("ingest", folder, *ALLOWED)
    assert refused.exit_code == 2
    assert f"the loader 'scans' {message}" in " ".join(refused.output.split())


def test_the_short_form_for_pdf_names_an_engine(run: Run, tmp_path: Path) -> None:
    def engine(**loaders: object) -> str:
        return assembly.loader_options(read_settings(home=tmp_path, loaders=loaders)).engines["application/pdf"]

    assert engine() == "pdf-pymupdf"
    assert engine(pdf="pypdfium2") == "pdf-pypdfium2"
    assert engine(pdf="pypdfium2", engines={"application/pdf": "unstructured"}) == "unstructured"


def test_a_media_type_with_dots_is_set_in_quotes(run: Run) -> None:
    shown = printed(run("settings", "--json", "--set", 'loaders.engines."application/vnd.ms-excel"=spreadsheet'))
    assert shown["settings"]["loaders"]["engines"] == {"application/vnd.ms-excel": "spreadsheet"}
    assert shown["origins"]["loaders.engines"] == "command line"


def test_extract_asks_them_too(folder: Path, notebooks: None, tmp_path: Path) -> None:
    settings = read_settings(home=tmp_path, allow_external=True)
    (read,) = extract(settings, folder / "inspection.ipynb")
    assert read.document
    assert [block.kind for block in read.document.blocks] == ["paragraph", "code"]
