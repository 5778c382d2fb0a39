"""Applying a change: whether it can follow an index's revision, and reading it in pieces that fit into memory."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

from penstock.errors import IndexingError
from penstock.model import Change


def is_step(change: Change, revision: int) -> bool:
    """Whether there is anything to do: an index at the change's end or beyond holds it already.

    Raises:
        IndexingError: changes between the index and this one are missing.
    """
    if change.since > revision:
        raise IndexingError(
            f"the index is at revision {revision}, and the change starts at {change.since}: replay what is between"
        )
    return change.revision > revision


ItemT = TypeVar("ItemT")


def in_batches(items: Iterable[ItemT], size: int) -> Iterator[list[ItemT]]:
    """Lists of `size` items, the last one perhaps shorter; each is read when it is asked for.

    >>> list(in_batches("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    stream = iter(items)
    while batch := list(islice(stream, size)):
        yield batch
