"""What reaches a terminal: whole texts, shown as they are, nothing that steers it, long lists cut and said so."""

import io
import sys

import pytest
from rich.cells import cell_len

from penstock.cli.output.escaping import harmless
from penstock.cli.output.progress import _short, fetching
from penstock.cli.output.screen import Screen
from penstock.cli.output.tables import LISTED, place_text, show_report, show_rows
from penstock.model import ChunkCounts, Place, RunReport, SourceResult


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("plain [b]text[/b] :smile:", "plain [b]text[/b] :smile:", id="markup"),
        pytest.param("a\x1b]0;title\x07b", r"a\x1b]0;title\x07b", id="escape"),
        pytest.param("a\x9b31mb", r"a\x9b31mb", id="C1 control"),
        pytest.param("abc\u202edcba", r"abc\u202edcba", id="direction"),
        pytest.param("两\t行\n文字", "两\t行\n文字", id="tab and line"),
    ],
)
def test_harmless(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_long_lines_are_left_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().say("年" * 500, (" tail", "bold"))
    assert capsys.readouterr().out == "年" * 500 + " tail\n"


def test_tables_in_a_pipe_cut_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows([{"name": "x" * 200, "count": 3}], empty="nothing")
    assert "x" * 200 in capsys.readouterr().out


def test_a_reader_that_has_gone_is_reported_to_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Gone())
    with pytest.raises(BrokenPipeError):
        Screen().say("anything")


def test_a_report_names_the_first_and_counts_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    results = [
        SourceResult(uri=f"file:///x/{number:03}.bin", outcome="skipped", reason="[nothing] reads it")
        for number in range(LISTED + 7)
    ]
    report = RunReport(
        collection="c",
        revision=4,
        results=tuple(results),
        parsed=0,
        embedded=0,
        chunks=ChunkCounts(catalog=0, keyword=0, vector=0),
        seconds=0.1,
        attention=("the listing of /y was not complete",),
        interrupted=True,
    )
    show_report(report, stderr=False)
    out = capsys.readouterr().out
    assert out.count("[nothing] reads it") == LISTED
    assert "... and 7 more; --json lists them all" in out
    assert "attention: the listing of /y was not complete" in out
    assert "interrupted: what was committed stays" in out


@pytest.mark.parametrize(
    ("places", "text"),
    [
        pytest.param([], "", id="none"),
        pytest.param([Place(page=3)], ", page 3", id="one"),
        pytest.param([Place(page=3), Place(page=3), Place(page=4)], ", pages 3-4", id="two"),
        pytest.param([Place(page=3, label="iii")], ", page iii", id="label"),
    ],
)
def test_places(places: list[Place], text: str) -> None:
    assert place_text(places) == text


@pytest.mark.parametrize("path", ["short.txt", "/a" * 50, "手册/" * 30, "/x/" + "年" * 60 + ".pdf"])
def test_paths_in_the_bar_fit(path: str) -> None:
    assert cell_len(_short(path, 35)) <= 35
    assert path.endswith(_short(path, 35).removeprefix("…"))


def test_a_pull_prints_each_file_once_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with fetching() as tell:
        for done in (10, 50, 100):
            tell("model.safetensors", done, 100)
    assert capsys.readouterr().err == "model.safetensors: 100 bytes\n"


def test_a_pull_shows_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with fetching() as tell:
        tell("model.safetensors", 50, 100)
        tell("model.safetensors", 100, 100)
    assert "model.safetensors" in terminal.getvalue()
