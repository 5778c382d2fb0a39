"""Waiting for calls into the system that may never return: a dead network share, a resolver without a time limit."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")
_own = threading.local()
"""Of each thread that waits, the thread that calls for it."""


class Stalled(Exception):
    """A call did not return in time; its thread was abandoned."""


class _Caller:
    """A thread that makes one call after the other, until its user is gone."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=_serve, args=(self._calls,), daemon=True, name="calling")
        self._thread.start()

    def __del__(self) -> None:
        self._calls.put(None)

    def begin(self, call: Callable[[], None], name: str) -> None:
        self._thread.name = name
        self._calls.put(call)


def _serve(calls: "queue.SimpleQueue[Callable[[], None] | None]") -> None:
    while call := calls.get():
        call()
        del call  # what it holds is of no more use


def within(seconds: float, call: Callable[[], T], *, name: str, steps: Callable[[], int] = lambda: 0) -> T:
    """What the call returns or raises. It is made in another thread, which is abandoned when it hangs.

    An abandoned thread ends when its call returns, and never keeps the process from ending.

    Args:
        seconds: how long the call may take from one of its steps to the next.
        call: what may never return.
        name: of the thread, for those who look for what hangs.
        steps: how many steps the call has made so far; a call of one step needs none.

    Raises:
        Stalled: the call made no step for that long.
    """
    outcome: Future[T] = Future()
    done = threading.Event()

    def work() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:  # noqa: BLE001 - it is raised where the call was asked for
            outcome.set_exception(error)
        done.set()

    caller: _Caller = _own.__dict__.pop("caller", None) or _Caller()  # one that is in the middle of a call is not kept
    caller.begin(work, name)
    before = steps()
    while not done.wait(seconds):
        now = steps()
        if now == before:
            raise Stalled(f"no answer in {seconds:g} seconds")
        before = now
    _own.caller = caller
    return outcome.result()
