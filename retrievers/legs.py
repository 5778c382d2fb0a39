"""The two ways to find candidates, by the question's words and by its vector: each in its index, or both in one."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from penstock.model import Candidate, Leg, Scope
from penstock.ports import Analyser, Embedder, Float32Array, QueryT, ServerIndex


class Searchable(Protocol[QueryT]):
    """What a leg needs of an index."""

    @property
    def revision(self) -> int:
        """The revision of the index."""
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
        """The revision of its index."""
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
        """The revision of the keyword index."""
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
        """The revision of the vector index."""
        return self._index.revision

    def search(self, question: str, *, k: int, scope: Scope) -> list[Candidate]:
        """The nearest chunks, however far."""
        (vector,) = self._embedder.embed([question], role="query")
        return self._index.search(vector, k=k, scope=scope)


Candidates = dict[Leg, list[Candidate]]


class Searcher(Protocol):
    """Everything that a question is searched with."""

    @property
    def revision(self) -> int:
        """The newest revision that any of the indexes has reached."""
        ...

    def search(self, question: str, *, k: int, scope: Scope) -> tuple[Candidates, int]:
        """At most `k` candidates of each leg, best first; and the revision as it is after the search."""
        ...


class SeparateLegs:
    """Legs with an index each, searched at the same time."""

    def __init__(self, *legs: SearchLeg) -> None:
        self._legs = legs

    @property
    def revision(self) -> int:
        """The newest revision that any of the indexes has reached.

        Another process may be updating the indexes one after the other. Seen at the newer revision, the index that is
        behind lacks the latest changes; seen at the older one, the updated index would lack what it has just removed.
        """
        return max(leg.revision for leg in self._legs)

    def search(self, question: str, *, k: int, scope: Scope) -> tuple[Candidates, int]:
        """At most `k` candidates of each leg, best first; and the revision as it is after the search."""
        *others, last = self._legs
        with ThreadPoolExecutor(max_workers=max(len(others), 1)) as threads:
            futures = {leg.name: threads.submit(leg.search, question, k=k, scope=scope) for leg in others}
            here = last.search(question, k=k, scope=scope)  # this thread would only wait
            found = {name: future.result() for name, future in futures.items()}
        return {**found, last.name: here}, self.revision


class JointLegs:
    """Both legs with one index, which is asked once."""

    def __init__(self, index: ServerIndex, analyser: Analyser, embedder: Embedder) -> None:
        self._index = index
        self._analyser = analyser
        self._embedder = embedder

    @property
    def revision(self) -> int:
        """The revision that the last search saw: each search reports its own."""
        return self._index.last_seen_revision

    def search(self, question: str, *, k: int, scope: Scope) -> tuple[Candidates, int]:
        """At most `k` candidates of each leg, best first; and the revision as it is after the search."""
        (vector,) = self._embedder.embed([question], role="query")
        tokens = self._analyser.query_tokens(question)
        words, near, revision = self._index.search(tokens, vector, k=k, scope=scope)
        return {"keyword": words, "vector": near}, revision
