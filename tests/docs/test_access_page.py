"""The page on who may see what: its commands run, its description is read, its figures are those of the code."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from penstock.cli.app import app
from penstock.errors import SettingsError
from penstock.retrievers.readers import DECAY
from penstock.settings import read_settings
from penstock.testing.doubles.plugins import use_little_model

PAGE = (Path(__file__).parents[2] / "docs" / "access.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def test_the_commands_do_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_little_model(monkeypatch, tmp_path / "little")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hr").mkdir()
    for number, block in enumerate(text for language, text in BLOCKS if not language):
        (tmp_path / "hr" / f"{number}.txt").write_text(f"Annual leave, page {number}.", "utf-8")
        for line in block.splitlines():
            result = CliRunner().invoke(app, shlex.split(line)[1:])
            assert result.exit_code == 0, (line, result.output)
            assert ("nothing was found" in result.stdout) == ("--as visitor" in line)
    for who, count in (("staff", 2), ("visitor", 0)):
        found = CliRunner().invoke(app, ["search", "annual leave", "--as", who]).stdout
        assert found.count("Annual leave, page") == count


def test_the_description_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = (text for language, text in BLOCKS if language == "toml")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "penstock.toml").write_text(text, "utf-8")
    monkeypatch.setenv("PENSTOCK_TRUST", str(tmp_path / "penstock.toml"))
    assert [entry.access for entry in read_settings().collections["handbook"].sources] == [("board",), ("staff",)]
    (tmp_path / "penstock.toml").write_text(text.replace('overlap = "first"', ""), "utf-8")
    with pytest.raises(SettingsError, match=r"entry 1 .*hr/board.*entry 2 .*hr'.*overlap"):
        read_settings()


def test_the_formula_is_that_of_the_code() -> None:
    assert f"{DECAY + 1} / ({DECAY} + place)" in PAGE
