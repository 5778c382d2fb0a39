"""Joining the candidates of several legs into one ranking: a weighted sum of scaled scores, or reciprocal ranks.

Both take every leg's candidates best first and the leg's weight, and give each row's share by leg; the sum of a row's
shares is its score. Fusion happens here for every backend, so that all backends rank alike.
"""

from collections.abc import Mapping, Sequence

from penstock.model import Candidate, Leg

Found = Mapping[Leg, Sequence[Candidate]]
Weights = Mapping[Leg, float]
Shares = dict[int, dict[Leg, float]]


def weighted(found: Found, weights: Weights) -> Shares:
    """Shares by row: each leg's scores divided by its best one, times the leg's weight over the sum of the weights.

    A row that the keyword leg did not find shares no word with the question and has no share of it. Every row has some
    similarity: one that the vector leg did not return is taken to be as similar as the last that it did return.

    Source: the convex combination of Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval"
    (ACM TOIS 42, 2023), section 3, with 0 as the lower bound of both legs.

    >>> keyword = [Candidate(row=1, score=8.0), Candidate(row=2, score=4.0)]
    >>> weighted({"keyword": keyword}, {"keyword": 1.0})
    {1: {'keyword': 1.0}, 2: {'keyword': 0.5}}
    """
    used = _normalised(found, weights)
    shares: Shares = {candidate.row: {} for leg in used for candidate in found[leg]}
    for leg, weight in used.items():
        best, last = found[leg][0].score, found[leg][-1].score
        for candidate in found[leg]:
            shares[candidate.row][leg] = weight * _scaled(candidate.score, best)
        if leg == "vector":
            for share in shares.values():
                share.setdefault(leg, weight * _scaled(last, best))
    return shares


def reciprocal_rank(found: Found, weights: Weights, *, k: int = 60) -> Shares:
    """Shares by row: weight over the sum of the weights, divided by `k` plus the rank, which counts from 1.

    Source: Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet" (SIGIR 2009), equation 1.

    >>> reciprocal_rank({"keyword": [Candidate(row=7, score=3.0)]}, {"keyword": 1.0}, k=1)
    {7: {'keyword': 0.5}}
    """
    shares: Shares = {}
    for leg, weight in _normalised(found, weights).items():
        for rank, candidate in enumerate(found[leg], start=1):
            shares.setdefault(candidate.row, {})[leg] = weight / (k + rank)
    return shares


def _normalised(found: Found, weights: Weights) -> dict[Leg, float]:
    used = {leg: weights[leg] for leg, candidates in found.items() if candidates and weights[leg] > 0}
    total = sum(used.values())
    return {leg: weight / total for leg, weight in used.items()}


def _scaled(score: float, best: float) -> float:
    return score / best if best > 0 else 1 + score - best
