"""What the page on sources says is so; its connector is run by `tests/cli/test_sources_of_others.py`."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from penstock.model import Listed
from penstock.settings import read_settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "sources.md").read_text("utf-8")


def test_its_settings_are_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = [tomllib.loads(block) for block in re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)]
    web, connected = (read_settings(home=tmp_path, **block) for block in blocks if "project" not in block)
    assert web.web.allow_networks == ("10.1.0.0/16", "fd12:3456::/32")
    assert [entry.address for entry in connected.collections["handbook"].sources] == ["notes://hr"]
    assert connected.connectors.options["notes"]["file"].get_secret_value() == "notes.json"


def test_what_it_says_of_a_listed_source_exists() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PAGE.partition("| of `Listed` |")[2], re.MULTILINE)
    assert rows
    assert set(rows) <= {field.name for field in fields(Listed)}


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)[)#]", PAGE))
def test_links_lead_somewhere(link: str) -> None:
    assert (ROOT / "docs" / link).exists()
