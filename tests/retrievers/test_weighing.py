"""A leg has as much weight as it can see, and the notes say why it has less."""

import pytest

from penstock.model import Candidate
from penstock.retrievers import weigh
from penstock.retrievers.fusion import Found
from penstock.testing.doubles.embedders import HashEmbedder


class Sighted(HashEmbedder):
    """An embedder that covers Latin text and nothing else."""

    def coverage(self, text: str) -> float:
        return sum(character.isascii() for character in text) / len(text)


BOTH: Found = {"keyword": [Candidate(row=1, score=3.0)], "vector": [Candidate(row=2, score=0.8)]}
NO_WORDS: Found = {"keyword": [], "vector": [Candidate(row=2, score=0.8)]}


@pytest.mark.parametrize(
    ("question", "texts", "found", "weights", "note"),
    [
        pytest.param("leave", ["annual leave"], BOTH, {"keyword": 0.6, "vector": 0.4}, "", id="both see"),
        pytest.param("年假", ["annual leave"], BOTH, {"keyword": 0.6, "vector": 0.0}, "0% of the question", id="blind"),
        pytest.param("leave", ["年假十五天"], BOTH, {"keyword": 0.6, "vector": 0.0}, "the texts it found", id="corpus"),
        pytest.param("leave", ["annual"], NO_WORDS, {"keyword": 0.0, "vector": 0.4}, "no word", id="no words"),
    ],
)
def test_a_leg_weighs_what_it_can_see(
    question: str, texts: list[str], found: Found, weights: dict[str, float], note: str
) -> None:
    weighed = weigh(question, found, texts, embedder=Sighted(), vector_weight=0.4)
    assert dict(weighed.weights) == pytest.approx(weights)
    assert (note in " ".join(weighed.notes)) if note else weighed.notes == ()


def test_partly_covered_text_gives_part_of_the_weight() -> None:
    weighed = weigh("error 错误错", BOTH, ["error"], embedder=Sighted(), vector_weight=0.4)
    assert 0 < weighed.weights["vector"] < 0.4
    assert "less weight" in weighed.notes[0]


def test_a_leg_that_was_asked_for_alone_is_heard_with_a_note() -> None:
    weighed = weigh("年假", {"vector": BOTH["vector"]}, ["年假"], embedder=Sighted(), vector_weight=0.4)
    assert dict(weighed.weights) == {"vector": 1.0}
    assert "unsure" in weighed.notes[0]
