"""A reranker without a model."""

import re
from collections.abc import Sequence
from dataclasses import replace

from penstock.model import Hit
from penstock.ports import Reranker

_WORD = re.compile(r"\w+")


class OverlapReranker:
    """Scores a hit by the share of the question's words that its text holds."""

    def rerank(self, question: str, hits: Sequence[Hit], *, k: int) -> list[Hit]:
        """The best `k` by (-score, chunk id)."""
        asked = frozenset(_WORD.findall(question.casefold()))
        ranked = [replace(hit, score=self._score(asked, hit)) for hit in hits]
        return sorted(ranked, key=lambda hit: (-hit.score, hit.chunk.id))[:k]

    def _score(self, asked: frozenset[str], hit: Hit) -> float:
        held = asked.intersection(_WORD.findall(hit.chunk.text.casefold()))
        return len(held) / len(asked) if asked else 0.0


_: type[Reranker] = OverlapReranker
