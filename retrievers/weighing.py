"""How much weight each leg gets for a question: as much as it can represent of the question and of what it found."""

from collections.abc import Sequence
from dataclasses import dataclass

from penstock.model import Leg
from penstock.ports import Embedder
from penstock.retrievers.fusion import Found, Weights

BLIND, SEEING = 0.3, 0.8
"""Coverage up to which a vector model is taken as blind, and from which as seeing; in between it counts in part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """The weight of each leg, and what a reader should know about it."""

    weights: Weights
    notes: tuple[str, ...] = ()


def weigh(question: str, found: Found, texts: Sequence[str], *, embedder: Embedder, vector_weight: float) -> Weighed:
    """Weights for the legs in `found`; `texts` are the first candidates of the vector leg.

    A vector model whose vocabulary does not distinguish the question's or the candidates' script puts all such texts in
    nearly the same place: its ranking is noise, and rank fusion would give that noise half the say. A leg that searches
    alone, because the settings say so, has all the weight and the note.
    """
    weights: dict[Leg, float] = {}
    notes: list[str] = []
    if "keyword" in found:
        weights["keyword"] = 1 - vector_weight if found["keyword"] else 0.0
        if not found["keyword"]:
            notes.append("keyword leg left out: no word of the question occurs in the searched chunks")
    if "vector" in found:
        seen, subject = _coverage(question, texts, embedder)
        weights["vector"] = vector_weight * _ramp(seen) if "keyword" in found else 1.0
        if seen < SEEING:
            outcome = "left out" if weights["vector"] == 0 else "given less weight" if "keyword" in found else "unsure"
            notes.append(f"vector leg {outcome}: the embedding model covers only {seen:.0%} of {subject}")
    return Weighed(weights=weights, notes=tuple(notes))


def _coverage(question: str, texts: Sequence[str], embedder: Embedder) -> tuple[float, str]:
    asked = embedder.coverage(question)
    held = sum(map(embedder.coverage, texts)) / len(texts) if texts else 1.0
    return (asked, "the question") if asked <= held else (held, "the texts it found")


def _ramp(coverage: float) -> float:
    return min(1.0, max(0.0, (coverage - BLIND) / (SEEING - BLIND)))
