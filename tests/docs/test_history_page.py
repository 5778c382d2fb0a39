"""The page on history: its commands run as they are written, and its setting is the default."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from penstock.cli.app import app
from penstock.settings import read_settings
from penstock.testing.doubles.plugins import use_little_model

PAGE = (Path(__file__).parents[2] / "docs" / "history.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def test_the_commands_do_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_little_model(monkeypatch, tmp_path / "little")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path / "home"))
    (tmp_path / "handbook").mkdir()
    (commands,) = (text for language, text in BLOCKS if not language)
    run = CliRunner()
    for days in (10, 12):
        (tmp_path / "handbook" / "leave.md").write_text(f"Annual leave is {days} days.", "utf-8")
        assert run.invoke(app, ["ingest", "handbook"]).exit_code == 0
    outputs = {}
    for line in commands.splitlines():
        result = run.invoke(app, shlex.split(line)[1:])
        assert result.exit_code == 0, (line, result.output)
        outputs[line.split()[1]] = result.stdout
    assert "10 days" in outputs["search"]
    assert "revision 3 holds what revision 1 held" in outputs["rollback"]
    assert "10 days" in run.invoke(app, ["search", "annual leave", "-c", "handbook"]).stdout


def test_the_setting_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = (text for language, text in BLOCKS if language == "toml")
    monkeypatch.chdir(tmp_path)
    default = read_settings().history
    (tmp_path / "penstock.toml").write_text(text, "utf-8")
    monkeypatch.setenv("PENSTOCK_TRUST", str(tmp_path / "penstock.toml"))
    assert read_settings().history == default
