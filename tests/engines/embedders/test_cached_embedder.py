from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from penstock.engines.embedders.cached import CachedEmbedder
from penstock.ids import text_hash
from penstock.ports import Embedder, Float32Array
from penstock.testing.contracts.embedders import EmbedderContract
from penstock.testing.doubles.embedders import HashEmbedder


class Store:
    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Float32Array] = {}

    def get(self, identity: str, hashes: Sequence[str]) -> Mapping[str, Float32Array]:
        return {key: self.kept[identity, key] for key in hashes if (identity, key) in self.kept}

    def put(self, identity: str, vectors: Mapping[str, Float32Array]) -> None:
        self.kept |= {(identity, key): vector for key, vector in vectors.items()}


class TestCached(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return CachedEmbedder(HashEmbedder(), Store())


def test_passages_are_computed_once() -> None:
    inner, store = HashEmbedder(), Store()
    embedder = CachedEmbedder(inner, store)
    texts = ["a", "b", "a"]
    first = embedder.embed(texts, role="passage")
    assert (inner.embedded, embedder.computed) == (["a", "b"], 2)
    second = embedder.embed([*texts, "c"], role="passage")
    assert (inner.embedded, embedder.computed) == (["a", "b", "c"], 3)
    assert np.array_equal(second[:3], first)
    assert np.array_equal(second, HashEmbedder().embed([*texts, "c"], role="passage"))
    assert CachedEmbedder(inner, store).embed(texts, role="passage") is not None
    assert len(inner.embedded) == 3


def test_questions_are_not_kept() -> None:
    store = Store()
    embedder = CachedEmbedder(HashEmbedder(), store)
    embedder.embed(["a", "a"], role="query")
    assert (store.kept, embedder.computed) == ({}, 2)


def test_another_model_does_not_get_these_vectors() -> None:
    store = Store()
    CachedEmbedder(HashEmbedder(dimension=8), store).embed(["a"], role="passage")
    second = CachedEmbedder(HashEmbedder(dimension=16), store)
    assert second.embed(["a"], role="passage").shape == (1, 16)
    assert {identity for identity, _ in store.kept} == {"hash/8/float32", "hash/16/float32"}
    assert all(key == text_hash("a") for _, key in store.kept)
