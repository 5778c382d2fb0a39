"""What a person is shown of options of parts: all that the part does not keep secret, and nothing on trust."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from penstock.testing.doubles.plugins import install, write_distribution

Run = Callable[..., Result]
TOY = """
from pydantic import BaseModel, SecretStr

class Options(BaseModel):
    url: str
    tags: list[str] = []
    key: SecretStr | None = None
    keys: dict[str, SecretStr] = {}

class Toy:
    Options = Options

print("the code of the toy ran")
"""
SECRET = "h0sh-h0sh"
FILE = f"""
allow_external = true

[indexes.options.a-toy]
url = "https://search.example:9200"
tags = ["a", "b"]
key = "{SECRET}"
keys = {{ one = "{SECRET}" }}

[chunker.options]
share = "{SECRET}"
"""


@pytest.fixture
def _toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "shown_toy.py").write_text(TOY, "utf-8")
    install(monkeypatch, write_distribution(tmp_path / "site", {("indexers", "a-toy"): "shown_toy:Toy"}))
    Path("penstock.toml").write_text(FILE, "utf-8")


def shown(run: Run, *arguments: str) -> dict[str, Any]:
    result = run("settings", "--json", *arguments)
    assert SECRET not in result.output
    printed: dict[str, Any] = json.loads(result.stdout[result.stdout.index("{") :])
    return printed


@pytest.mark.usefixtures("_toy")
def test_an_untrusted_file_is_refused_and_its_options_are_hidden(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PENSTOCK_ALLOW_EXTERNAL")
    refused = run("status")
    assert refused.exit_code == 2
    assert "indexes.options.a-toy.url" in refused.stderr
    assert "chunker.options.share" in refused.stderr
    settings = shown(run)
    assert settings["settings"]["indexes"]["options"] == {
        "a-toy": dict.fromkeys(("url", "tags", "key", "keys"), "*" * 10)
    }
    assert settings["origins"]["indexes.options.a-toy.url"] == "penstock.toml, refused"
    plain = run("settings")
    assert "the code of the toy ran" not in plain.output
    asked = run("trust", "--yes")
    assert "indexes.options.a-toy.key = " in asked.output
    assert SECRET not in refused.output + plain.output + asked.output


@pytest.mark.usefixtures("_toy")
def test_of_a_trusted_file_all_but_secrets_is_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("trust", "--yes")
    monkeypatch.setenv("PENSTOCK_INDEXES__OPTIONS__A_TOY__KEY", SECRET)
    settings = shown(run, "--set", "indexes.options.a-toy.url=https://other.example")
    options, origins = settings["settings"]["indexes"]["options"], settings["origins"]
    assert options["a-toy"] == {
        "url": "https://other.example",
        "tags": ["a", "b"],
        "key": "**********",
        "keys": "**********",
    }
    assert options["a_toy"] == {"key": "**********"}
    assert settings["settings"]["chunker"]["options"] == {"share": "**********"}
    assert origins["indexes.options.a-toy.url"] == "command line"
    assert origins["indexes.options.a-toy.keys"] == "penstock.toml"
    assert origins["indexes.options.a_toy.key"] == "environment"
    lines = run("settings").stdout.splitlines()
    assert [line.split("#")[0].strip() for line in lines if line.startswith("options.a-toy.tags")] == [
        'options.a-toy.tags = ["a", "b"]'
    ]
    assert any(line.startswith("# options.a-toy.key = ") for line in lines)
