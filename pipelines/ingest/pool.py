"""Threads that work ahead of a run, and that no run and no process waits for when one of them hangs."""

import atexit
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, ParamSpec, TypeVar
from weakref import WeakSet

P = ParamSpec("P")
T = TypeVar("T")
LAST_SECONDS = 2.0
"""How long the process waits at its end for threads that still work on something: most are done at once."""
_threads: WeakSet[threading.Thread] = WeakSet()


class AbandonablePool:
    """Does calls in threads, as `ThreadPoolExecutor` does, whose threads Python joins at the end of the process.

    A read of a dead network share never returns: whoever waits for its thread never ends, also not when told to.
    """

    def __init__(self, workers: int, *, name: str) -> None:
        self._waiting: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._futures: WeakSet[Future[Any]] = WeakSet()
        self._workers = workers
        self._name = name
        self._started = 0

    def submit(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """What will be the result of the call."""
        future: Future[T] = Future()

        def work() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call(*args, **kwargs))
                except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
                    future.set_exception(error)

        self._futures.add(future)
        self._waiting.put(work)
        if self._started < self._workers:
            self._start()
        return future

    def shutdown(self) -> None:
        """Begins no more calls; those that have begun are left to themselves."""
        for future in list(self._futures):
            future.cancel()
        for _ in range(self._started):
            self._waiting.put(None)

    def _start(self) -> None:
        thread = threading.Thread(
            target=_serve, args=(self._waiting,), daemon=True, name=f"{self._name}-{self._started}"
        )
        self._started += 1
        _threads.add(thread)
        thread.start()


def _serve(waiting: "queue.SimpleQueue[Callable[[], None] | None]") -> None:
    while work := waiting.get():
        work()


@atexit.register
def _wait_for_the_last() -> None:
    """Lets threads end that can: one that is cut off in the middle of a library may bring the process down."""
    until = time.monotonic() + LAST_SECONDS
    for thread in list(_threads):
        thread.join(max(0.0, until - time.monotonic()))
