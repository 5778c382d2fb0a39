"""The hybrid retriever: both legs at once, joined by weight, checked against the catalog, with reasons."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from penstock.catalog import Collection, Hydrated
from penstock.model import Filter, Hit, Leg, Retrieved, Scope, Trace
from penstock.ports import Analyser
from penstock.retrievers.fusion import Found, Shares, Weights
from penstock.retrievers.legs import Candidates, Searcher
from penstock.retrievers.weighing import Weighed

Fusion = Callable[[Found, Weights], Shares]
Weighing = Callable[[str, Found, Sequence[str]], Weighed]

LOOKED_AT = 10
"""How many of the vector leg's first candidates are looked at to see whether its model covers their script."""
TRIES = 5
"""How often a question is searched for when indexes are written meanwhile."""
WRITTEN_MEANWHILE = "the indexes were written while they were searched: what changed just now may be missing"


class HybridRetriever:
    """Finds chunks with one or several legs and joins what they found.

    With a single leg it is that leg's ranking, hydrated and traced like any other.
    """

    def __init__(
        self,
        collection: Collection,
        searcher: Searcher,
        *,
        analyser: Analyser,
        fuse: Fusion,
        weigh: Weighing,
        candidates: int = 100,
    ) -> None:
        self._collection = collection
        self._searcher = searcher
        self._analyser = analyser
        self._fuse = fuse
        self._weigh = weigh
        self._candidates = candidates

    def retrieve(self, question: str, *, k: int, where: Filter) -> Retrieved:
        """At most `k` hits by (-score, chunk id), all live at one revision and inside the filter.

        Raises:
            IndexingError: an index cannot be read.
            EngineError: the embedding model cannot be used.
        """
        scope, found, live, notes = self._live(question, max(self._candidates, 2 * k), where)
        looked_at = [live[candidate.row].chunk.text for candidate in found.get("vector", ())[:LOOKED_AT]]
        weighed = self._weigh(question, found, looked_at)
        shares = self._fuse(found, weighed.weights)
        best = sorted(shares, key=lambda row: (-sum(shares[row].values()), live[row].chunk.id))[:k]
        tokens = frozenset(self._analyser.query_tokens(question))
        asked = _Asked(tokens=tokens, ranks=_ranks(found), weights=weighed.weights)
        hits = tuple(self._hit(live[row], shares[row], asked) for row in best)
        return Retrieved(question=question, revision=scope.revision, hits=hits, notes=(*weighed.notes, *notes))

    def _live(
        self, question: str, k: int, where: Filter
    ) -> tuple[Scope, Candidates, Mapping[int, Hydrated], tuple[str, ...]]:
        """Candidates that are live at one revision, `k` of each leg as far as it has them, and what to note.

        An index may hold for a while what is gone already. Where that takes up the places, more is asked for.
        """
        asked = k
        while True:
            scope, found, notes = self._found(question, asked, where)
            rows = {candidate.row for candidates in found.values() for candidate in candidates}
            live = self._collection.hydrate(sorted(rows), scope=scope)
            kept = {
                leg: [candidate for candidate in candidates if candidate.row in live]
                for leg, candidates in found.items()
            }
            if all(len(kept[leg]) >= k or len(found[leg]) < asked for leg in found):
                return scope, {leg: candidates[:k] for leg, candidates in kept.items()}, live, notes
            asked *= 4

    def _found(self, question: str, k: int, where: Filter) -> tuple[Scope, Candidates, tuple[str, ...]]:
        """Candidates at one revision, if need be after some tries, while indexes are written meanwhile."""
        for _ in range(TRIES):
            scope = self._collection.scope(where, at=self._searcher.revision)
            found, revision = self._searcher.search(question, k=k, scope=scope)
            if revision == scope.revision:  # else an index went on between the question for it and the search
                return scope, found, ()
        return scope, found, (WRITTEN_MEANWHILE,)

    def _hit(self, passage: Hydrated, shares: Mapping[Leg, float], asked: "_Asked") -> Hit:
        ranks = asked.ranks.get(passage.row, {})
        matched = asked.tokens.intersection(self._analyser.tokens(passage.chunk.context))
        trace = Trace(
            ranks={leg: rank for leg, (rank, _) in ranks.items()},
            scores={leg: score for leg, (_, score) in ranks.items()},
            shares=dict(shares),
            weights=dict(asked.weights),
            matched=tuple(sorted(matched)),
        )
        score = sum(shares.values())
        return Hit(chunk=passage.chunk, sources=passage.sources, title=passage.title, score=score, trace=trace)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    tokens: frozenset[str]
    ranks: Mapping[int, Mapping[Leg, tuple[int, float]]]
    """Of each row, its rank and score in the legs that found it."""
    weights: Weights


def _ranks(found: Found) -> dict[int, dict[Leg, tuple[int, float]]]:
    ranks: dict[int, dict[Leg, tuple[int, float]]] = {}
    for leg, candidates in found.items():
        for rank, candidate in enumerate(candidates, start=1):
            ranks.setdefault(candidate.row, {})[leg] = rank, candidate.score
    return ranks
