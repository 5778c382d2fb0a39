"""An Elasticsearch store as an index of words, and as an index of vectors."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from penstock.model import Candidate, Change, Entry, Flaw, Scope
from penstock.ports import Float32Array

if TYPE_CHECKING:  # the store makes its views
    from penstock.indexers.elasticsearch.store import ElasticsearchStore


class _IndexView:
    """One of the two ways to look at a store."""

    def __init__(self, store: "ElasticsearchStore") -> None:
        self._store = store

    @property
    def revision(self) -> int:
        """The last revision that was applied."""
        return self._store.revision

    @property
    def wants_vectors(self) -> bool:
        """Whether the store holds vectors, whichever of its views gets the change."""
        return bool(self._store.dimension)

    def apply(self, change: Change) -> None:
        """Brings the store to the change's revision.

        Raises:
            IndexingError: the index cannot be written.
        """
        self._store.apply(change)

    def rows(self) -> NDArray[np.int64]:
        """The rows that the index holds: int64, shape (rows,), sorted."""
        return self._store.rows()

    def verify(self, live: Iterable[Entry]) -> list[Flaw]:
        """Where the store's documents differ from the entries.

        Raises:
            IndexingError: the index cannot be read.
        """
        return self._store.verify(live)

    def close(self) -> None:
        """Closes the connections."""
        self._store.close()


class ElasticsearchKeywordIndex(_IndexView):
    """The index searched by words."""

    def search(self, query: Sequence[str], *, k: int, scope: Scope) -> list[Candidate]:
        """At most `k` rows that hold a token of the query; a token that it has twice counts twice.

        Raises:
            IndexingError: the index cannot be searched.
        """
        return self._store.search(query, None, k=k, scope=scope)[0]


class ElasticsearchVectorIndex(_IndexView):
    """The index searched by vectors."""

    def search(self, query: Float32Array, *, k: int, scope: Scope) -> list[Candidate]:
        """The `k` rows with the largest inner products with the query, float32 of shape (d,).

        Raises:
            IndexingError: the index cannot be searched, or the query is not a finite vector of its dimension.
        """
        return self._store.search(None, query, k=k, scope=scope)[1]
