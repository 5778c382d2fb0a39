"""Work in forked children: each starts with all modules loaded, and cannot change its parent, whatever happens."""

import json
import os
import select
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

LONGEST_SECONDS = 120.0
"""How long a child may take: a child that hangs is an error of the program under test."""

Tell = Callable[[Any], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a child ended."""

    killed: bool
    messages: tuple[Any, ...]
    """What it sent before it ended, in order."""
    error: str
    """Its traceback, or that it hung; empty where it ended well or was killed."""
    seconds: float


class Child:
    """Work in a separate process."""

    def __init__(self, work: Callable[[Tell], None]) -> None:
        """`work` gets a function that sends values of JSON types to the parent."""
        self._pipe, writing = os.pipe()
        self._begun = time.monotonic()
        self._number = os.fork()
        if self._number == 0:
            os.close(self._pipe)
            _work(work, writing)
        os.close(writing)

    def ended(self, *, kill_after: float = LONGEST_SECONDS) -> Ended:
        """Waits for the end; kills the child `kill_after` seconds after it began."""
        messages = _read(self._number, self._pipe, self._begun + kill_after)
        _, status = os.waitpid(self._number, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        seconds = time.monotonic() - self._begun
        error = messages[-1]["error"] if messages and isinstance(messages[-1], dict) and "error" in messages[-1] else ""
        messages = messages[:-1] if error else messages
        if killed and seconds >= LONGEST_SECONDS <= kill_after:
            error = f"it did not end within {kill_after:g} seconds"
        if status and not killed and not error:
            error = f"it ended with status {status}"
        return Ended(killed=killed, messages=messages, error=error, seconds=seconds)


def run(work: Callable[[Tell], None], *, kill_after: float = LONGEST_SECONDS) -> Ended:
    """Does the work in a child, and waits for its end."""
    return Child(work).ended(kill_after=kill_after)


def _work(work: Callable[[Tell], None], pipe: int) -> NoReturn:
    def tell(value: Any) -> None:
        os.write(pipe, json.dumps(value).encode() + b"\n")

    status = 1
    try:
        work(tell)
        status = 0
    except BaseException:  # noqa: BLE001 # whatever ends a child is sent to its parent
        tell({"error": traceback.format_exc()})
    finally:
        os._exit(status)  # nothing of the parent is closed or flushed twice


def _read(child: int, pipe: int, deadline: float) -> tuple[Any, ...]:
    """What the child sends until it ends; it is killed at the deadline."""
    data, alive = b"", True
    while True:
        left = max(0.0, deadline - time.monotonic()) if alive else None
        if alive and not select.select([pipe], [], [], left)[0]:
            os.kill(child, signal.SIGKILL)  # ours, and not yet waited for: its number cannot be another's
            alive = False
            continue
        piece = os.read(pipe, 65_536)
        if not piece:
            break
        data += piece
    os.close(pipe)
    whole = data[: data.rfind(b"\n") + 1]
    return tuple(json.loads(line) for line in whole.splitlines())
