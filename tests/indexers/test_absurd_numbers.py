"""Absurd numbers reach no library, and what a machine lacks for a while is no damage."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from penstock.analysis.analyser import TextAnalyser
from penstock.errors import DamagedIndex, IndexingError
from penstock.indexers.durable import read_checked
from penstock.indexers.faiss import FaissIndex
from penstock.indexers.rank_bm25 import RankBM25Index
from penstock.indexers.tantivy import TantivyIndex
from penstock.model import Change
from penstock.ports import Float32Array
from penstock.testing.contracts.indexes import entry_of, scope_of

ABSURD = [10**6, 10**12, 10**18, 2**63, 10**30]
ANALYSER = TextAnalyser()
WORDS = ["turbine", "gate", "turbine gate"]


def _vector(seed: int) -> Float32Array:
    return np.random.default_rng(seed).random(8, np.float32)


def _change() -> Change:
    added = [entry_of(row, text, _vector(row)) for row, text in enumerate(WORDS, 1)]
    return Change(since=0, revision=1, removed=(), added=added)


@pytest.mark.parametrize("k", ABSURD)
@pytest.mark.parametrize("make", [TantivyIndex, RankBM25Index])
def test_a_keyword_index_gives_all_it_has_and_no_more(
    tmp_path: Path, make: type[TantivyIndex] | type[RankBM25Index], k: int
) -> None:
    index = make(tmp_path / "index", analyser=ANALYSER)
    index.apply(_change())
    for where in (scope_of(), scope_of([1, 3])):
        assert {candidate.row for candidate in index.search(ANALYSER.tokens("turbine"), k=k, scope=where)} == {1, 3}


@pytest.mark.parametrize("k", ABSURD)
def test_a_vector_index_gives_all_it_has_and_no_more(tmp_path: Path, k: int) -> None:
    index = FaissIndex(tmp_path / "index", identity="m", dimension=8)
    index.apply(_change())
    assert len(index.search(_vector(1), k=k, scope=scope_of())) == 3
    assert [candidate.row for candidate in index.search(_vector(1), k=k, scope=scope_of([2]))] == [2]


@contextmanager
def _few_descriptors(more: int) -> Iterator[None]:
    """So many more files may be opened than are open now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())
    fillers = [os.open(os.devnull, os.O_RDONLY) for _ in range(highest)]  # the numbers below that are free
    limit = max(*fillers, highest) + 1 + more
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in fillers:
            os.close(descriptor)


@pytest.mark.parametrize("more", [0, 1, 2, 3])
@pytest.mark.parametrize("make", [TantivyIndex, RankBM25Index, FaissIndex])
def test_too_many_open_files_is_no_damage(
    tmp_path: Path, make: type[TantivyIndex] | type[RankBM25Index] | type[FaissIndex], more: int
) -> None:
    def opened() -> TantivyIndex | RankBM25Index | FaissIndex:
        if make is FaissIndex:
            return FaissIndex(tmp_path / "index", identity="m", dimension=8)
        return make(tmp_path / "index", analyser=ANALYSER)  # type: ignore[call-arg] # of a keyword index

    index = opened()
    index.apply(_change())
    index.close()
    with _few_descriptors(more):
        try:
            again = opened()
            found = len(again.rows())
        except DamagedIndex as error:
            raise AssertionError(f"taken for damage: {error}") from error
        except IndexingError as error:
            assert "Too many open files" in str(error), error  # noqa: PT017 - some manage with what is left
            found = 0
    assert found in (0, 3)
    assert len(opened().rows()) == 3


@pytest.mark.parametrize("damage", [True, False])
def test_only_what_the_file_is_to_blame_for_is_damage(tmp_path: Path, damage: bool) -> None:
    path = tmp_path / "data"
    if damage:
        path.mkdir()
    else:
        path.symlink_to("/proc/1/mem" if os.geteuid() else path)  # no permission; a link to itself
    with pytest.raises(IndexingError) as found:
        read_checked(path, 0)
    assert isinstance(found.value, DamagedIndex) is damage
