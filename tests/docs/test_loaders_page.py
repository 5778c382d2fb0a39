import re
import tomllib
from pathlib import Path

import pytest

from penstock.loaders.confinement.confinement import MOST_OPEN_FILES, Confinement
from penstock.settings import read_settings
from penstock.settings.options import plain

PAGE = Path(__file__).resolve().parents[2] / "docs" / "loaders.md"


def test_the_settings_of_the_page_are_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)]
    monkeypatch.chdir(tmp_path)
    first, others, blank = (read_settings(home=tmp_path, **block) for block in blocks if "project" not in block)
    assert plain(blank.loaders.options["unstructured"]) == {"model": "blank"}
    assert first.loaders.engines == {"application/pdf": "pdf-pypdfium2", "text/html": "unstructured"}
    assert others.allow_external
    assert others.loaders.readable == (Path("/srv/models/scanner"),)
    assert plain(others.loaders.options["scanner"]) == {"language": "de"}


def test_figures_and_words_of_the_page_are_those_of_the_code() -> None:
    page = PAGE.read_text()
    assert f"| open files | {MOST_OPEN_FILES} |" in page
    assert str(Confinement(landlock=7, seccomp=True)) in page
