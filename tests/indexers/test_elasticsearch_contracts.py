"""Both views of an Elasticsearch index keep the contract of the port, on real servers."""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from penstock.indexers.elasticsearch import ElasticsearchStore
from penstock.indexers.elasticsearch_options import Connection, Layout
from penstock.ports import Float32Array, KeywordIndex, VectorIndex
from penstock.testing.indexes import WORDS, IndexContract, vector_of

pytestmark = pytest.mark.elasticsearch

Make = Callable[[Path, str], ElasticsearchStore]


class Words:
    """An analyser that cuts at white space."""

    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint

    def tokens(self, text: str) -> list[str]:
        return text.split()

    def query_tokens(self, text: str) -> list[str]:
        return text.split()


@pytest.fixture(params=[Layout(), Layout(shards=3)], ids=["one shard", "three shards"])
def stores(elasticsearch_url: str, request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes a store by name and content; a name is that of a folder, as in the tests of other indexes."""
    made: list[ElasticsearchStore] = []

    def make(folder: Path, content: str) -> ElasticsearchStore:
        made.append(
            ElasticsearchStore(
                f"test-{sha256(str(folder).encode()).hexdigest()[:20]}",
                analyser=Words(content),
                identity=content,
                dimension=len(WORDS),
                connection=Connection(urls=(elasticsearch_url,)),
                layout=request.param,
            )
        )
        return made[-1]

    yield make
    for store in made:
        store.close()


class TestKeywordView(IndexContract[Sequence[str]]):
    @pytest.fixture(autouse=True)
    def _stores(self, stores: Make) -> None:
        self.make = stores

    def open(self, folder: Path, *, content: str = "a") -> KeywordIndex:
        return self.make(folder, content).keyword

    def ask(self, text: str) -> Sequence[str]:
        return text.split()


class TestVectorView(IndexContract[Float32Array]):
    @pytest.fixture(autouse=True)
    def _stores(self, stores: Make) -> None:
        self.make = stores

    def open(self, folder: Path, *, content: str = "a") -> VectorIndex:
        return self.make(folder, content).vector

    def ask(self, text: str) -> Float32Array:
        return vector_of(text)
