"""Stores on a real Elasticsearch, whose indexes are deleted after each test."""

from collections.abc import Callable, Iterator, Sequence
from uuid import uuid4

import pytest
from elasticsearch import Elasticsearch

from penstock.indexers.elasticsearch.options import Connection, Layout
from penstock.indexers.elasticsearch.store import ElasticsearchStore
from penstock.testing.contracts.indexes import WORDS


class Words:
    """An analyser that cuts at white space."""

    def __init__(self, fingerprint: str = "words") -> None:
        self.fingerprint = fingerprint

    def tokens(self, text: str) -> list[str]:
        return text.split()

    def query_tokens(self, text: str) -> list[str]:
        return text.split()


MakeStore = Callable[..., ElasticsearchStore]


@pytest.fixture
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch_url) as client:
        yield client


@pytest.fixture
def alias(client: Elasticsearch) -> Iterator[str]:
    """A name that no other test uses."""
    name = f"test-{uuid4().hex[:12]}"
    yield name
    for index in client.indices.get(index=f"{name}*"):
        client.indices.delete(index=index)


@pytest.fixture
def make_store(elasticsearch_url: str, alias: str) -> Iterator[MakeStore]:
    """Makes stores of one name; `content` distinguishes analysers and models."""
    made: list[ElasticsearchStore] = []

    def make(
        name: str = "",
        *,
        content: str = "a",
        layout: Layout | None = None,
        words: bool = True,
        vectors: bool = True,
        urls: Sequence[str] = (),
        attempts: int = 5,
    ) -> ElasticsearchStore:
        made.append(
            ElasticsearchStore(
                f"{alias}{name}",
                analyser=Words(content) if words else None,
                identity=content if vectors else "",
                dimension=len(WORDS) if vectors else 0,
                connection=Connection(urls=tuple(urls) or (elasticsearch_url,), attempts=attempts),
                layout=layout or Layout(),
            )
        )
        return made[-1]

    yield make
    for store in made:
        store.close()
