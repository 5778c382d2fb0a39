"""One order for candidates, and the rows that a scope allows."""

import numpy as np
from numpy.typing import NDArray

from penstock.model import Candidate


def best(rows: NDArray[np.int64], scores: NDArray[np.floating], k: int) -> list[Candidate]:
    """The best `k` by (-score, row); `rows` and `scores` have shape (n,)."""
    order = np.lexsort((rows, -scores))[:k]
    return [Candidate(row=int(rows[position]), score=float(scores[position])) for position in order]


def contained(rows: NDArray[np.int64], allowed: NDArray[np.int64]) -> NDArray[np.bool_]:
    """For each of the rows, shape (n,), whether it is allowed: shape (n,). `allowed` has shape (m,) and is sorted.

    >>> contained(np.array([3, 1, 7]), np.array([1, 2, 3])).tolist()
    [True, True, False]
    """
    if not len(allowed):
        return np.zeros(len(rows), bool)
    places = np.minimum(np.searchsorted(allowed, rows), len(allowed) - 1)
    inside: NDArray[np.bool_] = allowed[places] == rows
    return inside
