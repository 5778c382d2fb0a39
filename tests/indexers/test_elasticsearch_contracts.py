"""An Elasticsearch index and both of its views keep the contracts of their ports, on real servers."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from penstock.indexers.elasticsearch.options import Layout
from penstock.indexers.elasticsearch.store import ElasticsearchStore
from penstock.ports import Float32Array, KeywordIndex, ServerIndex, VectorIndex
from penstock.testing.contracts.indexes import IndexContract, vector_of
from penstock.testing.contracts.server_indexes import ServerIndexContract

pytestmark = pytest.mark.elasticsearch

Make = Callable[[Path, str], ElasticsearchStore]


@pytest.fixture(params=[Layout(), Layout(shards=3)], ids=["one shard", "three shards"])
def stores(make_store: Callable[..., ElasticsearchStore], request: pytest.FixtureRequest) -> Make:
    """Makes a store by a folder's name, as other indexes are made."""

    def make(folder: Path, content: str) -> ElasticsearchStore:
        return make_store(sha256(str(folder).encode()).hexdigest()[:8], content=content, layout=request.param)

    return make


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


class TestStore(ServerIndexContract):
    @pytest.fixture(autouse=True)
    def _stores(self, make_store: Callable[..., ElasticsearchStore]) -> None:
        self.make = make_store

    def open(self, name: str) -> ServerIndex:
        return self.make(name)
