"""tantivy, rank-bm25, bm25s and Elasticsearch rank alike on the same tokens."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from penstock.indexers.elasticsearch.options import Layout
from penstock.indexers.elasticsearch.store import ElasticsearchStore
from penstock.indexers.rank_bm25 import RankBM25Index
from penstock.indexers.tantivy import TantivyIndex
from penstock.model import Change
from penstock.ports import KeywordIndex
from penstock.testing.contracts.indexes import entry_of, scope_of

os.environ.setdefault("DISABLE_TQDM", "1")

FACTOR = 2.2
"""k1 + 1: Lucene, and bm25s after it, leave it out."""


class Words:
    fingerprint = "words"

    def tokens(self, text: str) -> list[str]:
        return text.split()

    def query_tokens(self, text: str) -> list[str]:
        return text.split()


def texts(count: int, longest: int, seed: int) -> list[str]:
    random = np.random.default_rng(seed)
    vocabulary = [f"w{number}" for number in range(300)]
    return [
        " ".join(vocabulary[min(rank, 299)] for rank in random.zipf(1.4, random.integers(1, longest)))
        for _ in range(count)
    ]


def indexes(folder: Path, corpus: list[str]) -> Iterator[KeywordIndex]:
    for kind in (TantivyIndex, RankBM25Index):
        index: KeywordIndex = kind(folder / kind.__name__, analyser=Words())
        entries = (entry_of(row, text) for row, text in enumerate(corpus))
        index.apply(Change(since=0, revision=1, removed=(), added=entries))
        yield index


QUERIES = ["w1", "w3 w9 w40", "w2 w2 w77", "w250 w251 w252 w1", "w9 w9 w9 w30 unknown"]


@pytest.mark.parametrize("query", QUERIES)
def test_scores_are_those_of_bm25s(tmp_path: Path, query: str) -> None:
    bm25s = pytest.importorskip("bm25s")
    corpus = texts(200, 40, seed=1)  # lengths below 40 are kept exactly by tantivy
    oracle = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    oracle.index([text.split() for text in corpus], show_progress=False)
    expected = oracle.get_scores([token for token in query.split() if token != "unknown"]) * FACTOR
    for index in indexes(tmp_path, corpus):
        found = index.search(query.split(), k=200, scope=scope_of())
        assert len(found) == np.count_nonzero(expected)
        assert [hit.score for hit in found] == pytest.approx([expected[hit.row] for hit in found], rel=1e-5)


@pytest.mark.parametrize("query", QUERIES)
def test_long_texts_differ_by_the_rounding_of_their_length_only(tmp_path: Path, query: str) -> None:
    """One byte keeps a length to within an eighth, which moves a score by less than a tenth."""
    ours, theirs = indexes(tmp_path, texts(200, 400, seed=2))
    found = {hit.row: hit.score for hit in ours.search(query.split(), k=200, scope=scope_of())}
    expected = {hit.row: hit.score for hit in theirs.search(query.split(), k=200, scope=scope_of())}
    assert found.keys() == expected.keys()
    assert all(found[row] == pytest.approx(expected[row], rel=0.1) for row in found)


def test_statistics_forget_deleted_texts(tmp_path: Path) -> None:
    """Once a third is deleted, scores are those of an index that never held it."""
    corpus = texts(90, 30, seed=3)
    index, _ = indexes(tmp_path / "whole", corpus)
    rows = range(45, 90)
    index.apply(Change(since=1, revision=2, removed=tuple(rows), added=()))
    index.apply(Change(since=2, revision=3, removed=(), added=()))
    half, _ = indexes(tmp_path / "half", corpus[:45])
    for query in QUERIES:
        assert index.search(query.split(), k=50, scope=scope_of()) == half.search(query.split(), k=50, scope=scope_of())


def test_a_text_without_tokens_is_held_and_never_found(tmp_path: Path) -> None:
    for index in indexes(tmp_path, ["", " "]):
        assert index.rows().tolist() == [0, 1]
        assert index.search(["w1"], k=5, scope=scope_of()) == []
        assert index.search([], k=5, scope=scope_of()) == []


def test_a_token_that_is_everywhere_still_counts(tmp_path: Path) -> None:
    for index in indexes(tmp_path, ["w1", "w1 w2", "w1 w3"]):
        assert [hit.row for hit in index.search(["w1"], k=5, scope=scope_of())] == [0, 1, 2]


@pytest.mark.elasticsearch
@pytest.mark.parametrize(("longest", "shards"), [(40, 1), (40, 3), (400, 1)], ids=["exact", "three shards", "long"])
def test_elasticsearch_ranks_as_tantivy(
    tmp_path: Path, make_store: Callable[..., ElasticsearchStore], longest: int, shards: int
) -> None:
    """Its scores are single precision; lengths it keeps in one byte as tantivy does, and rounds them alike."""
    corpus = texts(200, longest, seed=4)
    store = make_store(content="words", vectors=False, layout=Layout(shards=shards))
    entries = (entry_of(row, text) for row, text in enumerate(corpus))
    store.apply(Change(since=0, revision=1, removed=(), added=entries))
    tantivy, _ = indexes(tmp_path, corpus)
    for query in QUERIES:
        ours = tantivy.search(query.split(), k=200, scope=scope_of())
        theirs = store.keyword.search(query.split(), k=200, scope=scope_of())
        assert len(ours) == len(theirs)
        expected = {hit.row: hit.score for hit in ours}
        assert [hit.score for hit in theirs] == pytest.approx([expected[hit.row] for hit in theirs], rel=1e-5)
        assert [hit.score for hit in theirs] == pytest.approx([hit.score for hit in ours], rel=1e-5)
