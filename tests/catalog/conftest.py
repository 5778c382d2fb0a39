from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock.catalog import Batch, Catalog, Collection, Upsert, open_catalog
from penstock.testing.contracts.catalog import cache_vectors

Committer = Callable[..., int]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)], scope="session")
def kind(request: pytest.FixtureRequest) -> str:
    """Of database."""
    return str(request.param)


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, home: Path) -> str:
    """The address of an empty catalog, for this test only."""
    if kind == "sqlite":
        return f"sqlite:///{home / 'catalog.db'}"
    return str(request.getfixturevalue("postgresql_catalog"))


@pytest.fixture
def empty_url(kind: str, request: pytest.FixtureRequest, home: Path) -> str:
    """The address of a database without tables, for this test only."""
    if kind == "sqlite":
        return f"sqlite:///{home / 'catalog.db'}"
    return str(request.getfixturevalue("postgresql_database"))


@pytest.fixture
def catalog(url: str) -> Iterator[Catalog]:
    with open_catalog(url) as catalog:
        yield catalog


@pytest.fixture
def collection(catalog: Catalog) -> Collection:
    return catalog.collection("books", create=True)


@pytest.fixture
def commit(catalog: Catalog, collection: Collection) -> Committer:
    """Embeds and commits upserts and removals."""

    def commit(*puts: Upsert, removed: tuple[str, ...] = (), embedder: str = "model-a") -> int:
        cache_vectors(catalog, embedder, puts)
        return collection.commit(Batch(puts=puts, removed=removed), run=None, embedder=embedder)

    return commit
