"""A run that finds nothing changed writes only its own record."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from penstock.model import RunReport
from penstock.pipelines.stepwise import Stepwise
from penstock.pipelines.workspace import Penstock
from penstock.settings import CollectionSettings, SourceSettings, read_settings

Again = Callable[[Path], RunReport]


@contextmanager
def written() -> Iterator[list[str]]:
    """The tables that are written in the block."""
    tables: list[str] = []

    def watch(_c: object, _k: object, statement: str, *_: object) -> None:
        words = statement.split()
        if words[0] in ("INSERT", "UPDATE", "DELETE"):
            tables.append(words[1] if words[0] == "UPDATE" else words[2])

    event.listen(Engine, "before_cursor_execute", watch)
    try:
        yield tables
    finally:
        event.remove(Engine, "before_cursor_execute", watch)


@pytest.fixture
def mixed(folder: Path) -> Path:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing else")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "copy.md").write_bytes((folder / "leave.md").read_bytes())
    return folder


@pytest.mark.parametrize("access", [None, ["staff"], []])
def test_an_unchanged_run_writes_its_record_alone(
    penstock: Penstock, mixed: Path, access: Sequence[str] | None
) -> None:
    first = penstock.ingest(mixed, access=access)
    with written() as tables:
        again = penstock.ingest(mixed, access=access)
    assert set(tables) == {"runs"}
    assert again.revision == first.revision
    assert {result.uri: result.chunks for result in again.results} == {
        result.uri: result.chunks for result in first.results
    }
    (waiting,) = penstock.status().quarantine
    assert waiting.source.uri.endswith("broken.pdf")


def test_an_unchanged_sync_writes_its_record_alone(kind: str, model: object, mixed: Path, home: Path) -> None:
    del kind, model
    entries = [SourceSettings(path=mixed, access=["staff"]), SourceSettings(path=mixed / "leave.md", access=["staff"])]
    settings = read_settings(home=home, collection="described")
    settings = settings.model_copy(update={"collections": {"described": CollectionSettings(sources=entries)}})
    with Stepwise(settings=settings) as penstock:
        penstock.sync()
        with written() as tables:
            penstock.sync()
            plan = penstock.plan()
            run = penstock.begin("sync")
            penstock.finish(plan, [], run=run)
        assert set(tables) == {"runs"}


def test_access_given_to_an_address_in_between_is_not_the_last(penstock: Penstock, mixed: Path) -> None:
    penstock.ingest(mixed, access=["staff"])
    penstock.ingest(mixed / "leave.md", access=["board"])
    penstock.ingest(mixed, access=["staff"])
    (mixed / "leave.md").unlink()
    penstock.ingest(mixed)
    (mixed / "leave.md").write_text("Leave is different now.", "utf-8")
    penstock.ingest(mixed)
    access = {known.source.uri.rsplit("/", 1)[-1]: known.source.access for known in penstock.collection.sources()}
    assert access["leave.md"] == {"staff"}


def test_marks_that_change_leave_a_known_file_in_quarantine(penstock: Penstock, folder: Path) -> None:
    path = folder / "report.html"
    path.write_text("<html><body><p>The report of the year.</p></body></html>", "utf-8")
    penstock.ingest(folder)
    path.write_bytes(b"%PDF-1.7 nothing else")
    penstock.ingest(folder)
    assert len(penstock.status().quarantine) == 1
    penstock.ingest(folder, access=["staff"])
    (waiting,) = penstock.status().quarantine
    assert waiting.source.access == {"staff"}
    with written() as tables:
        penstock.ingest(folder, access=["staff"])
    assert set(tables) == {"runs"}
