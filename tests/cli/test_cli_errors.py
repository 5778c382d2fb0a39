"""What goes wrong says what happened and what to do next: on stderr, with the right exit code, also as JSON."""

import os
from pathlib import Path

import pytest

from penstock.catalog import writing
from tests.cli.conftest import Run, printed


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        pytest.param(["search", "x", "-c", "nope"], 2, ["nope", "default", "penstock ingest"], id="unknown collection"),
        pytest.param(["search", " \n"], 2, ["the question is blank"], id="blank question"),
        pytest.param(["ask", ""], 2, ["the question is blank"], id="blank question to ask"),
        pytest.param(["search", "x", "--pages", "9-2"], 2, ["--pages", "9-2"], id="pages in disorder"),
        pytest.param(["search", "x", "--pages", "3-"], 2, ["--pages", "such as 3-7"], id="open pages"),
        pytest.param(["ask", "x", "--since", "May"], 2, ["--since", "2026-03-31"], id="no date"),
        pytest.param(["search", "x", "--label", "year"], 2, ["--label", "NAME=VALUE"], id="no label"),
        pytest.param(["search", "x", "--k", "0"], 2, ["--k", "1"], id="k of nothing"),
        pytest.param(["search", "x", "--set", "retrieval.k"], 2, ["--set", "NAME=VALUE"], id="no assignment"),
        pytest.param(["search", "x", "--set", "home.x=1", "--home", "h"], 2, ["home"], id="setting inside a value"),
        pytest.param(["search", "x", "--set", "chunker.nmae=a"], 2, ["'chunker.name'", "penstock settings"], id="typo"),
        pytest.param(["search", "x", "--set", "retrieval.k=ten"], 2, ["retrieval.k", "integer"], id="bad value"),
        pytest.param(["search", "x", "--set", "indexes.keyword=lucene"], 2, ["lucene", "tantivy"], id="unknown part"),
        pytest.param(["ingest", "x", "-c", "a/b"], 2, ["collection"], id="name of a collection"),
        pytest.param(["ingest", "no-such-folder"], 1, ["no-such-folder"], id="missing path"),
        pytest.param(["ingest", "ftp://example.org/x"], 1, ["ftp"], id="scheme"),
        pytest.param(["ingest"], 2, ["PATH|URL"], id="nothing to ingest"),
        pytest.param(["remove", "never-seen.pdf"], 2, ["never-seen.pdf", "leave.md"], id="unknown source"),
        pytest.param(["show", "never-seen.pdf"], 2, ["never-seen.pdf", "leave.md"], id="unknown document"),
        pytest.param(["models", "pull", "not a name"], 2, ["not a name", "BAAI/bge-m3"], id="no model's name"),
        pytest.param(["ask", "x", "--set", "prompt.template=none.j2"], 2, ["none.j2"], id="missing template"),
        pytest.param(["ask", "leave", "--set", "llm.name=openai"], 2, ["llm."], id="model without an address"),
    ],
)
def test_errors_say_what_to_do_next(run: Run, library: Path, arguments: list[str], code: int, says: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    message = " ".join(result.stderr.replace("│", " ").split())
    assert all(text in message for text in says), message
    assert "Traceback" not in message


def test_errors_as_json_are_one_object_too(run: Run, library: Path) -> None:
    result = run("search", "x", "-c", "nope", "--json")
    assert result.exit_code == 2
    error = printed(result)["error"]
    assert (error["kind"], error["retryable"]) == ("UnknownName", False)
    assert error["message"] in result.stderr


def test_a_locked_collection_names_the_writer(run: Run, library: Path, home: Path) -> None:
    (library / "new.md").write_text("# New", "utf-8")
    with writing(home / "collections", "default"):
        result = run("ingest", library, "--json", "--set", "lock_seconds=0.1")
        reading = run("search", "leave")
    assert result.exit_code == 1
    error = printed(result)["error"]
    assert (error["kind"], error["retryable"]) == ("CollectionLocked", True)
    assert str(os.getpid()) in error["message"]
    assert reading.exit_code == 0


def test_a_home_that_cannot_be_written_is_an_error_and_no_traceback(run: Run, tmp_path: Path, folder: Path) -> None:
    (tmp_path / "file").write_text("no folder", "utf-8")
    result = run("ingest", folder, "--home", tmp_path / "file" / "home")
    assert result.exit_code == 1
    assert "error: " in result.stderr
    assert "file" in result.stderr


def test_interrupted_before_anything_began(run: Run, library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from penstock.pipelines.workspace import Penstock

    def interrupt(*_given: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Penstock, "search", interrupt)
    result = run("search", "x", "--json")
    assert result.exit_code == 130
    assert printed(result)["error"]["kind"] == "Interrupted"
    assert "interrupted" in result.stderr
