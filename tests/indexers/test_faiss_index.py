"""Exact search, whatever segments the vectors lie in."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.errors import IndexingError
from penstock.indexers import faiss as module
from penstock.indexers.faiss import FaissIndex
from penstock.model import Change
from penstock.ports import Float32Array
from penstock.testing.contracts.indexes import entry_of, scope_of
from tests.examples import examples

D = 24


def vectors(count: int, seed: int) -> Float32Array:
    drawn = np.random.default_rng(seed).standard_normal((count, D))
    unit: Float32Array = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    return unit


def change(revision: int, rows: dict[int, Float32Array], removed: tuple[int, ...] = ()) -> Change:
    entries = (entry_of(row, "", vector) for row, vector in rows.items())
    return Change(since=revision - 1, revision=revision, removed=removed, added=entries)


@pytest.mark.parametrize("k", [1, 10, 400])
@pytest.mark.parametrize("share", [None, 0.02, 0.5])
def test_finds_what_numpy_finds(tmp_path: Path, k: int, share: float | None) -> None:
    held = vectors(300, 1)
    index = FaissIndex(tmp_path, identity="m", dimension=D)
    for revision, start in enumerate(range(0, 300, 60), 1):
        index.apply(change(revision, {row: held[row] for row in range(start, start + 60)}))
    index.apply(change(6, {}, tuple(range(0, 300, 7))))
    live = np.setdiff1d(np.arange(300), np.arange(0, 300, 7))
    allowed = None if share is None else np.random.default_rng(3).choice(300, int(300 * share), replace=False)
    seen = live if allowed is None else np.intersect1d(live, allowed)
    for query in vectors(5, 2):
        scores = held[seen].astype(np.float64) @ query
        order = np.lexsort((seen, -scores))[:k]
        found = index.search(query, k=k, scope=scope_of(None if allowed is None else allowed.tolist()))
        assert [hit.row for hit in found] == seen[order].tolist()
        assert [hit.score for hit in found] == pytest.approx(scores[order])


def test_many_changes_leave_few_files(tmp_path: Path) -> None:
    index = FaissIndex(tmp_path, identity="m", dimension=D)
    for revision, vector in enumerate(vectors(100, 4), 1):
        index.apply(change(revision, {revision: vector}, (revision - 50,) if revision > 50 else ()))
    assert len(index.rows()) == 50
    assert len(list(tmp_path.iterdir())) < 16


def test_segments_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEGMENT", 40)
    monkeypatch.setattr(module, "BATCH", 16)
    index = FaissIndex(tmp_path, identity="m", dimension=D)
    held = vectors(200, 5)
    index.apply(change(1, dict(enumerate(held))))
    assert len(list(tmp_path.glob("*.vectors"))) >= 5
    assert [hit.row for hit in index.search(held[123], k=1, scope=scope_of())] == [123]


def test_a_row_that_comes_twice_in_a_change_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    first, second = vectors(2, 6)
    index = FaissIndex(tmp_path, identity="m", dimension=D)
    entries = [entry_of(1, "", first), entry_of(1, "", second), entry_of(2, "", first), entry_of(1, "", first)]
    index.apply(Change(since=0, revision=1, removed=(), added=entries))
    assert index.rows().tolist() == [1, 2]
    assert [hit.score for hit in index.search(first, k=5, scope=scope_of())] == pytest.approx([1, 1])


@pytest.mark.parametrize(
    "vector",
    [
        pytest.param(None, id="none"),
        pytest.param(np.zeros(D + 1, np.float32), id="another dimension"),
        pytest.param(np.full(D, np.nan, np.float32), id="not a number"),
        pytest.param(np.full(D, np.inf, np.float32), id="infinite"),
    ],
)
def test_refuses_what_is_no_vector(tmp_path: Path, vector: Float32Array | None) -> None:
    index = FaissIndex(tmp_path, identity="m", dimension=D)
    index.apply(change(1, {1: vectors(1, 7)[0]}))
    with pytest.raises(IndexingError, match="row 9 needs a finite vector"):
        index.apply(Change(since=1, revision=2, removed=(1,), added=[entry_of(9, "", vector)]))
    assert index.rows().tolist() == [1]
    if vector is not None:
        with pytest.raises(IndexingError, match="finite vector"):
            index.search(vector, k=1, scope=scope_of())


_STEPS = st.lists(
    st.tuples(st.lists(st.integers(0, 12), max_size=4), st.lists(st.integers(0, 12), max_size=6, unique=True)),
    max_size=8,
)


@settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS)
def test_holds_what_a_dictionary_would(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[list[int], list[int]]]
) -> None:
    index = FaissIndex(tmp_path_factory.mktemp("index"), identity="m", dimension=D)
    model: dict[int, Float32Array] = {}
    for revision, (removed, added) in enumerate(steps, 1):
        new = dict(zip(added, vectors(len(added), revision), strict=True)) if added else {}
        index.apply(change(revision, new, tuple(removed)))
        model = {row: vector for row, vector in model.items() if row not in removed} | new
        assert index.rows().tolist() == sorted(model)
        for row, vector in model.items():
            assert index.search(vector, k=1, scope=scope_of([row]))[0].score == pytest.approx(1, abs=1e-5)
