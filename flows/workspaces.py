"""The workspace of a flow run: opened once in a process, and used by all tasks that run in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from penstock.pipelines.stepwise import Stepwise

_KEPT: ContextVar[tuple[str | None, str | None, Stepwise] | None] = ContextVar("_KEPT", default=None)


@contextmanager
def kept_open(home: str | None, collection: str | None) -> Iterator[Stepwise]:
    """A workspace that `opened` gives out until the context ends, so that tasks do not open it again each."""
    with Stepwise(home, collection) as penstock:
        token = _KEPT.set((home, collection, penstock))
        try:
            yield penstock
        finally:
            _KEPT.reset(token)


@contextmanager
def opened(home: str | None, collection: str | None) -> Iterator[Stepwise]:
    """The workspace that the flow run keeps open in this process; one of the task's own where it runs in another."""
    kept = _KEPT.get()
    if kept and kept[:2] == (home, collection):
        yield kept[2]
        return
    with Stepwise(home, collection) as penstock:
        yield penstock
