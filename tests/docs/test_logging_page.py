"""The page on logging: its example runs, and its names are those of loggers."""

import logging
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from penstock.pipelines.ingest.stopwatch import SLOW_SECONDS

PAGE = (Path(__file__).parents[2] / "docs" / "logging.md").read_text("utf-8")


@pytest.fixture(autouse=True)
def _levels() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in (None, "penstock", "penstock.pipelines")]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


def test_the_example_silences_a_room() -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    exec(code, {})
    assert logging.getLogger("penstock.loaders.sources").isEnabledFor(logging.INFO)
    assert not logging.getLogger("penstock.pipelines.ingest").isEnabledFor(logging.INFO)


def test_the_names_are_those_of_modules_that_log() -> None:
    names = re.findall(r"^\d\d:\d\d:\d\d (penstock[\w.]+): ", PAGE, re.MULTILINE)
    assert len(names) == 4
    for name in names:
        spec = find_spec(name)
        assert spec is not None
        assert "log = logging.getLogger(__name__)" in Path(str(spec.origin)).read_text("utf-8")


def test_the_threshold_is_the_codes() -> None:
    assert f"longer than {SLOW_SECONDS:g} seconds" in PAGE
