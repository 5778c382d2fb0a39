"""Threads that read ahead for a run; neither the run nor the process waits for a thread that hangs."""

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
    """Runs calls in threads like `ThreadPoolExecutor`, but without joining the threads when the process ends.

    A read of a dead network share never returns: a process that joins its thread never ends, not even when interrupted.
    """

    def __init__(self, workers: int, *, name: str) -> None:
        self._waiting: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._futures: WeakSet[Future[Any]] = WeakSet()
        self._workers = workers
        self._name = name
        self._started = 0

    def submit(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Queues the call; gives the future of its result."""
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
        """Starts no more calls; does not wait for those that are running."""
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
    """Waits briefly for running threads: a thread killed inside a library may crash the process."""
    until = time.monotonic() + LAST_SECONDS
    for thread in list(_threads):
        thread.join(max(0.0, until - time.monotonic()))
