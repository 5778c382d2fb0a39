"""What is logged: nothing is seen of it unless it is asked for, and then each record is one harmless line on stderr."""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock import Penstock
from penstock.pipelines.ingest import stopwatch
from penstock.settings import read_settings
from penstock.testing.doubles.website import Website
from tests.cli.conftest import Run

SECRET = "0123456789abcdef"


class Recovering(Website):
    """A site that is too busy for every first request."""

    def __init__(self) -> None:
        super().__init__()
        self.pages["/a.html?token=" + SECRET] = 503

    def _answer(self, request: object) -> None:
        super()._answer(request)  # type: ignore[arg-type]  # a handler, as its base has it
        self.pages["/a.html?token=" + SECRET] = "<p>Ten days of leave carry over.</p>"


@pytest.fixture
def site() -> Iterator[Recovering]:
    with Recovering() as site:
        yield site


def _ingest(run: Run, site: Website, home: Path, *first: str) -> str:
    address = site.url("/a.html?token=" + SECRET)
    result = run(*first, "ingest", address, "--home", home, "--set", "web.allow_private=true")
    assert result.exit_code == 0, result.output
    return result.stderr


def test_a_fetch_that_was_tried_again_is_logged_when_asked_for(run: Run, site: Recovering, tmp_path: Path) -> None:
    result = _ingest(run, site, tmp_path / "home", "-v")
    line = next(line for line in result.splitlines() if "tried again" in line)
    assert "penstock.loaders.sources.web.pages: " in line
    assert "(2 of 3)" in line
    assert "503" in result
    assert SECRET not in result


def test_nothing_is_logged_unless_it_is_asked_for(run: Run, site: Recovering, tmp_path: Path) -> None:
    quiet = _ingest(run, site, tmp_path / "home")
    assert "tried again" not in quiet
    assert "penstock." not in quiet
    _ingest(run, site, tmp_path / "second", "--verbose")
    site.pages["/a.html?token=" + SECRET] = 503
    assert "tried again" not in _ingest(run, site, tmp_path / "third"), "asking once is for once"


def test_what_was_repaired_is_reported(run: Run, library: Path, home: Path) -> None:
    index = next(path for path in (home / "collections").rglob("*") if path.name.startswith("keyword"))
    shutil.rmtree(index)
    index.mkdir()
    (index / "manifest.json").write_text("{")
    result = run("-v", "ingest", library, "--home", home)
    assert "is rebuilt" in result.stderr
    assert "set aside" in result.stderr


def test_hostile_names_stay_on_their_line(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / "a\x1b[31m\n00:00:00 penstock: all is well\u202e.pdf").write_bytes(b"%PDF-1.7\nnothing\n")
    log = run("-v", "ingest", folder, "--home", tmp_path / "home").stderr
    assert "not taken from the sandbox" in log
    assert not {"\x1b", "\u202e"} & set(log)
    assert not any(line.startswith("00:00:00") for line in log.splitlines())


def test_warnings_of_libraries_are_asked_for_twice(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(**options: Any) -> Any:
        logging.getLogger("somebody.else").warning("the library is %s", "worried")
        logging.getLogger("penstock.somewhere").debug("a detail")
        return read_settings(**options)

    monkeypatch.setattr("penstock.settings.read_settings", read)
    seen = {flag: run(*flag, "collections", "--home", tmp_path).stderr for flag in ((), ("-v",), ("-vv",))}
    assert [("worried" in log, "a detail" in log) for log in seen.values()] == [(False, False)] * 2 + [(True, True)]


def test_from_python_records_go_where_the_program_sends_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stopwatch, "SLOW_SECONDS", 0.0)
    (tmp_path / "leave.txt").write_text("Ten days of leave carry over.")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing\n")
    settings = read_settings(home=tmp_path / "home")
    with caplog.at_level(logging.INFO, "penstock"), Penstock(settings=settings) as penstock:
        penstock.ingest(tmp_path)
    records = [(record.name, record.getMessage()) for record in caplog.records if record.name.startswith("penstock.")]
    assert any("slow: parse took" in text and "leave.txt" in text for _, text in records)
    assert any("not taken from the sandbox" in text and "broken.pdf" in text for _, text in records)
    assert not any("carry over" in text for _, text in records)
    assert capfd.readouterr().err == ""
