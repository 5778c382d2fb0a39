"""Threads that search while another thread applies changes."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from penstock.indexers.faiss import FaissIndex
from penstock.indexers.rank_bm25 import RankBM25Index
from penstock.indexers.tantivy import TantivyIndex
from penstock.model import Change
from penstock.testing.contracts.indexes import WORDS, entry_of, scope_of, vector_of


class Words:
    fingerprint = "words"

    def tokens(self, text: str) -> list[str]:
        return text.split()

    def query_tokens(self, text: str) -> list[str]:
        return text.split()


Make = Callable[[Path], TantivyIndex | RankBM25Index | FaissIndex]


def search(index: TantivyIndex | RankBM25Index | FaissIndex) -> list[int]:
    if isinstance(index, FaissIndex):
        return [hit.row for hit in index.search(vector_of("turbine"), k=100, scope=scope_of())]
    return [hit.row for hit in index.search(["turbine"], k=100, scope=scope_of())]


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda folder: TantivyIndex(folder, analyser=Words()), id="tantivy"),
        pytest.param(lambda folder: RankBM25Index(folder, analyser=Words()), id="rank-bm25"),
        pytest.param(lambda folder: FaissIndex(folder, identity="m", dimension=len(WORDS)), id="faiss"),
    ],
)
def test_every_search_sees_one_whole_revision(tmp_path: Path, make: Make) -> None:
    """Each revision replaces all ten rows, so that a mixture of two would show."""
    writer, shared = make(tmp_path), make(tmp_path)
    seen: list[list[int]] = []
    stop = threading.Event()
    errors: list[BaseException] = []

    def reading(index: TantivyIndex | RankBM25Index | FaissIndex) -> None:
        try:
            while not stop.is_set():
                seen.append(search(index))
        except BaseException as error:
            errors.append(error)
            raise

    readers = [threading.Thread(target=reading, args=(index,)) for index in (shared, shared, writer, make(tmp_path))]
    for reader in readers:
        reader.start()
    for revision in range(1, 15):
        rows = range(10 * revision, 10 * revision + 10)
        entries = (entry_of(row, "turbine", vector_of("turbine")) for row in rows)
        gone = tuple(row - 10 for row in rows) if revision > 1 else ()
        writer.apply(Change(since=revision - 1, revision=revision, removed=gone, added=entries))
    stop.set()
    for reader in readers:
        reader.join()
    assert not errors
    assert all(not rows or rows == list(range(rows[0], rows[0] + 10)) for rows in seen)
    assert np.isin(140, search(shared))
