"""Adds the chunks before and after each hit in its document."""

from dataclasses import replace

from penstock.catalog import Collection
from penstock.model import Filter, Hit, Retrieved, Trace
from penstock.ports import Retriever


class NeighbourRetriever:
    """Another retriever's hits, each followed by up to `count` chunks from before and after it."""

    def __init__(self, inner: Retriever, collection: Collection, *, count: int) -> None:
        self._inner = inner
        self._collection = collection
        self._count = count

    def retrieve(self, question: str, *, k: int, where: Filter) -> Retrieved:
        """The inner retriever's `k` hits and their neighbours; a neighbour has its hit's score and a note."""
        retrieved = self._inner.retrieve(question, k=k, where=where)
        scope = self._collection.scope(where, at=retrieved.revision)
        seen = {hit.chunk.id for hit in retrieved.hits}
        hits: list[Hit] = []
        for hit in retrieved.hits:
            hits.append(hit)
            row = self._collection.row_of(hit.chunk, scope=scope)
            if row is None:
                continue  # compacted away since it was found
            for passage in self._collection.neighbours(row, self._count, self._count, scope=scope):
                if passage.chunk.id not in seen:
                    seen.add(passage.chunk.id)
                    hits.append(replace(hit, chunk=passage.chunk, trace=_neighbour_of(hit)))
        return replace(retrieved, hits=tuple(hits))


def _neighbour_of(hit: Hit) -> Trace:
    note = f"next to {hit.chunk.id}"
    return Trace(ranks={}, scores={}, shares={}, weights=hit.trace.weights, notes=(note,))
