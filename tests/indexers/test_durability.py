"""What is on disk is whole, and what could not be written changes nothing."""

import json
import multiprocessing
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from penstock.errors import DamagedIndex, IndexingError
from penstock.files import UNFINISHED
from penstock.indexers.durable import read_checked, write_durably
from penstock.indexers.faiss import FaissIndex
from penstock.indexers.manifest import Manifest, ManifestFile
from penstock.indexers.rank_bm25 import RankBM25Index
from penstock.indexers.tantivy import TantivyIndex
from penstock.model import Change
from penstock.ports import Index
from penstock.testing.contracts.indexes import entry_of, scope_of


class Words:
    fingerprint = "words"

    def tokens(self, text: str) -> list[str]:
        return text.split()

    def query_tokens(self, text: str) -> list[str]:
        return text.split()


OPENERS: dict[str, Callable[[Path], Index[object]]] = {
    "tantivy": lambda folder: TantivyIndex(folder, analyser=Words()),  # type: ignore[dict-item,return-value]  # queries differ
    "rank-bm25": lambda folder: RankBM25Index(folder, analyser=Words()),  # type: ignore[dict-item,return-value]  # same
    "faiss": lambda folder: FaissIndex(folder, identity="m", dimension=64),  # type: ignore[dict-item,return-value]  # same
}


def change(revision: int, count: int) -> Change:
    random = np.random.default_rng(revision)
    entries = (
        entry_of(
            1000 * revision + number, " ".join(map(str, random.integers(0, 10**9, 200))), random.random(64, np.float32)
        )
        for number in range(count)
    )
    return Change(since=revision - 1, revision=revision, removed=(), added=entries)


def _apply_on_a_full_disk(name: str, folder: Path, messages: "multiprocessing.Queue[str]") -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    index = OPENERS[name](folder)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    try:
        index.apply(change(2, 900))
    except IndexingError as error:
        messages.put(f"{type(error).__name__} at {index.revision} with {len(index.rows())}")
    else:
        messages.put("written")


@pytest.mark.parametrize("name", OPENERS)
def test_a_full_disk_leaves_the_index_as_it_was(tmp_path: Path, name: str) -> None:
    index = OPENERS[name](tmp_path)
    index.apply(change(1, 3))
    spawn = multiprocessing.get_context("spawn")
    messages = spawn.Queue()
    child = spawn.Process(target=_apply_on_a_full_disk, args=(name, tmp_path, messages))
    child.start()
    assert messages.get(timeout=60) == "IndexingError at 1 with 3"
    child.join(30)
    again = OPENERS[name](tmp_path)
    again.apply(change(2, 900))
    assert (index.revision, len(index.rows())) == (2, 903)
    assert not list(tmp_path.rglob(f"*{UNFINISHED}"))


def test_two_writers_do_not_meet(tmp_path: Path) -> None:
    index = TantivyIndex(tmp_path, analyser=Words())
    index.apply(change(1, 2))
    second = TantivyIndex(tmp_path, analyser=Words())

    def interrupted() -> object:
        with pytest.raises(IndexingError, match="Failed to acquire"):
            second.apply(change(2, 2))
        yield entry_of(5000, "pump")

    index.apply(Change(since=1, revision=2, removed=(), added=interrupted()))  # type: ignore[arg-type]  # yields entries
    assert index.rows().tolist() == [1000, 1001, 5000]
    assert len(index.search(["pump"], k=3, scope=scope_of())) == 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("[]", id="a list"),
        pytest.param('{"kind": "k"}', id="fields missing"),
        pytest.param(
            '{"kind": "k", "version": 1, "built_for": "b", "revision": -1, "entries": 0, "segments": []}', id="negative"
        ),
        pytest.param(
            '{"kind": "k", "version": 1, "built_for": "b", "revision": 1, "entries": 0, "segments": 3}', id="no list"
        ),
        pytest.param(
            '{"kind": "k", "version": 1, "built_for": "b", "revision": 1, "entries": 0, "segments": '
            '[{"data": {"name": "../x", "crc32": 1, "entries": 1}, "removed": null}]}',
            id="outside of the folder",
        ),
        pytest.param(
            '{"kind": "k", "version": 2, "built_for": "b", "revision": 1, "entries": 0, "segments": []}', id="newer"
        ),
        pytest.param("[" * 100_000, id="deep"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_damage(tmp_path: Path, text: str) -> None:
    file = ManifestFile(tmp_path, kind="k", version=1, built_for="b")
    file.path.write_text(text, encoding="utf-8")
    with pytest.raises(DamagedIndex):
        file.read()


def test_a_manifest_comes_back_as_it_was_written(tmp_path: Path) -> None:
    file = ManifestFile(tmp_path / "new", kind="k", version=1, built_for="b")
    assert (file.read(), file.stamp()) == (None, None)
    file.write(Manifest(revision=7, entries=3))
    before = file.stamp()
    assert file.read() == Manifest(revision=7, entries=3)
    assert json.loads(file.path.read_text(encoding="utf-8"))["built_for"] == "b"
    file.write(Manifest(revision=8, entries=3))
    assert before != file.stamp()


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    write_durably(tmp_path / "a", b"water")
    with pytest.raises(DamagedIndex, match="checksum"):
        read_checked(tmp_path / "a", 1)
    with pytest.raises(DamagedIndex, match="cannot be read"):
        read_checked(tmp_path / "b", 1)


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for name, open_index in OPENERS.items():
        index = open_index(tmp_path / "file" / name)
        with pytest.raises(IndexingError, match="cannot be written"):
            index.apply(change(1, 1))
