"""What a reader gets: hits in their order, and no number in which documents that are hidden from the reader show.

How rare a word is, and so every score of the keyword leg and every sum that it goes into, is counted over all chunks:
they would reveal whether a hidden one holds the word.
"""

from dataclasses import replace

from penstock.errors import UsageError
from penstock.model import Filter, Hit, Leg, Retrieved
from penstock.ports import Retriever

DECAY = 10
"""How gently a reader's scores fall from place to place: 1, 0.92, 0.85, 0.79 ..."""
NO_READER = (
    "access.required is set, and nobody is named who asks: give --as PRINCIPAL on the command line, or the principals "
    'in Python: where=Filter(principals=...), where={"principals": [...]}'
)


def check_reader(principals: frozenset[str] | None, *, required: bool) -> None:
    """Refuses to show anything to nobody in particular where a reader has to be named.

    Raises:
        UsageError: a reader is required, and there is none; says how to name one.
    """
    if required and principals is None:
        raise UsageError(NO_READER)


class ReaderRetriever:
    """Another retriever for readers: where principals are named, its hits without scores that count hidden chunks."""

    def __init__(self, inner: Retriever, *, required: bool) -> None:
        self._inner = inner
        self._required = required

    def retrieve(self, question: str, *, k: int, where: Filter) -> Retrieved:
        """The inner retriever's hits; to readers, scored by their places alone.

        Raises:
            UsageError: a reader is required, and the filter names no principals.
        """
        check_reader(where.principals, required=self._required)
        found = self._inner.retrieve(question, k=k, where=where)
        if where.principals is None:
            return found
        return replace(found, hits=tuple(_by_place(hit, place) for place, hit in enumerate(found.hits, start=1)))


def _by_place(hit: Hit, place: int) -> Hit:
    """The hit without its BM25 score and its shares; a vector's score depends on the question and the chunk alone."""
    scores: dict[Leg, float] = {leg: score for leg, score in hit.trace.scores.items() if leg != "keyword"}
    return replace(hit, score=(DECAY + 1) / (DECAY + place), trace=replace(hit.trace, scores=scores, shares={}))
