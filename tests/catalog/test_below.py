"""Queries by the prefix of addresses: what they find, and that they use an index."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from penstock.catalog import Batch, Collection, Quarantined
from penstock.catalog.database.dialect import backend_of
from penstock.catalog.database.schema import LIVE
from penstock.catalog.read import below
from penstock.model import Failure
from penstock.testing.contracts.catalog import execute_on, make_put, make_source

NAMES = ("a", "a b/x", "a-b", "a.txt", "a/b", "a/b/c", "a/手册/年假.md", "a0", "ab/c", "b")
MORE = f"""
INSERT INTO sources (collection, uri, media_type, sha256, size, etag, labels, access, outcome, reason, content, loader,
                     chunker, added_rev, removed_rev)
SELECT collections.row, 'file:///more/' || number, 'text/plain', md5(number::text), 1, '', '{{}}', '[]', 'indexed', '',
       md5(number::text), 'l', 'c', 1, {LIVE}
FROM collections, generate_series(1, 20000) AS number
"""
URIS = [f"file:///{name}" for name in NAMES]


@pytest.fixture
def filled(collection: Collection, commit: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> Collection:
    monkeypatch.setattr(below, "AT_ONCE", 2)
    commit(*(make_put("books", make_source(uri), [uri]) for uri in (*URIS, "file:///a/gone")))
    commit(removed=("file:///a/gone",))
    failure = Failure(uri="", stage="parse", kind="ParseError", message="broken", retryable=False)
    failures = tuple(
        Quarantined(source=make_source(uri), loader="l", failure=failure, since=datetime.now(UTC))
        for uri in ("file:///a/b", "file:///a/bad")
    )
    collection.commit(Batch(failures=failures), run=None, embedder="model-a")
    return collection


@pytest.mark.parametrize(
    ("addresses", "names"),
    [
        (None, NAMES),
        ([], ()),
        (["file:///"], NAMES),
        (["file:///a"], ("a", "a/b", "a/b/c", "a/手册/年假.md")),
        (["file:///a/b", "file:///a", "file:///b"], ("a", "b", "a/b", "a/b/c", "a/手册/年假.md")),
        (["file:///a/b/c/d"], ()),
        (["https://example.org/"], ()),
    ],
)
def test_what_is_known_below_addresses(
    filled: Collection, addresses: Sequence[str] | None, names: Sequence[str]
) -> None:
    found = list(filled.uris(addresses))
    assert found == [f"file:///{name}" for name in names]
    bad = ["file:///a/bad"] if {"a/b/c", "a/手册/年假.md"} <= set(names) else []
    assert list(filled.known_uris(addresses)) == found + bad


def test_the_count_of_what_is_known(filled: Collection) -> None:
    assert filled.known_count() == len(list(filled.known_uris())) == len(NAMES) + 1


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """The queries that the database gets meanwhile."""
    asked: list[tuple[str, Any]] = []

    def watch(_c: object, _k: object, statement: str, parameters: Any, *_: object) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", watch)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", watch)


def explained(url: str, explain: str, asked: Sequence[tuple[str, Any]]) -> Iterator[list[str]]:
    """The database's plan of each query."""
    engines = backend_of(url).connect()
    with engines.reading.connect() as connection:
        for statement, parameters in asked:
            yield [str(row) for row in connection.exec_driver_sql(f"{explain} {statement}", parameters)]
    engines.pool.dispose()


def test_an_index_finds_where_an_address_begins(filled: Collection, url: str) -> None:
    with statements() as asked:
        list(filled.uris(["file:///a"]))
        list(filled.known_map(["file:///a"]))
        list(filled.access_of_removed(["file:///a"]))
    is_sqlite = url.startswith("sqlite")
    if not is_sqlite:  # which scans small tables
        execute_on(url, MORE)
        execute_on(url, "ANALYZE sources")
    plans = list(explained(url, "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN", asked))
    for plan in plans:
        assert any("uri" in line for line in plan if ("SEARCH" if is_sqlite else "Index Cond") in line), plan
        assert not any("SCAN sources" in line or "Seq Scan on sources" in line for line in plan), plan
