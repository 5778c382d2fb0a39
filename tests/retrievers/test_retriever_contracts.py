"""The built-in retrievers, over a catalog and real indexes, keep the contract of the port."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from penstock.analysis.analyser import TextAnalyser
from penstock.catalog import Batch, Collection, open_catalog
from penstock.ids import text_hash
from penstock.indexers.faiss import FaissIndex
from penstock.indexers.tantivy import TantivyIndex
from penstock.model import Hit
from penstock.ports import Retriever
from penstock.retrievers import (
    HybridRetriever,
    KeywordLeg,
    NeighbourRetriever,
    SeparateLegs,
    VectorLeg,
    weigh,
    weighted,
)
from penstock.testing.contracts.catalog import make_put, make_source
from penstock.testing.contracts.retrievers import RetrieverContract
from penstock.testing.doubles.embedders import HashEmbedder

EMBEDDER = HashEmbedder()


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    """Three sources; some chunks are alike, so that scores are."""
    texts = [f"Turbine {number} has valves." for number in range(4)]
    with open_catalog(f"sqlite:///{tmp_path / 'catalog.db'}") as catalog:
        collection = catalog.collection("plant", create=True)
        for name, paragraphs in (("a", texts), ("b", ["The gate is shut.", *texts]), ("c", ["年假可以结转。"])):
            put = make_put("plant", make_source(f"file:///{name}.txt"), paragraphs, title=f"Manual {name}")
            contexts = [chunk.context for chunk in put.chunks]
            vectors = EMBEDDER.embed(contexts, role="passage")
            catalog.vectors.put(EMBEDDER.identity, dict(zip(map(text_hash, contexts), vectors, strict=True)))
            collection.commit(Batch(puts=(put,)), run=None, embedder=EMBEDDER.identity)
        yield collection


@pytest.fixture
def retriever(collection: Collection, tmp_path: Path) -> Retriever:
    analyser = TextAnalyser()
    words = TantivyIndex(tmp_path / "words", analyser=analyser)
    words.apply(collection.change(0, vectors=False))
    near = FaissIndex(tmp_path / "near", identity=EMBEDDER.identity, dimension=EMBEDDER.dimension)
    near.apply(collection.change(0, vectors=True))
    legs = SeparateLegs(KeywordLeg(words, analyser), VectorLeg(near, EMBEDDER))
    weighing = partial(weigh, embedder=EMBEDDER, vector_weight=0.4)
    return HybridRetriever(collection, legs, analyser=analyser, fuse=weighted, weigh=weighing)


class TestHybridRetriever(RetrieverContract):
    @pytest.fixture
    def question(self) -> str:
        return "turbine valves"


class TestNeighbourRetriever(RetrieverContract):
    @pytest.fixture
    def question(self) -> str:
        return "turbine 1"

    @pytest.fixture
    def retriever(self, retriever: Retriever, collection: Collection) -> Retriever:
        return NeighbourRetriever(retriever, collection, count=1)

    def added(self, hit: Hit) -> bool:
        return any(note.startswith("next to") for note in hit.trace.notes)
