import re
import tomllib
from pathlib import Path

import pytest

from penstock.loaders.sandbox.confinement import MOST_OPEN_FILES, Confinement
from penstock.settings import read_settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "loaders.md"


def test_the_settings_of_the_page_are_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    settings = read_settings(home=tmp_path, **tomllib.loads(block))
    assert settings.allow_external
    assert settings.loaders.readable == (Path("/srv/models/scanner"),)


def test_figures_and_words_of_the_page_are_those_of_the_code() -> None:
    page = PAGE.read_text()
    assert f"| open files | {MOST_OPEN_FILES} |" in page
    assert str(Confinement(landlock=7, seccomp=True)) in page
