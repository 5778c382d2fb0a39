"""The contract of `Reranker` as a suite to subclass."""

import math
from dataclasses import replace

from penstock.model import Chunk, Hit, Source, Span, Trace
from penstock.ports import Reranker
from penstock.testing.contracts.texts import AWKWARD, CHINESE, ENGLISH, at_once

QUESTION = "How many days of leave carry over into the next year?"
TEXTS = (
    "The turbine is started by opening its gate slowly.",
    CHINESE,
    ENGLISH,
    "Valves are inspected each spring.",
    "The turbine is started by opening its gate slowly.",
)


def hits_of(*texts: str) -> list[Hit]:
    """A hit for each text, in the order in which a retriever found them."""
    source = Source(uri="file:///a.txt", media_type="text/plain", sha256="0" * 64, size=1, labels={})
    trace = Trace(ranks={"keyword": 1}, scores={"keyword": 1.0}, shares={}, weights={"keyword": 1.0})
    return [
        Hit(
            chunk=Chunk(id=f"c{number}", document_id=f"d{number}", span=Span(0, len(text)), text=text, language="en"),
            sources=(source,),
            title="Manual",
            score=1.0 / (1 + number),
            trace=trace,
        )
        for number, text in enumerate(texts)
    ]


def _without_score(hit: Hit, like: Hit) -> Hit:
    return replace(hit, score=like.score, trace=like.trace)


class RerankerContract:
    """What every reranker must do: subclass it in a test and give the fixture `reranker`."""

    def test_gives_the_best_k(self, reranker: Reranker) -> None:
        """Fewer are the first of more; more than there are gives all, none gives none."""
        hits = hits_of(*TEXTS)
        everything = reranker.rerank(QUESTION, hits, k=100)
        assert len(everything) == len(hits)
        for k in range(len(hits)):
            assert reranker.rerank(QUESTION, hits, k=k) == everything[:k]
        assert reranker.rerank(QUESTION, [], k=3) == []

    def test_changes_nothing_but_the_order(self, reranker: Reranker) -> None:
        """Each hit once, with its chunk, its sources and its title, and the legs that found it; the given stay."""
        hits = hits_of(*TEXTS)
        before = {hit.chunk.id: hit for hit in hits}
        ranked = reranker.rerank(QUESTION, hits, k=100)
        assert sorted(hit.chunk.id for hit in ranked) == sorted(before)
        assert [_without_score(hit, before[hit.chunk.id]) for hit in ranked] == [before[hit.chunk.id] for hit in ranked]
        assert all(hit.trace.ranks == before[hit.chunk.id].trace.ranks for hit in ranked)
        assert hits == hits_of(*TEXTS)

    def test_the_order_is_that_of_the_new_scores(self, reranker: Reranker) -> None:
        """Best first, and by the chunk's id where scores are equal."""
        ranked = reranker.rerank(QUESTION, hits_of(*TEXTS), k=100)
        assert all(math.isfinite(hit.score) for hit in ranked)
        assert ranked == sorted(ranked, key=lambda hit: (-hit.score, hit.chunk.id))

    def test_looks_at_the_texts_and_not_at_their_order(self, reranker: Reranker) -> None:
        """What answers the question comes first, wherever it was; equal hits have one order, however they came."""
        hits = hits_of(*TEXTS)
        ranked = reranker.rerank(QUESTION, hits, k=100)
        assert ranked[0].chunk.text == ENGLISH
        assert reranker.rerank(QUESTION, hits[::-1], k=100) == ranked

    def test_any_text_and_any_question_can_be_ranked(self, reranker: Reranker) -> None:
        """Empty, broken and very long ones too."""
        hits = hits_of(*AWKWARD, ENGLISH)
        for question in (QUESTION, *AWKWARD):
            ranked = reranker.rerank(question, hits, k=100)
            assert len(ranked) == len(hits)
            assert all(math.isfinite(hit.score) for hit in ranked)

    def test_the_same_hits_are_ranked_the_same(self, reranker: Reranker) -> None:
        """Each time, and from however many threads."""
        expected = reranker.rerank(QUESTION, hits_of(*TEXTS), k=3)
        assert all(found == expected for found in at_once(lambda: reranker.rerank(QUESTION, hits_of(*TEXTS), k=3)))
