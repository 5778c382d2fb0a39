"""Waiting for calls into the system that may never return: a dead network share, a resolver without a time limit."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class Stalled(Exception):
    """A call did not return in time; its thread was abandoned."""


def within(seconds: float, call: Callable[[], T], *, name: str, steps: Callable[[], int] = lambda: 0) -> T:
    """What the call gives or raises. It is made in a thread of its own, which is abandoned when it stands still.

    An abandoned thread ends when its call returns, and never keeps the process from ending.

    Args:
        seconds: how long the call may take from one of its steps to the next.
        call: what may never return.
        name: of the thread, for those who look for what hangs.
        steps: how many steps the call has made so far; a call of one step needs none.

    Raises:
        Stalled: the call made no step for so long.
    """
    outcome: Future[T] = Future()
    done = threading.Event()

    def work() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:  # noqa: BLE001 - it is raised where the call was asked for
            outcome.set_exception(error)
        done.set()

    threading.Thread(target=work, daemon=True, name=name).start()
    before = steps()
    while not done.wait(seconds):
        now = steps()
        if now == before:
            raise Stalled(f"no answer in {seconds:g} seconds")
        before = now
    return outcome.result()
