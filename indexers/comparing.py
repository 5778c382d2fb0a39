"""What an index holds beside what the catalog says that it must hold, entry by entry."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from penstock.model import Entry, Flaw

ValueT = TypeVar("ValueT")


def compared(
    held: Mapping[int, ValueT], live: Iterable[Entry], expected: Callable[[Entry], ValueT], subject: str
) -> list[Flaw]:
    """A flaw that names the rows for which the index holds another value than the one expected; else nothing.

    Rows that only one side has are not compared: `rows()` finds them.
    """
    rows = tuple(entry.row for entry in live if entry.row in held and held[entry.row] != expected(entry))
    return [Flaw(message=f"{subject} differ from the catalog's", rows=rows)] if rows else []
