"""How long each stage of a run took, over all its threads."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from penstock.model import Stage

T = TypeVar("T")


class Stopwatch:
    """Adds up seconds by stage; safe to use from several threads."""

    def __init__(self) -> None:
        self._seconds: defaultdict[Stage, float] = defaultdict(float)
        self._lock = threading.Lock()

    @contextmanager
    def timing(self, stage: Stage) -> Iterator[None]:
        """Adds the time that the block takes, whether or not it succeeds."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self._seconds[stage] += time.perf_counter() - begun

    def timing_each(self, stage: Stage, items: Iterator[T]) -> Iterator[T]:
        """The items, with the time that each takes to come added."""
        while True:
            with self.timing(stage):
                item = next(items, None)
            if item is None:
                return
            yield item

    def part(self, stage: Stage, others: Mapping[Stage, float]) -> None:
        """Gives other stages what they took of the time that was counted for a stage."""
        with self._lock:
            for other, seconds in others.items():
                self._seconds[other] += seconds
                self._seconds[stage] -= seconds

    def seconds(self) -> Mapping[Stage, float]:
        """Seconds by stage so far."""
        with self._lock:
            return dict(self._seconds)
