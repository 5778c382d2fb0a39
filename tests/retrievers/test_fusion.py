"""Fusion joins rankings: by weight, without inventing or losing candidates."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model import Candidate, Leg
from penstock.retrievers import reciprocal_rank, weighted
from penstock.retrievers.fusion import Found

LEGS: tuple[Leg, Leg] = ("keyword", "vector")


def ranking(*scores: tuple[int, float]) -> list[Candidate]:
    return [Candidate(row=row, score=score) for row, score in scores]


@st.composite
def rankings(draw: st.DrawFn) -> list[Candidate]:
    rows = draw(st.lists(st.integers(1, 50), unique=True, max_size=20))
    scores = sorted(draw(st.lists(st.floats(0.01, 40), min_size=len(rows), max_size=len(rows))), reverse=True)
    return [Candidate(row=row, score=score) for row, score in zip(rows, scores, strict=True)]


found_by_both = st.fixed_dictionaries({"keyword": rankings(), "vector": rankings()})


@given(found=found_by_both, weight=st.floats(0, 1))
def test_shares_are_within_the_weights_and_every_weighted_candidate_has_one(found: Found, weight: float) -> None:
    weights: dict[Leg, float] = {"keyword": 1 - weight, "vector": weight}
    shares = weighted(found, weights)
    expected = {candidate.row for leg in LEGS if weights[leg] > 0 for candidate in found[leg]}
    assert set(shares) == expected
    assert all(-1e-9 <= sum(share.values()) <= 1 + 1e-9 for share in shares.values())


@given(found=found_by_both, factor=st.floats(0.1, 10))
def test_the_scale_of_a_legs_scores_does_not_matter(found: Found, factor: float) -> None:
    weights: dict[Leg, float] = {"keyword": 0.6, "vector": 0.4}
    scaled = {
        leg: [Candidate(row=candidate.row, score=candidate.score * factor) for candidate in found[leg]] for leg in LEGS
    }
    before, after = weighted(found, weights), weighted(scaled, weights)
    assert before.keys() == after.keys()
    for row, share in before.items():
        assert math.isclose(sum(share.values()), sum(after[row].values()), abs_tol=1e-6)


@given(candidates=rankings())
def test_a_leg_alone_keeps_its_order(candidates: list[Candidate]) -> None:
    for shares in (
        weighted({"vector": candidates}, {"vector": 1}),
        reciprocal_rank({"vector": candidates}, {"vector": 1}),
    ):
        fused = [sum(shares[candidate.row].values()) for candidate in candidates]
        assert fused == sorted(fused, reverse=True)


def test_reciprocal_rank_is_the_papers_formula() -> None:
    found: Found = {"keyword": ranking((1, 9.0), (2, 5.0)), "vector": ranking((2, 0.9), (3, 0.5))}
    shares = reciprocal_rank(found, {"keyword": 1, "vector": 1}, k=60)
    assert {row: 2 * sum(share.values()) for row, share in shares.items()} == pytest.approx(
        {1: 1 / 61, 2: 1 / 62 + 1 / 61, 3: 1 / 62}
    )


def test_a_row_that_a_leg_did_not_return_is_no_better_than_the_last_it_did() -> None:
    found: Found = {"keyword": ranking((1, 8.0), (2, 4.0)), "vector": ranking((2, 0.8), (3, 0.4))}
    shares = weighted(found, {"keyword": 0.5, "vector": 0.5})
    assert shares == {
        1: {"keyword": 0.5, "vector": 0.25},
        2: {"keyword": 0.25, "vector": 0.5},
        3: {"vector": 0.25},
    }


def test_vectors_that_point_away_keep_their_order() -> None:
    shares = weighted({"vector": ranking((1, -0.1), (2, -0.3))}, {"vector": 1.0})
    assert shares[1]["vector"] > shares[2]["vector"]


def test_a_leg_without_weight_or_candidates_has_no_say() -> None:
    found: Found = {"keyword": ranking((1, 9.0)), "vector": ranking((2, 0.9))}
    assert weighted(found, {"keyword": 1.0, "vector": 0.0}) == {1: {"keyword": 1.0}}
    assert weighted({"keyword": [], "vector": ranking((2, 0.9))}, {"keyword": 0.6, "vector": 0.4}) == {
        2: {"vector": 1.0}
    }
    assert weighted(found, {"keyword": 0.0, "vector": 0.0}) == {}
