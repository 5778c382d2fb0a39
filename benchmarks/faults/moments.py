"""Moments of a process: each line of the functions that `steps` names. Kills the process at one of them."""

import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any, NamedTuple

from benchmarks.faults.steps import codes


class Moment(NamedTuple):
    """Before a line of a function runs, or before the function returns (line 0)."""

    step: str
    function: str
    line: int

    def __str__(self) -> str:
        where = f"line {self.line}" if self.line else "return"
        return f"{self.step}: {self.function.partition(':')[2]}, {where}"


class Clock:
    """Counts the moments that are reached; kills the process when it reaches the deadly one for the `nth` time."""

    def __init__(self, deadly: Moment | None = None, nth: int = 1) -> None:
        self.seen: Counter[Moment] = Counter()
        self._codes: dict[CodeType, tuple[str, str]] = codes()
        self._deadly = deadly
        self._nth = nth

    @contextmanager
    def running(self) -> Iterator[None]:
        """Counts while the context is open, in this thread and in those that it starts."""
        threading.settrace(self._called)
        sys.settrace(self._called)
        try:
            yield
        finally:
            sys.settrace(None)
            threading.settrace(None)

    def _called(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        return self._moved if frame.f_code in self._codes else None

    def _moved(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if event in ("line", "return"):
            line = frame.f_lineno - frame.f_code.co_firstlineno if event == "line" else 0
            self._comes(Moment(self._step(frame), self._codes[frame.f_code][1], line))
        return self._moved

    def _step(self, frame: FrameType | None) -> str:
        while frame is not None:
            step = self._codes.get(frame.f_code, ("", ""))[0]
            if step:
                return step
            frame = frame.f_back
        return "snapshot"

    def _comes(self, moment: Moment) -> None:
        self.seen[moment] += 1
        if moment == self._deadly and self.seen[moment] == self._nth:
            os.kill(os.getpid(), signal.SIGKILL)
