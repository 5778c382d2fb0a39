"""What a run over one file asks of the database does not grow with the collection: counted in steps of SQLite."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from benchmarks.scale import STEPS, build, opened

FEW, MANY = 150, 1500
EVERY = 10
"""Steps of SQLite's machine between two looks at the counter."""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    few, many = (tmp_path_factory.mktemp(name) for name in ("few", "many"))
    build(few, FEW)
    build(many, MANY)
    return few, many


@contextmanager
def counted() -> Iterator[list[None]]:
    """One entry for so many steps of all connections that are made meanwhile."""
    ticks: list[None] = []

    def watch(connection: sqlite3.Connection, _: object) -> None:
        connection.set_progress_handler(lambda: ticks.append(None), EVERY)

    event.listen(Engine, "connect", watch)
    try:
        yield ticks
    finally:
        event.remove(Engine, "connect", watch)


def steps_of(work: Callable[[], object]) -> int:
    with counted() as ticks:
        work()
    return len(ticks) * EVERY


def asked(step: str, place: Path) -> int:
    """Steps of a run, without those that count the live chunks for its report."""

    def run() -> None:
        with opened(place) as penstock:
            report = STEPS[step][1](penstock, place / "files")
            assert not report.failure

    def count() -> None:
        with opened(place) as penstock:
            penstock.collection.chunk_count()

    return steps_of(run) - steps_of(count)


@pytest.mark.parametrize("step", ["unchanged", "changed", "new", "removed"])
def test_a_run_over_one_source_asks_no_more_of_a_larger_collection(step: str, places: tuple[Path, Path]) -> None:
    few, many = (asked(step, place) for place in places)
    assert many < 1.2 * few


def test_a_run_over_a_folder_asks_as_much_of_each_source(places: tuple[Path, Path]) -> None:
    few, many = (asked("whole", place) for place in places)
    assert many / MANY < 1.2 * few / FEW
