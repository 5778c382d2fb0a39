"""The contract of `Retriever` as a suite to subclass."""

import math

from penstock.model import Filter, Hit, Retrieved
from penstock.ports import Retriever
from penstock.testing.contracts.texts import AWKWARD, at_once

MANY = 50


class RetrieverContract:
    """What every retriever must do: subclass it and give the fixtures `retriever` and `question`.

    The question finds three chunks or more.
    """

    def added(self, hit: Hit) -> bool:
        """Whether a hit was not found but added around one that was; no hit, unless a subclass says otherwise."""
        del hit
        return False

    def found(self, retrieved: Retrieved) -> list[Hit]:
        """The hits that were found."""
        return [hit for hit in retrieved.hits if not self.added(hit)]

    def test_finds_at_most_k(self, retriever: Retriever, question: str) -> None:
        """The best ones, each chunk once; nothing asked for gives nothing."""
        best = self.found(retriever.retrieve(question, k=MANY, where=Filter()))
        assert 3 <= len(best) <= MANY
        for k in (0, 1, 2, 3):
            fewer = self.found(retriever.retrieve(question, k=k, where=Filter()))
            assert [hit.chunk.id for hit in fewer] == [hit.chunk.id for hit in best[:k]]

    def test_hits_have_one_order(self, retriever: Retriever, question: str) -> None:
        """By score, and by the chunk's id where scores are equal."""
        hits = self.found(retriever.retrieve(question, k=MANY, where=Filter()))
        assert all(math.isfinite(hit.score) for hit in hits)
        assert hits == sorted(hits, key=lambda hit: (-hit.score, hit.chunk.id))

    def test_hits_have_chunk_source_and_place(self, retriever: Retriever, question: str) -> None:
        """Each chunk once, with its places; an added chunk follows the hit that it belongs to."""
        retrieved = retriever.retrieve(question, k=MANY, where=Filter())
        assert retrieved.question == question
        ids = [hit.chunk.id for hit in retrieved.hits]
        assert len(set(ids)) == len(ids)
        for before, hit in zip((None, *retrieved.hits), retrieved.hits, strict=False):
            assert hit.chunk.text.strip()
            assert hit.source.uri
            if self.added(hit):
                assert hit.trace.notes
                assert before is not None
                assert hit.score == before.score

    def test_the_same_question_has_the_same_answer(self, retriever: Retriever, question: str) -> None:
        """At one revision, each time and from however many threads."""
        expected = retriever.retrieve(question, k=MANY, where=Filter())
        assert all(found == expected for found in at_once(lambda: retriever.retrieve(question, k=MANY, where=Filter())))

    def test_a_filter_holds(self, retriever: Retriever, question: str) -> None:
        """What it leaves out is not found, nor added; what it lets through is, as before."""
        everything = retriever.retrieve(question, k=MANY, where=Filter())
        uri = everything.hits[0].source.uri
        here = retriever.retrieve(question, k=MANY, where=Filter(sources=(uri,)))
        assert {hit.chunk.id for hit in everything.hits if hit.source.uri == uri} == {hit.chunk.id for hit in here.hits}
        for nowhere in (Filter(sources=("file:///nowhere",)), Filter(languages=("tlh",)), Filter(pages=(10**6, 10**6))):
            assert retriever.retrieve(question, k=MANY, where=nowhere).hits == ()

    def test_any_question_may_be_asked(self, retriever: Retriever) -> None:
        """Empty, broken and very long questions find something or nothing, and are no error."""
        for question in AWKWARD:
            retrieved = retriever.retrieve(question, k=3, where=Filter())
            assert len(self.found(retrieved)) <= 3
            assert retrieved.question == question
