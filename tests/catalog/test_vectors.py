"""The embedding cache: what it keeps, and what it refuses."""

import numpy as np
import pytest

from penstock.catalog import Batch, Catalog, Collection, open_catalog
from penstock.errors import CatalogError
from penstock.ids import text_hash
from penstock.testing.contracts.catalog import cache_vectors, make_put, make_source, text_vector


def test_vectors_come_back_bit_for_bit_and_outlive_the_process(catalog: Catalog, url: str) -> None:
    given = {text_hash(str(n)): text_vector(str(n)) for n in range(1200)}
    catalog.vectors.put("model-a", given)
    with open_catalog(url) as again:
        found = again.vectors.get("model-a", [*given, "absent"])
    assert set(found) == set(given)
    assert all(found[key].dtype == np.float32 and np.array_equal(found[key], given[key]) for key in given)


def test_what_is_missing_is_told_by_model(catalog: Catalog) -> None:
    catalog.vectors.put("model-a", {"1": text_vector("1")})
    assert catalog.vectors.missing("model-a", ["1", "2"]) == {"2"}
    assert catalog.vectors.missing("model-b", ["1", "2"]) == {"1", "2"}
    assert catalog.vectors.get("model-b", ["1"]) == {}


def test_a_vector_that_is_there_is_never_changed(catalog: Catalog) -> None:
    catalog.vectors.put("model-a", {"1": text_vector("1")})
    catalog.vectors.put("model-a", {"1": text_vector("other"), "2": text_vector("2")})
    assert np.array_equal(catalog.vectors.get("model-a", ["1"])["1"], text_vector("1"))


def test_putting_nothing_is_nothing(catalog: Catalog) -> None:
    catalog.vectors.put("model-a", {})
    assert catalog.vectors.missing("model-a", ["1"]) == {"1"}


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        pytest.param({"2": np.ones(9, np.float32)}, "8 numbers", id="another dimension"),
        pytest.param({"2": np.ones(8, np.float32), "3": np.ones(9, np.float32)}, "shape", id="two dimensions"),
        pytest.param({"2": np.ones((1, 8), np.float32)}, "shape", id="a matrix"),
        pytest.param({"2": np.ones(8, np.float32), "3": np.full(8, np.nan, np.float32)}, "text 3", id="not a number"),
    ],
)
def test_vectors_that_cannot_be_are_refused(catalog: Catalog, vectors: dict[str, object], message: str) -> None:
    catalog.vectors.put("model-a", {"1": text_vector("1")})
    with pytest.raises(CatalogError, match=message):
        catalog.vectors.put("model-a", vectors)  # type: ignore[arg-type]  # refused at run time
    assert catalog.vectors.missing("model-a", ["2", "3"]) == {"2", "3"}


def test_a_new_generation_is_told_text_by_text(catalog: Catalog, collection: Collection) -> None:
    puts = (
        make_put("books", make_source("file:///a"), ["one", "two"], title="T"),
        make_put("books", make_source("file:///b"), ["one", "three"], title="T"),
    )
    cache_vectors(catalog, "model-a", puts)
    collection.commit(Batch(puts=puts), run=None, embedder="model-a")
    wanted = {chunk.context for put in puts for chunk in put.chunks}
    missing = list(collection.missing_vectors("model-b"))
    assert sorted(missing) == sorted((text_hash(text), text) for text in wanted)
    cache_vectors(catalog, "model-b", puts[:1])
    assert [text for _, text in collection.missing_vectors("model-b")] == ["T\nthree"]
    assert list(collection.missing_vectors("model-a")) == []
