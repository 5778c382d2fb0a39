"""What the catalog hands to an index (`Change`), and what an index answers (`Candidate` within a `Scope`)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.model.documents import Chunk, Source
from penstock.model.hits import Filter

if TYPE_CHECKING:  # numpy is a type here and never imported by this floor
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One chunk as an index receives it. `row` is its number in the catalog: unique, never reused."""

    row: int
    chunk: Chunk
    title: str
    sources: tuple[Source, ...]
    vector: "NDArray[np.float32] | None" = None
    """Shape (d,), present when the index asked for vectors."""
    added: int = 0
    """The revision with which the row came, for indexes that hold what they do not show yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an index at revision `since` must do to reach `revision`.

    Rows in `removed` go; each of `added` replaces whatever the index holds under its row. Applying a change twice is
    the same as applying it once.
    """

    since: int
    revision: int
    removed: tuple[int, ...]
    added: Iterable[Entry]
    """Streamed in row order; read once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a search may see: a revision, and a filter that an index applies before it cuts its top k.

    An index that stores the filtered fields reads `where`; one that does not calls `rows`, which resolves the filter in
    the catalog to the sorted row numbers that may be returned (int64), or None where nothing is restricted.
    """

    revision: int
    where: Filter
    rows: "Callable[[], NDArray[np.int64] | None]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Something in an index that is not what was written into it."""

    message: str
    rows: tuple[int, ...] = ()
    """The rows that it concerns; empty where they are not known, as of a damaged file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A row that an index found, with the index's own score: higher is better."""

    row: int
    score: float
