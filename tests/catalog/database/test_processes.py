"""Several processes and threads on one catalog; processes that are killed; a disk that is full."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.catalog import Batch, Catalog, Collection, open_catalog, writing
from penstock.errors import CatalogError, CollectionLocked
from penstock.model import Filter
from penstock.testing.contracts.catalog import cache_vectors, make_put, make_source

Committer = Callable[..., int]

COMMITS = """
import os, signal, sys
from sqlalchemy import Engine, event
from penstock.catalog import Batch, open_catalog
from penstock.testing.contracts.catalog import cache_vectors, make_put, make_source
url, name, last_words = sys.argv[1:]

def put(uri, paragraphs):
    return make_put(name, make_source(uri, labels={"team": "red"}), paragraphs)

catalog = open_catalog(url)
collection = catalog.collection(name, create=True)
puts = [put(f"file:///{n}", [f"{n} paragraph {p}" for p in range(20)]) for n in range(20)]
cache_vectors(catalog, "model-a", puts)
if last_words:
    def die(*args):
        if last_words == "COMMIT" or last_words in args[2]:
            os.kill(os.getpid(), signal.SIGKILL)
    event.listen(Engine, "commit" if last_words == "COMMIT" else "before_cursor_execute", die)
    collection.commit(Batch(puts=tuple(puts), removed=("file:///old",)), run=None, embedder="model-a")
else:
    for put in puts:
        collection.commit(Batch(puts=(put,)), run=None, embedder="model-a")
        print(collection.revision(), flush=True)
"""


def script(url: str, name: str, last_words: str = "") -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", COMMITS, url, name, last_words]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    "last_words",
    ["UPDATE documents", "INSERT INTO source_labels", "INSERT INTO chunks", "UPDATE collections", "COMMIT"],
)
def test_a_process_killed_in_a_commit_leaves_the_revision_before(
    commit: Committer, collection: Collection, url: str, last_words: str
) -> None:
    commit(make_put("books", make_source("file:///old"), ["old"]))
    before = list(collection.change(0, vectors=True).added)
    process = script(url, "books", last_words)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    after = list(collection.change(0, vectors=True).added)
    assert collection.revision() == 1
    assert [(entry.row, entry.chunk) for entry in after] == [(entry.row, entry.chunk) for entry in before]
    assert [known.source.uri for known in collection.sources()] == ["file:///old"]
    assert commit(make_put("books", make_source("file:///0"), ["again"])) == 2


def test_readers_see_each_revision_at_their_next_call(collection: Collection, url: str) -> None:
    process = script(url, "books")
    assert process.stdout is not None
    for line in process.stdout:
        revision = int(line)
        assert collection.revision() >= revision
        assert collection.chunk_count() >= 20 * revision
        scope = collection.scope(Filter(labels={"team": "red"}))
        rows = scope.rows()
        assert rows is not None
        assert len(rows) == 20 * scope.revision
        assert len(collection.hydrate(rows.tolist(), scope=scope)) == len(rows)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")


def test_writers_of_two_collections_wait_for_each_other(catalog: Catalog, url: str) -> None:
    for process in [script(url, name) for name in ("left", "right")]:
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
    assert [(info.name, info.revision, info.chunks) for info in catalog.collections()] == [
        ("left", 20, 400),
        ("right", 20, 400),
    ]


def test_two_processes_may_open_a_new_catalog_at_once(empty_url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        for catalog in threads.map(lambda _: open_catalog(empty_url), range(4)):
            assert catalog.collections() == ()
            catalog.close()


def test_threads_share_a_collection(catalog: Catalog, collection: Collection) -> None:
    def work(n: int) -> int:
        put = make_put("books", make_source(f"file:///{n}"), [f"{n} one", f"{n} two"])
        cache_vectors(catalog, "model-a", [put])
        collection.commit(Batch(puts=(put,)), run=None, embedder="model-a")
        return len(collection.hydrate(collection.live_rows().tolist(), scope=collection.scope(Filter())))

    with ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(work, range(40)))
    assert max(seen) == 80
    assert (collection.revision(), collection.chunk_count()) == (40, 80)


@contextmanager
def full_disk(spare: int, path: Path) -> Iterator[None]:
    """A disk on which no file can grow to more than `spare` bytes above the size of this file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + spare, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_full_disk_leaves_nothing_half_visible(
    catalog: Catalog, commit: Committer, collection: Collection, home: Path
) -> None:
    commit(make_put("books", make_source("file:///old"), ["old"]))
    paragraphs = [f"{n} " + "long " * 400 for n in range(100)]
    large = make_put("books", make_source("file:///large"), paragraphs)
    cache_vectors(catalog, "model-a", [large])
    with (
        full_disk(20_000, home / "catalog.db-wal"),
        pytest.raises(CatalogError, match=r"make room|check the disk"),
    ):
        collection.commit(Batch(puts=(large,), removed=("file:///old",)), run=None, embedder="model-a")
    assert collection.revision() == 1
    assert [known.source.uri for known in collection.sources()] == ["file:///old"]
    assert collection.commit(Batch(puts=(large,)), run=None, embedder="model-a") == 2


def test_a_second_writer_is_told_who_writes(tmp_path: Path) -> None:
    with writing(tmp_path / "locks", "books"):
        with pytest.raises(CollectionLocked, match=str(os.getpid())), writing(tmp_path / "locks", "books"):
            pass
        with writing(tmp_path / "locks", "other"):
            pass
    with writing(tmp_path / "locks", "books", timeout=1):
        pass


def test_a_killed_writer_leaves_no_lock(tmp_path: Path) -> None:
    code = (
        "import os, sys, time; from pathlib import Path; from penstock.catalog import writing\n"
        "with writing(Path(sys.argv[1]), 'books'):\n    print(os.getpid(), flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    holder = process.stdout.readline().strip()
    with pytest.raises(CollectionLocked, match=f"process {holder} "), writing(tmp_path, "books"):
        pass
    process.kill()
    process.communicate(timeout=60)
    with writing(tmp_path, "books"):
        pass


def test_a_holder_that_has_not_said_its_number_is_unknown(tmp_path: Path) -> None:
    with writing(tmp_path, "books"):
        (tmp_path / "books.writer").unlink()
        with pytest.raises(CollectionLocked, match="unknown"), writing(tmp_path, "books"):
            pass


def test_a_lock_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(CatalogError, match="cannot be locked"), writing(tmp_path / "file" / "locks", "books"):
        pass
