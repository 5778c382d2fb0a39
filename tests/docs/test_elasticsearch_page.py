"""What the page on Elasticsearch says is so: its commands run against a real server, its settings are all there are."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch
from typer.testing import CliRunner

from penstock.cli.app import app
from penstock.indexers.elasticsearch.client import OLDEST
from penstock.pipelines.workspace import Penstock
from penstock.settings import ElasticsearchSettings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "elasticsearch.md").read_text("utf-8")
LONGEST = 20


def blocks() -> list[tuple[str, str]]:
    """Language and text of each code block."""
    return re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.elasticsearch
@pytest.mark.timeout(300)
def test_everything_that_the_page_types_runs(
    elasticsearch_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "examples" / "handbook", tmp_path / "examples" / "handbook")
    typed = ""
    for language, text in blocks():
        if language == "toml":
            (tmp_path / "penstock.toml").write_text(text.replace("http://127.0.0.1:9200", elasticsearch_url), "utf-8")
        elif language == "python":
            exec(compile(text, "elasticsearch.md", "exec"), {})
        elif language == "json":
            json.loads(text)
        else:
            typed += "".join(run(line) for line in text.splitlines())
    with Penstock(collection="handbook") as penstock:
        uid = penstock.collection.uid
    with Elasticsearch(elasticsearch_url) as client:
        (index,) = client.indices.get(index=f"penstock-handbook-{uid}*")
        client.indices.delete(index=index)
    assert index.endswith("-v1")
    assert "ok: 10 chunks, the same in catalog, keyword index and vector index" in typed
    assert "leave-policy.pdf {'keyword': 1, 'vector': 1}" in capsys.readouterr().out


def run(line: str) -> str:
    program, *arguments = shlex.split(line)
    if program == "pip":  # installs; the wheel is built and installed elsewhere
        return ""
    assert program == "penstock"
    result = CliRunner().invoke(app, arguments, input="y\n")
    assert result.exit_code == 0, f"{line}: {result.output}"
    return result.stdout


def test_every_setting_is_explained() -> None:
    table = PAGE.partition("| setting |")[2].partition("\n\n")[0]
    named = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1] if row else "")}
    assert named == set(ElasticsearchSettings.model_fields)


def test_the_privileges_are_those_that_a_test_gets_by_with() -> None:
    (privileges,) = (json.loads(text) for language, text in blocks() if language == "json")
    (index,) = privileges["indices"]
    assert (privileges["cluster"], index["privileges"]) == (["monitor"], ["manage", "read", "write"])


def test_the_versions_are_those_that_are_taken() -> None:
    assert f"Elasticsearch {OLDEST[0]}.{OLDEST[1]} to 9" in PAGE


def test_examples_are_short() -> None:
    assert all(text.count("\n") < LONGEST for _, text in blocks())


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)\)", PAGE) or ["elasticsearch.md"])
def test_links_lead_somewhere(link: str) -> None:
    assert (ROOT / "docs" / link).exists()
