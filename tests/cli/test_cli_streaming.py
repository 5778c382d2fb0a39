"""An answer that a language model writes is shown as it comes, and what it says is checked before that."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.testing.doubles.llm_server import Reply, ScriptedServer, answer, delta, refusal
from tests.cli.conftest import Run, printed
from tests.cli.test_cli_processes import LITTLE

FIRST = "Ten days of leave carry over [1]."
SECOND = " They are for the next year [1]."


def options(server: ScriptedServer) -> list[str]:
    return [f"--set=llm.{setting}" for setting in ("name=openai", f"base_url={server.url}", "model=m", "attempts=1")]


def test_a_models_answer_with_its_citations(run: Run, library: Path) -> None:
    with ScriptedServer(answer("Ten days of leave ", "carry over [1].", " The moon is of cheese [7].")) as server:
        shown = run("ask", "How many days of leave carry over?", *options(server))
    assert shown.exit_code == 0, shown.output
    text, _, citations = shown.stdout.partition("Citations")
    assert FIRST in text
    assert "[7]" not in text
    assert str(library / "leave.md") in citations


def test_a_models_answer_as_json(run: Run, library: Path) -> None:
    with ScriptedServer(answer(FIRST)) as server:
        found = printed(run("ask", "How many days of leave carry over?", "--json", *options(server)))
    assert found["text"] == FIRST
    assert found["usage"] == {"prompt_tokens": 11, "completion_tokens": 7}
    assert [Path(citation["uri"]).name for citation in found["citations"]] == ["leave.md"]


@pytest.mark.usefixtures("run")
def test_the_first_sentence_is_shown_before_the_last_has_come(library: Path) -> None:
    slow = Reply(parts=answer(FIRST + " ", SECOND, " ", "And a last word.").parts, pause_seconds=1.0)
    with ScriptedServer(slow) as server:
        process = subprocess.Popen(
            [sys.executable, "-c", LITTLE, "ask", "How many days of leave carry over?", *options(server)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ},
        )
        with process:
            assert process.stdout is not None
            first = os.read(process.stdout.fileno(), 4096).decode()
            rest = process.stdout.read().decode()
    assert process.returncode == 0
    assert first.startswith("  Ten days of leave carry over")
    assert "They are for the next year" not in first
    assert "They are for the next year" in rest


def test_a_models_text_does_not_steer_the_terminal(run: Run, library: Path) -> None:
    with ScriptedServer(answer("Ten days of leave carry over [1]. \x1b]0;title\x07\x1b[2J Done.")) as server:
        shown = run("ask", "How many days of leave carry over?", *options(server))
    assert "\x1b" not in shown.stdout
    assert "\x07" not in shown.stdout


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        pytest.param(refusal(401, "no such key"), "MissingKey", id="no key"),
        pytest.param(refusal(400, "no such model"), "ModelRefused", id="refused"),
        pytest.param(refusal(503, "overloaded"), "ModelUnavailable", id="overloaded"),
        pytest.param(Reply(parts=[delta("Ten ")], cut=True), "ModelUnavailable", id="cut off"),
    ],
)
def test_a_server_that_fails_is_exit_code_1(run: Run, library: Path, reply: Reply, kind: str) -> None:
    with ScriptedServer(reply) as server:
        result = run("ask", "How many days of leave carry over?", "--json", *options(server))
        plain = run("ask", "How many days of leave carry over?", *options(server))
    assert (result.exit_code, plain.exit_code) == (1, 1)
    assert json.loads(result.stdout)["error"]["kind"] == kind
    assert "error: " in plain.stderr


def test_a_missing_key_is_named(run: Run, library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEEPSEEK_API_KEY", raising=False)
    result = run("ask", "leave", "--set", "llm.name=openai", "--set", "llm.preset=deepseek", "--set", "llm.model=m")
    assert result.exit_code == 1
    assert "DEEPSEEK_API_KEY" in result.stderr
