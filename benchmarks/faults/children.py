"""Work in forked children: each begins with all modules loaded, and leaves its parent as it was, whatever happens."""

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
"""How long a child may take: one that hangs is an error of the program under test."""

Tell = Callable[[Any], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a child ended."""

    killed: bool
    told: tuple[Any, ...]
    """What it told before it ended, in order."""
    error: str
    """Its traceback, or that it hung; empty where it ended well or was killed."""
    seconds: float


def run(work: Callable[[Tell], None], *, kill_after: float = LONGEST_SECONDS) -> Ended:
    """Does the work in a child, which tells values that JSON knows; after so many seconds it is killed."""
    reading, writing = os.pipe()
    begun = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(work, writing)
    os.close(writing)
    told = _read(child, reading, begun + kill_after)
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    seconds = time.monotonic() - begun
    error = next((one["error"] for one in told if isinstance(one, dict) and "error" in one), "")
    if killed and seconds >= LONGEST_SECONDS:
        error = f"it did not end within {LONGEST_SECONDS:g} seconds"
    if status and not killed and not error:
        error = f"it ended with status {status}"
    return Ended(killed=killed, told=told, error=error, seconds=seconds)


def _work(work: Callable[[Tell], None], pipe: int) -> NoReturn:
    def tell(value: Any) -> None:
        os.write(pipe, json.dumps(value).encode() + b"\n")

    status = 1
    try:
        work(tell)
        status = 0
    except BaseException:  # noqa: BLE001 # whatever ends a child is told to its parent
        tell({"error": traceback.format_exc()})
    finally:
        os._exit(status)  # nothing of the parent is closed or flushed twice


def _read(child: int, pipe: int, deadline: float) -> tuple[Any, ...]:
    """What the child tells until it ends; it is killed when its time is over."""
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
