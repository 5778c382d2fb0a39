"""How long each stage of a run took, over all its threads."""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from penstock.model import Stage

log = logging.getLogger(__name__)

T = TypeVar("T")
SLOW_SECONDS = 10.0
"""A stage that takes longer at once is logged."""


class Stopwatch:
    """Adds up seconds by stage; safe to use from several threads."""

    def __init__(self) -> None:
        self._seconds: defaultdict[Stage, float] = defaultdict(float)
        self._lock = threading.Lock()

    @contextmanager
    def timing(self, stage: Stage, what: str = "") -> Iterator[None]:
        """Adds the time that the block takes, whether or not it succeeds; `what` it works on, as it may be shown."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            taken = time.perf_counter() - begun
            with self._lock:
                self._seconds[stage] += taken
            if taken > SLOW_SECONDS:
                log.info("slow: %s took %.1f s%s", stage, taken, f" ({what})" if what else "")

    def timing_each(self, stage: Stage, items: Iterator[T]) -> Iterator[T]:
        """The items, with the time that each takes to come added."""
        while True:
            with self.timing(stage):
                item = next(items, None)
            if item is None:
                return
            yield item

    def part(self, stage: Stage, parts: Mapping[Stage, float]) -> None:
        """Moves the seconds of `parts` from a stage, in which they were counted, to the stages they belong to."""
        with self._lock:
            for inner, seconds in parts.items():
                self._seconds[inner] += seconds
                self._seconds[stage] -= seconds

    def seconds(self) -> Mapping[Stage, float]:
        """Seconds by stage so far."""
        with self._lock:
            return dict(self._seconds)
