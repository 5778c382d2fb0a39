"""What the page on Python says is so: its programs run, its settings are understood, its part passes the contract."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from penstock import ports, registry, testing
from penstock.ports import Embedder
from penstock.settings import Settings, read_settings
from penstock.testing.contracts.embedders import EmbedderContract

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "python.md").read_text("utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
PART = next(text for text in PROGRAMS if "class Letters" in text)


def test_its_programs_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(
        ROOT / "examples" / "handbook", tmp_path / "handbook", ignore=shutil.ignore_patterns("*.png", "*sc*")
    )
    names: dict[str, Any] = {}
    for program in PROGRAMS:
        exec(compile(program, "python.md", "exec"), names)
    printed = capsys.readouterr().out
    assert "carry over" in printed
    assert "handbook [" in printed
    assert "notes [" in printed
    assert names["NamedLetters"](alphabet="all", key=None, batch=3).identity == "letters-1(all)"


class TestPart(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        names: dict[str, Any] = {}
        exec(compile(PART.partition("\n\nwith ")[0], "python.md", "exec"), names)
        made: Embedder = names["Letters"]()
        return made


def test_its_settings_are_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    (tmp_path / "penstock.toml").write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PENSTOCK_TRUST", str(tmp_path / "penstock.toml"))
    monkeypatch.setenv("PENSTOCK_INDEXES__OPTIONS__OUR_SEARCH__KEY", "a")
    settings = read_settings()
    assert settings.embedder.options["alphabet"].get_secret_value() == "latin"
    assert sorted(settings.indexes.options) == ["our-search", "our_search"]


def test_what_it_names_exists() -> None:
    for group in re.findall(r"`penstock\.(\w+)`", PAGE.partition("entry point (")[2].partition(")")[0]):
        assert group in registry.OPTIONS
    for place in registry.OPTIONS.values():
        assert f"`[{place.replace('{name}', 'NAME')}]`" in PAGE
        assert "options" in type(Settings.model_fields[place.partition(".")[0]].default).model_fields
    for name in ("Embedder", "LLM", "Chunker", "Loader", "ServerIndex"):
        assert hasattr(ports, name)
    assert testing.__doc__


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)\)", PAGE))
def test_links_lead_somewhere(link: str) -> None:
    assert (ROOT / "docs" / link).exists()
