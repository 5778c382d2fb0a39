"""A folder that was cloned from a stranger: what its penstock.toml gets before and after `penstock trust`."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.errors import SettingsError
from penstock.flows.workspaces import opened
from penstock.pipelines.stepwise import Stepwise
from penstock.testing.doubles.llm_server import ScriptedServer, answer
from tests.cli.conftest import Run, printed

KEY = "sk-0badc0de"
QUESTION = "How many days of leave carry over?"


@pytest.fixture
def stranger() -> Iterator[ScriptedServer]:
    """A server that writes down whatever it is sent."""
    with ScriptedServer(answer("Ten days [1].")) as server:
        yield server


def write(text: str) -> Path:
    file = Path("penstock.toml")
    file.write_text(text, "utf-8")
    return file


def asking(server: ScriptedServer) -> str:
    return f"[llm]\nname = 'openai'\nmodel = 'm'\nbase_url = '{server.url}'\n"


def test_a_cloned_folder_gets_neither_question_nor_passages_nor_key(
    stranger: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program itself, as a person runs it, with the person's key in the environment."""
    Path("leave.md").write_text("Ten days of leave carry over into the next year.\n", "utf-8")
    assert penstock("ingest", "leave.md").returncode == 0
    monkeypatch.setenv("PENSTOCK_LLM__API_KEY", KEY)
    write(asking(stranger))
    refused = penstock("ask", QUESTION)
    assert refused.returncode == 2
    assert stranger.requests == []
    assert "llm.name, llm.model, llm.base_url" in refused.stderr
    assert f"{Path('penstock.toml').absolute()} is not trusted" in refused.stderr
    assert penstock("trust", "--yes").returncode == 0
    answered = penstock("ask", QUESTION)
    assert answered.returncode == 0, answered.stderr
    ((_, headers, body),) = stranger.requests
    assert headers["authorization"] == f"Bearer {KEY}"
    assert QUESTION in str(body)
    write(asking(stranger) + "temperature = 1\n")
    changed = penstock("ask", QUESTION)
    assert (changed.returncode, len(stranger.requests)) == (2, 1)
    assert "has changed since you trusted it" in changed.stderr


def penstock(*arguments: str) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-c", "from penstock.cli import main; main()", *arguments]
    return subprocess.run(words, env=os.environ, capture_output=True, text=True, check=False)


REACHING_OUT = {
    "model of one collection": "[collections.default]\nsources = [{{ path = 'x' }}]\n"
    "[collections.default.llm]\nname = 'openai'\nmodel = 'm'\nbase_url = '{url}'",
    "elasticsearch": "[indexes]\nkeyword = 'elasticsearch'\n[elasticsearch]\nurls = ['{host}']",
    "catalog": "[catalog]\nurl = 'postgresql://me@{address}/x'",
    "secrets": "secrets = 'secrets'",
    "private pages": "[web]\nallow_private = true\n[collections.default]\nsources = [{{ urls = ['{host}/page'] }}]",
}


@pytest.mark.parametrize("text", REACHING_OUT.values(), ids=REACHING_OUT)
@pytest.mark.parametrize("command", [("search", QUESTION), ("ask", QUESTION), ("sync",), ("ingest", "."), ("status",)])
def test_nothing_is_sent_for_an_untrusted_file(
    run: Run, library: Path, stranger: ScriptedServer, text: str, command: tuple[str, ...]
) -> None:
    Path("secrets").mkdir()
    for name, value in (("name", "openai"), ("model", "m"), ("base_url", stranger.url)):
        Path("secrets", f"penstock_llm__{name}").write_text(value)
    host = stranger.url.removesuffix("/v1")
    write(text.format(url=stranger.url, host=host, address=host.removeprefix("http://")))
    result = run(*command)
    assert result.exit_code == 2
    assert "is not trusted" in result.stderr
    assert stranger.requests == []


OF_OTHERS = {
    "home": "home = 'home'",
    "template": "[prompt]\ntemplate = 'mine.j2'",
    "model": "[embedder]\nmodel = './model'",
    "external parts": "allow_external = true",
    "files of mine": "[collections.default]\nsources = [{{ path = '{elsewhere}' }}]",
    "guard": "removal_share = 1",
}


@pytest.mark.parametrize("text", OF_OTHERS.values(), ids=OF_OTHERS)
def test_commands_and_flows_refuse_until_trusted(run: Run, library: Path, text: str) -> None:
    write(text.format(elsewhere=library))
    for command in (("sync",), ("search", QUESTION), ("schedule",), ("collections",), ("models", "list")):
        result = run(*command)
        assert result.exit_code == 2, command
        assert "`penstock trust`" in result.stderr
    with pytest.raises(SettingsError, match="is not trusted"), opened(None, "default"):  # as a flow run does
        pass
    assert run("trust", "--yes").exit_code == 0
    assert "trust" not in run("collections").stderr
    with opened(None, "default") as workspace:
        assert isinstance(workspace, Stepwise)


def test_an_error_for_programs(run: Run) -> None:
    write("home = 'x'")
    error = printed(run("status", "--json"))["error"]
    assert (error["kind"], error["retryable"]) == ("SettingsError", False)


def test_what_needs_no_settings_works(run: Run) -> None:
    write("[llm]\nbase_url = 'http://x'\n[retrieval]\nk = 4")
    for command in (("--help",), ("--version",), ("ask", "--help"), ("models", "presets"), ("trust", "--list")):
        assert run(*command).exit_code == 0, command
    shown = run("settings")
    assert shown.exit_code == 0
    assert re.search(r'^base_url = "http://x" +# penstock.toml, refused$', shown.stdout, re.MULTILINE)
    assert re.search(r"^k = 4 +# penstock.toml$", shown.stdout, re.MULTILINE)
    assert "is not trusted" in shown.stderr
    assert printed(run("settings", "--json"))["origins"]["llm.base_url"] == "penstock.toml, refused"
    run("trust", "--yes")
    shown = run("settings")
    assert "refused" not in shown.output
    assert shown.stderr == ""


def test_trust_shows_asks_and_lists(run: Run, tmp_path: Path) -> None:
    file = write("[catalog]\nurl = 'postgresql://me:geheim@x/y'\n[llm]\napi_key = 'geheim'\nmodel = '\\u001b[2J'")
    result = run("trust")  # nobody answers
    assert result.exit_code == 1
    assert 'llm.api_key = "**********"' in result.stderr
    assert 'catalog.url = "postgresql://***@x/y"' in result.stderr
    assert "geheim" not in result.output
    assert "\x1b[2J" not in result.output
    assert "no file is trusted" in run("trust", "--list").stdout
    shown = printed(run("trust", file.absolute(), "--yes", "--json"))
    assert (shown["trusted"], shown["settings"]) == (True, ["catalog.url", "llm.api_key", "llm.model"])
    place = str(file.absolute())

    def listed() -> dict[str, str]:
        return {entry["file"]: entry["state"] for entry in printed(run("trust", "--list", "--json"))["files"]}

    assert listed() == {place: "trusted"}
    write("home = 'x'")
    assert listed() == {place: "changed"}
    file.unlink()
    assert listed() == {place: "gone"}
    assert "is not trusted any more" in run("trust", "--revoke").stdout
    assert printed(run("trust", "--revoke", "--json")) == {"file": place, "revoked": False}


def test_a_file_that_needs_no_trust_gets_none(run: Run) -> None:
    write("[retrieval]\nk = 4")
    assert "sets nothing that needs trust" in run("trust").stdout
    assert "no file is trusted" in run("trust", "--list").stdout


@pytest.mark.parametrize("text", ["k = ", None], ids=["no TOML", "no file"])
def test_what_cannot_be_trusted(run: Run, text: str | None) -> None:
    if text:
        write(text)
    result = run("trust", "--yes")
    assert result.exit_code == 2
    assert "penstock.toml cannot be read" in result.stderr
