"""The two ways to find candidates: by the question's words, and by its vector."""

from collections.abc import Sequence
from typing import Protocol

from penstock.model import Candidate, Leg, Scope
from penstock.ports import Analyser, Embedder, Float32Array, QueryT


class Searchable(Protocol[QueryT]):
    """What a leg needs of an index."""

    @property
    def revision(self) -> int:
        """The revision at which the index stands."""
        ...

    def search(self, query: QueryT, *, k: int, scope: Scope) -> list[Candidate]:
        """At most `k` rows, best first."""
        ...


class SearchLeg(Protocol):
    """One way to find candidates for a question."""

    @property
    def name(self) -> Leg:
        """How traces call it."""
        ...

    @property
    def revision(self) -> int:
        """The revision at which its index stands."""
        ...

    def search(self, question: str, *, k: int, scope: Scope) -> list[Candidate]:
        """At most `k` candidates, best first."""
        ...


class KeywordLeg:
    """Finds chunks that share words with the question, ranked by BM25."""

    name: Leg = "keyword"

    def __init__(self, index: Searchable[Sequence[str]], analyser: Analyser) -> None:
        self._index = index
        self._analyser = analyser

    @property
    def revision(self) -> int:
        """The revision at which the keyword index stands."""
        return self._index.revision

    def search(self, question: str, *, k: int, scope: Scope) -> list[Candidate]:
        """Chunks that hold at least one token of the question."""
        tokens = self._analyser.query_tokens(question)
        return self._index.search(tokens, k=k, scope=scope) if tokens else []


class VectorLeg:
    """Finds chunks whose vector lies close to that of the question, ranked by cosine."""

    name: Leg = "vector"

    def __init__(self, index: Searchable[Float32Array], embedder: Embedder) -> None:
        self._index = index
        self._embedder = embedder

    @property
    def revision(self) -> int:
        """The revision at which the vector index stands."""
        return self._index.revision

    def search(self, question: str, *, k: int, scope: Scope) -> list[Candidate]:
        """The nearest chunks, however far."""
        (vector,) = self._embedder.embed([question], role="query")
        return self._index.search(vector, k=k, scope=scope)
