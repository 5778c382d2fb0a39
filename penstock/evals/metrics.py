"""Ranking metrics over graded judgements, one question at a time."""

from collections.abc import Mapping, Sequence
from math import log2


def ndcg(ranking: Sequence[str], gains: Mapping[str, float], *, k: int = 10) -> float:
    """Discounted cumulative gain of the first `k`, over that of the best possible ranking; 0 where nothing is relevant.

    Source: Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques" (ACM TOIS 20, 2002), with the
    linear gain and the logarithmic discount of trec_eval.

    >>> ndcg(["a", "b"], {"b": 1})
    0.6309297535714575
    """
    ideal = _dcg(sorted(gains.values(), reverse=True)[:k])
    return _dcg([gains.get(item, 0.0) for item in ranking[:k]]) / ideal if ideal else 0.0


def recall(ranking: Sequence[str], gains: Mapping[str, float], *, k: int = 10) -> float:
    """Share of the relevant items that are among the first `k`.

    >>> recall(["a", "b"], {"b": 1, "c": 1})
    0.5
    """
    relevant = {item for item, gain in gains.items() if gain > 0}
    return len(relevant & set(ranking[:k])) / len(relevant) if relevant else 0.0


def reciprocal_rank(ranking: Sequence[str], gains: Mapping[str, float], *, k: int = 10) -> float:
    """1 / rank of the first relevant item among the first `k`, else 0.

    >>> reciprocal_rank(["a", "b"], {"b": 1})
    0.5
    """
    return next((1 / rank for rank, item in enumerate(ranking[:k], start=1) if gains.get(item, 0) > 0), 0.0)


def _dcg(gains: Sequence[float]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, start=1))
