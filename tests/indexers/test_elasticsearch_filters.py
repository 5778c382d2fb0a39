"""A filter in the words of Elasticsearch lets through exactly what the catalog's own filter lets through."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import numpy as np
import pytest
from elasticsearch import Elasticsearch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from penstock.catalog import Batch, Collection, Upsert, open_catalog
from penstock.indexers.elasticsearch.options import Connection, Layout
from penstock.indexers.elasticsearch.queries import within
from penstock.indexers.elasticsearch.store import ElasticsearchStore
from penstock.model import Filter, Labels, Scope
from penstock.testing.contracts.catalog import DIMENSION, cache_vectors, make_put, make_source
from tests.examples import examples

pytestmark = pytest.mark.elasticsearch

DAY = datetime(2026, 1, 1, tzinfo=UTC)
URIS = (
    "file:///a/One.pdf",
    "file:///a/two[1].png",
    "https://x.org/p?q=1",
    "https://x.org/pxq=1",
    "file:///b/手册\\.pdf",
)


class Words:
    fingerprint = "words"

    def tokens(self, text: str) -> list[str]:
        return text.split()

    def query_tokens(self, text: str) -> list[str]:
        return text.split()


def shelf() -> tuple[Upsert, ...]:
    """Documents that differ in everything a filter can ask for; the last is a copy of the first."""
    rows: list[tuple[str, str, int | None, Labels, list[str], str]] = [
        (URIS[0], "application/pdf", 0, {"team": "red", "year": 2024}, [], "one"),
        (URIS[1], "image/png", 1, {"team": "blue", "year": 2024.5}, ["ann"], "two"),
        (URIS[2], "text/html", None, {"year": "2024"}, ["ann", "bob"], "three"),
        (URIS[3], "text/html", 3, {}, ["bob"], "four"),
        (URIS[4], "image/jpeg", 2, {"team": "red", "n": 7}, ["bob"], "one"),
    ]
    return tuple(
        make_put(
            "books",
            make_source(
                uri,
                media_type=kind,
                modified=None if day is None else DAY + timedelta(days=day, microseconds=1),
                labels=labels,
                access=access,
            ),
            [f"common {text} {n}" for n in range(4)],
            languages=["en", "zh"],
            pages=[[1], [1, 2], [2, 5], []],
        )
        for uri, kind, day, labels, access, text in rows
    )


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collection]:
    with open_catalog(f"sqlite:///{tmp_path_factory.mktemp('shelf') / 'c.db'}") as catalog:
        collection = catalog.collection("books", create=True)
        cache_vectors(catalog, "m", shelf())
        collection.commit(Batch(puts=shelf()), run=None, embedder="m")
        yield collection


@pytest.fixture(scope="module")
def store(elasticsearch_url: str, collection: Collection) -> Iterator[ElasticsearchStore]:
    alias = f"test-{uuid4().hex[:12]}"
    connection = Connection(urls=(elasticsearch_url,))
    store = ElasticsearchStore(
        alias, analyser=Words(), identity="m", dimension=DIMENSION, connection=connection, layout=Layout()
    )
    store.apply(collection.change(0, vectors=True))
    yield store
    store.close()
    with Elasticsearch(elasticsearch_url) as client:
        client.indices.delete(index=f"{alias}-v1")


PATTERNS = (
    "file:*",
    "*.pdf",
    "https://x.org/p?q=1",
    "file:///a/two[1].png",
    "*[1-2]*",
    "???????*",
    "*\\*",
    "FILE:*",
    "*",
)
LABELS: tuple[Labels, ...] = (
    {},
    {"team": "red"},
    {"team": "red", "year": 2024},
    {"year": 2024.0},
    {"year": "2024"},
    {"year": 2024.5},
    {"team": "red", "n": 7},
    {"none": 1},
)
FILTERS = st.builds(
    Filter,
    sources=st.lists(st.sampled_from((*URIS, *PATTERNS)), max_size=2).map(tuple),
    labels=st.sampled_from(LABELS),
    media_types=st.lists(st.sampled_from(("image/*", "text/html", "Application/PDF", "*/?ng")), max_size=2).map(tuple),
    languages=st.lists(st.sampled_from(("en", "zh", "fr")), max_size=2).map(tuple),
    pages=st.none() | st.tuples(st.integers(0, 6), st.integers(0, 6)),
    modified_from=st.none() | st.integers(0, 4).map(lambda n: DAY + timedelta(days=n)),
    modified_before=st.none() | st.integers(0, 4).map(lambda n: DAY + timedelta(days=n, microseconds=1)),
    principals=st.none() | st.frozensets(st.sampled_from(("ann", "bob", "eve")), max_size=2),
)


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=FILTERS)
@example(where=Filter(labels={"team": "red", "year": 2024}, principals=frozenset({"bob"})))
@example(where=Filter(labels={"n": 7, "year": 2024}))
@example(where=Filter(sources=("file:///b/*",), media_types=("application/pdf",)))
def test_both_legs_see_what_the_catalog_lets_through(
    store: ElasticsearchStore, collection: Collection, where: Filter
) -> None:
    """Two sources of one text never share a condition: all must hold for one of them."""
    scope = collection.scope(where)
    allowed = scope.rows()
    wanted = collection.live_rows() if allowed is None else allowed
    by_words, by_vector, _ = store.search(["common"], np.ones(DIMENSION, np.float32), k=50, scope=scope)
    assert sorted(hit.row for hit in by_words) == sorted(hit.row for hit in by_vector) == wanted.tolist()


def unresolved() -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    raise AssertionError("the catalog was asked")


@pytest.mark.parametrize(
    "where",
    [
        pytest.param(Filter(labels={"team": "red"}, principals=frozenset({"bob"}), pages=(1, 2)), id="fields"),
        pytest.param(Filter(sources=("file:///*.pdf",), media_types=("image/*",)), id="plain patterns"),
    ],
)
def test_what_the_fields_say_is_not_asked_of_the_catalog(where: Filter) -> None:
    assert within(Scope(revision=1, where=where, rows=unresolved))


def test_what_they_cannot_say_is(collection: Collection) -> None:
    for where in (Filter(sources=("*[1]*",)), Filter(sources=("*a" * 9,)), Filter(pages=(1, 2**40))):
        scope = replace(collection.scope(where), rows=lambda: np.array([3, 4], np.int64))
        assert within(scope) == [{"terms": {"row": [3, 4]}}]
