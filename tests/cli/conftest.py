"""The command line in this process, with a model that needs no loading; everything else in it is the real thing."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from penstock.cli.app import app
from penstock.testing.doubles.plugins import use_little_model

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder of its own, so that no penstock.toml of ours is read; 80 columns."""
    working = tmp_path / "working"
    working.mkdir()
    monkeypatch.chdir(working)
    monkeypatch.setenv("COLUMNS", "80")


def little_model(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Run:
    use_little_model(monkeypatch, folder)
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, [os.fspath(argument) for argument in arguments])


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Types a command."""
    return little_model(monkeypatch, tmp_path / "little")


def write_documents(folder: Path) -> Path:
    """Files of every outcome that a first run can have."""
    folder.mkdir()
    (folder / "leave.md").write_text("# Leave\n\nTen days of leave carry over into the next year.\n", "utf-8")
    (folder / "年假.txt").write_text("未休完的年假可以结转到下一年度，最多十天。\n", "utf-8")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing of what a PDF needs\n")
    (folder / "song.mp3").write_bytes(b"ID3\x03\x00\x00\x00\x00\x00\x21TIT2" + bytes(range(256)) * 8)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of the test's own."""
    return write_documents(tmp_path / "my documents 手册")


@pytest.fixture(scope="session")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder, and a home into which it was ingested, once for all tests."""
    base = tmp_path_factory.mktemp("ingested")
    folder = write_documents(base / "my documents 手册")
    with pytest.MonkeyPatch.context() as monkeypatch:
        result = little_model(monkeypatch, base / "little")("ingest", folder, "--home", base / "home")
    assert result.exit_code == 3, result.output
    return folder, base / "home"


@pytest.fixture
def library(ingested: tuple[Path, Path], home: Path) -> Path:
    """The folder that lies in the test's home already; the folder itself belongs to all tests."""
    folder, filled = ingested
    shutil.copytree(filled, home)
    return folder


def printed(result: Result) -> dict[str, Any]:
    """The one object on standard output."""
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found
