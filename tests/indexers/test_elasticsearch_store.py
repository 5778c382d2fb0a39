"""What an Elasticsearch store does beyond the contract: versions and aliases, refusals, foreign indexes, both legs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from elasticsearch import Elasticsearch

from penstock.errors import DamagedIndex, IndexingError
from penstock.indexers.elasticsearch.documents import LONGEST_KEY, REASON_CHARACTERS
from penstock.indexers.elasticsearch.options import Layout
from penstock.indexers.elasticsearch.store import ElasticsearchStore
from penstock.indexers.faiss import FaissIndex
from penstock.indexers.tantivy import TantivyIndex
from penstock.model import Change, Entry
from penstock.testing.contracts.indexes import WORDS, entry_of, scope_of, vector_of

pytestmark = pytest.mark.elasticsearch

Make = Callable[..., ElasticsearchStore]


def change(revision: int, added: dict[int, str], removed: Sequence[int] = (), since: int | None = None) -> Change:
    entries = (entry_of(row, text, vector_of(text)) for row, text in added.items())
    before = revision - 1 if since is None else since
    return Change(since=before, revision=revision, removed=tuple(removed), added=entries)


def names(client: Elasticsearch, alias: str) -> dict[str, set[str]]:
    """Indexes below a name, with their aliases less that name."""
    found = client.indices.get(index=f"{alias}*").body
    return {
        name.removeprefix(alias): {index_alias.removeprefix(alias) for index_alias in index["aliases"]}
        for name, index in found.items()
    }


def words(store: ElasticsearchStore, *tokens: str, k: int = 10) -> list[int]:
    return [hit.row for hit in store.keyword.search(tokens, k=k, scope=scope_of())]


def test_one_change_serves_both_views(make_store: Make) -> None:
    store = make_store()
    store.vector.apply(change(1, {1: "turbine valve", 2: "gate"}))
    assert (store.keyword.revision, store.vector.revision, store.count()) == (1, 1, 2)
    store.keyword.apply(change(1, {}))
    assert store.keyword.rows().tolist() == store.vector.rows().tolist() == [1, 2]
    assert words(store, "valve") == [1]
    assert store.keyword.wants_vectors
    assert store.vector.wants_vectors


@pytest.mark.parametrize(("has_words", "has_vectors"), [(True, False), (False, True)], ids=["words", "vectors"])
def test_one_kind_alone(make_store: Make, has_words: bool, has_vectors: bool) -> None:
    """The other kind may be kept elsewhere."""
    store = make_store(words=has_words, vectors=has_vectors)
    store.apply(change(1, {1: "turbine valve", 2: "gate"}))
    assert store.keyword.wants_vectors == has_vectors
    assert words(store, "gate") == ([2] if has_words else [])
    if has_vectors:
        assert store.vector.search(vector_of("gate"), k=1, scope=scope_of())[0].row == 2


@pytest.mark.parametrize("layout", [Layout(), Layout(shards=3), Layout(approximate=True)], ids=["1", "3", "hnsw"])
def test_both_legs_find_what_the_embedded_indexes_find(make_store: Make, tmp_path: Any, layout: Layout) -> None:
    """With one request, rank by rank; inner products to the sixth digit, BM25 to single precision."""
    random = np.random.default_rng(7)
    texts = {row: " ".join(random.choice(WORDS, random.integers(1, 30))) for row in range(200)}
    store = make_store(layout=layout)
    tantivy, faiss = (
        TantivyIndex(tmp_path / "t", analyser=_Words()),
        FaissIndex(tmp_path / "f", identity="a", dimension=len(WORDS)),
    )
    for index in (store, tantivy, faiss):
        index.apply(change(1, texts))
    for question in ("turbine reservoir", "gate gate 年假", "pump", "nothing"):
        for rows in (None, range(50, 90)):
            scope = scope_of(rows)
            by_words, by_vector, revision = store.search(question.split(), vector_of(question), k=20, scope=scope)
            theirs = tantivy.search(question.split(), k=20, scope=scope)
            assert [hit.score for hit in by_words] == pytest.approx([hit.score for hit in theirs], rel=1e-5)
            nearest = faiss.search(vector_of(question), k=20, scope=scope)
            assert [hit.score for hit in by_vector] == pytest.approx([hit.score for hit in nearest], abs=1e-6)
            assert revision == 1


class _Words:
    fingerprint = "a"

    def tokens(self, text: str) -> list[str]:
        return text.split()

    def query_tokens(self, text: str) -> list[str]:
        return text.split()


@pytest.mark.parametrize("value", [-1.0, -0.25, 0.0, 0.5, 1.0])
def test_inner_products_come_back_as_they_are(make_store: Make, value: float) -> None:
    """Whatever their sign, and of vectors that are no unit vectors."""
    store = make_store()
    vector = np.zeros(len(WORDS), np.float32)
    vector[0] = value
    entry = entry_of(1, "turbine", vector)
    store.apply(Change(since=0, revision=1, removed=(), added=[entry]))
    query = np.zeros(len(WORDS), np.float32)
    query[0] = 0.8
    (hit,) = store.vector.search(query, k=5, scope=scope_of())
    assert hit.score == pytest.approx(0.8 * value, abs=1e-6)


def test_a_new_version_is_built_beside_the_live_one_and_takes_its_place(
    make_store: Make, client: Elasticsearch, alias: str
) -> None:
    store = make_store()
    store.apply(change(1, {1: "turbine"}))
    assert names(client, alias) == {"-v1": {""}}
    anew, seen = store.replacement(), []

    def entries() -> Iterator[Entry]:
        seen.append((words(store, "turbine"), names(client, alias)))
        yield entry_of(2, "turbine", vector_of("turbine"))

    assert anew.revision == 0
    anew.apply(Change(since=0, revision=1, removed=(), added=entries()))
    assert seen == [([1], {"-v1": {""}, "-v2": {"-building"}})]
    assert (words(store, "turbine"), names(client, alias)) == ([2], {"-v2": {""}})


def test_a_build_that_broke_is_not_in_the_way_of_the_next(make_store: Make, client: Elasticsearch, alias: str) -> None:
    store = make_store()
    store.apply(change(1, {1: "turbine"}))

    def broken() -> Iterator[Entry]:
        yield entry_of(2, "turbine", vector_of("turbine"))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.replacement().apply(Change(since=0, revision=1, removed=(), added=broken()))
    assert names(client, alias) == {"-v1": {""}, "-v2": {"-building"}}
    assert words(store, "turbine") == [1]
    store.replacement().apply(change(1, {3: "turbine"}, since=0))
    assert names(client, alias) == {"-v2": {""}}
    assert words(store, "turbine") == [3]


def test_what_is_not_ours_is_set_aside_and_stays(make_store: Make, client: Elasticsearch, alias: str) -> None:
    make_store(content="old").apply(change(1, {1: "turbine"}))
    store = make_store(content="new")
    for look in (lambda: store.revision, store.rows, lambda: words(store, "turbine"), store.count):
        with pytest.raises(DamagedIndex, match="build it anew"):
            look()
    store.replacement().apply(change(1, {2: "turbine"}))
    assert names(client, alias) == {"-v1": set(), "-v2": {""}}
    assert (words(store, "turbine"), store.revision) == ([2], 1)


def test_an_index_of_that_name_is_left_alone(make_store: Make, client: Elasticsearch, alias: str) -> None:
    client.indices.create(index=alias)
    with pytest.raises(IndexingError, match=r"no alias; delete it, or set another elasticsearch\.prefix"):
        make_store().apply(change(1, {1: "turbine"}))


def test_an_index_that_was_deleted_is_missed_and_not_made_by_chance(
    make_store: Make, client: Elasticsearch, alias: str
) -> None:
    store = make_store()
    store.apply(change(1, {1: "turbine"}))
    assert words(store, "turbine") == [1]
    client.indices.delete(index=f"{alias}-v1")
    with pytest.raises(DamagedIndex, match="is gone"):
        words(store, "turbine")
    assert (words(store, "turbine"), store.revision, store.count(), store.rejected()) == ([], 0, 0, {})
    store = make_store()
    store.apply(change(1, {1: "turbine"}))

    def entries() -> Iterator[Entry]:
        client.indices.delete(index=f"{alias}-v1")
        yield entry_of(2, "turbine", vector_of("turbine"))

    with pytest.raises(DamagedIndex, match="is gone"):
        store.apply(Change(since=1, revision=2, removed=(), added=entries()))
    assert not client.indices.exists(index=alias)


def test_what_the_server_refuses_is_held_with_its_reason_and_the_rest_is_written(make_store: Make) -> None:
    store = make_store()
    poison = entry_of(2, "turbine", np.full(len(WORDS), 1e30, np.float32))
    good = [entry_of(row, "turbine valve", vector_of("turbine")) for row in (1, 3)]
    store.apply(Change(since=0, revision=1, removed=(), added=[good[0], poison, good[1]]))
    assert (store.rows().tolist(), words(store, "turbine"), store.revision) == ([1, 2, 3], [1, 3], 1)
    (reason,) = store.rejected().values()
    assert list(store.rejected()) == [2]
    assert "vector" in reason
    assert len(reason) <= REASON_CHARACTERS
    assert [hit.row for hit in store.vector.search(vector_of("turbine"), k=5, scope=scope_of())] == [1, 3]
    store.apply(change(2, {}, removed=[2]))
    assert (store.rows().tolist(), store.rejected()) == ([1, 3], {})


def test_very_long_fields_are_taken(make_store: Make) -> None:
    """Addresses, labels and texts of any length."""
    store = make_store()
    entry = entry_of(1, "turbine " * 10_000, vector_of("turbine"))
    source = replace(entry.sources[0], uri="x" * 2 * LONGEST_KEY, labels={"a": "b" * 2 * LONGEST_KEY})
    store.apply(Change(since=0, revision=1, removed=(), added=[replace(entry, sources=(source,), title="t" * 40_000)]))
    assert (words(store, "turbine"), store.rejected()) == ([1], {})


def test_a_read_only_index_says_what_to_do(make_store: Make, client: Elasticsearch, alias: str) -> None:
    store = make_store(attempts=2)
    store.apply(change(1, {1: "turbine"}))
    for block in ("write", "read_only_allow_delete"):
        client.indices.put_settings(index=f"{alias}-v1", settings={f"index.blocks.{block}": True})
        with pytest.raises(IndexingError, match=r"may not be written now.*lift the block"):
            store.apply(change(2, {2: "turbine"}))
        client.indices.put_settings(index=f"{alias}-v1", settings={f"index.blocks.{block}": None})
    assert (store.revision, words(store, "turbine"), store.rejected()) == (1, [1], {})
    store.apply(change(2, {2: "turbine"}))
    assert words(store, "turbine") == [1, 2]


def test_many_rows_many_candidates_many_words(make_store: Make) -> None:
    store = make_store()
    store.apply(change(1, dict.fromkeys(range(12_000), "turbine valve")))
    assert store.rows().tolist() == list(range(12_000))
    assert words(store, "turbine", k=5000) == list(range(5000))
    assert len(words(store, "turbine", k=20_000)) == 10_000
    assert words(store, *(f"w{n}" for n in range(2000)), "valve", k=3) == [0, 1, 2]
    near = store.vector.search(vector_of("turbine valve"), k=3000, scope=scope_of(range(1, 12_000, 2)))
    assert [hit.row for hit in near][:10] == list(range(1, 21, 2))
    assert len(near) == 3000


@pytest.mark.parametrize("query", [np.zeros(3, np.float32), np.full(len(WORDS), np.nan, np.float32)], ids=["3", "nan"])
def test_a_query_that_is_no_vector_is_refused(make_store: Make, query: Any) -> None:
    with pytest.raises(IndexingError, match="a query needs a finite vector"):
        make_store().vector.search(query, k=1, scope=scope_of())


def test_an_entry_without_its_vector_is_refused(make_store: Make) -> None:
    with pytest.raises(IndexingError, match="row 4 needs a finite vector"):
        make_store().apply(Change(since=0, revision=1, removed=(), added=[entry_of(4, "turbine")]))
