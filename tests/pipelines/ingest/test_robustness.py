"""Runs that are killed or disturbed, or that find damage: nothing is lost, stored twice or done again."""

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.catalog import held, writing
from penstock.errors import CatalogError, CollectionLocked, IndexingError
from penstock.indexers.tantivy import TantivyIndex
from penstock.model import RunReport
from penstock.pipelines.indexing.storage import place_of
from penstock.pipelines.workspace import Penstock
from penstock.settings import read_settings
from penstock.testing.doubles.embedders import LittleModel

FILES = 7
PROGRAM = """
import os, signal, sys
from importlib import import_module
from penstock.pipelines.ingest import ingest
from penstock.pipelines.workspace import Penstock
from penstock.settings import read_settings
from penstock.testing.doubles.embedders import LittleModel

home, folder, target, when, calls = sys.argv[1:]
ingest.SECONDS_BETWEEN_FOLLOWS = 0

def kill_at(target, when, left):
    module, _, name = target.rpartition(":")
    holder, _, last = name.rpartition(".")
    holder = getattr(import_module(module), holder) if holder else import_module(module)
    real = getattr(holder, last)
    def deadly(*arguments, **options):
        nonlocal left
        left -= 1
        if left == 0 and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*arguments, **options)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    setattr(holder, last, deadly)

if target:
    kill_at(target, when, int(calls))
with Penstock(settings=read_settings(home=home, batch=2), embedder=LittleModel()) as penstock:
    report = penstock.ingest(folder, watch=lambda result: print(result.outcome, flush=True))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    documents = tmp_path / "documents"
    documents.mkdir()
    for number in range(FILES):
        (documents / f"paper {number}.md").write_text(f"# Paper {number}\n\nTurbine{number} 年假{number}天\n", "utf-8")
    return documents


def run(home: Path, folder: Path, target: str = "", when: str = "", calls: int = 0) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", PROGRAM, str(home), str(folder), target, when, str(calls)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def names(penstock: Penstock) -> list[str]:
    return sorted(Path(source.source.uri.replace("%20", " ")).name for source in penstock.collection.sources())


def whole(penstock: Penstock, report: RunReport) -> bool:
    """Every file is there once, in catalog and indexes, and each is found by its own word."""
    found = [penstock.search(f"turbine{number}").hits[0].title for number in range(FILES)]
    counts = report.chunks
    return (
        penstock.doctor().ok
        and counts.catalog == counts.keyword == counts.vector == FILES
        and names(penstock) == [f"paper {number}.md" for number in range(FILES)]
        and found == [f"Paper {number}" for number in range(FILES)]
    )


@pytest.mark.parametrize(
    ("target", "when", "calls"),
    [
        pytest.param(
            "penstock.engines.embedders.cached:CachedEmbedder.embed", "after", 2, id="embedded, not committed"
        ),
        pytest.param("penstock.catalog:Collection.commit", "after", 1, id="committed, not followed, first time"),
        pytest.param("penstock.catalog:Collection.commit", "after", 3, id="committed, not followed"),
        pytest.param("penstock.indexers.manifest:ManifestFile.write", "before", 1, id="keyword data without manifest"),
        pytest.param("penstock.indexers.tantivy:TantivyIndex.apply", "after", 2, id="keyword ahead of vector"),
        pytest.param("penstock.indexers.faiss:write_durably", "after", 2, id="vector data without manifest"),
        pytest.param("penstock.catalog:Collection.finish_run", "before", 1, id="all done, not noted"),
    ],
)
def test_a_run_that_is_killed_loses_nothing_and_the_next_one_completes_it(
    penstock: Penstock, folder: Path, home: Path, target: str, when: str, calls: int
) -> None:
    process = run(home, folder, target, when, calls)
    printed, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, errors
    reported = printed.count("indexed")
    assert reported <= len(names(penstock)), "what was reported is committed"
    if penstock.collection.revision():
        for hit in penstock.search("turbine 年假").hits:
            assert hit.chunk.text in Path(folder, f"{hit.title}.md".lower()).read_text("utf-8")
        assert penstock.doctor().ok, "a search brings the indexes back in step"
    committed = len(names(penstock))
    report = penstock.ingest(folder)
    assert (report.count("unchanged"), report.count("indexed")) == (committed, FILES - committed)
    assert whole(penstock, report)


def test_a_first_commit_that_nothing_followed_is_found_by_the_next_search(
    penstock: Penstock, folder: Path, home: Path
) -> None:
    run(home, folder, "penstock.catalog:Collection.commit", "after", 1).communicate(timeout=60)
    assert [problem.what for problem in penstock.doctor().problems] == ["behind", "missing"] * 2
    assert len(penstock.search("turbine0").hits) > 0
    assert penstock.doctor().ok


def test_searching_while_another_process_ingests(penstock: Penstock, folder: Path, home: Path) -> None:
    penstock.ingest(folder)
    for number in range(FILES):
        (folder / f"paper {number}.md").write_text(f"# Paper {number}\n\nTurbine{number} 病假{number}天\n", "utf-8")
    process = run(home, folder)
    seen = set[int]()
    while process.poll() is None:
        found = penstock.search("turbine3")
        seen.add(found.revision)
        assert found.hits[0].title == "Paper 3"
        assert len({hit.chunk.document_id for hit in found.hits}) == len(found.hits), "never the old and the new text"
    assert process.communicate()[1] == ""
    assert max(penstock.search("病假").revision, *seen) == penstock.collection.revision()
    assert penstock.search("病假3天").hits[0].title == "Paper 3"


def test_the_command_says_which_process_is_writing(folder: Path, home: Path) -> None:
    command = [sys.executable, "-c", "from penstock.cli import main; main()", "ingest", str(folder)]
    command += ["--set", "lock_seconds=0.1"]
    with writing(home / "collections", "default"):
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert f"process {os.getpid()} is writing to collection 'default'" in ended.stderr
    assert "Traceback" not in ended.stderr


def _truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _fill(path: Path) -> None:
    path.write_bytes(b"\x00" * path.stat().st_size)


@pytest.mark.parametrize("index", ["keyword", "vector"])
@pytest.mark.parametrize(
    "damage", [pytest.param(damage, id=damage.__name__) for damage in (os.unlink, _truncate, _fill)]
)
def test_a_damaged_index_is_set_aside_and_built_anew_without_parsing_or_embedding(
    penstock: Penstock, folder: Path, home: Path, model: LittleModel, index: str, damage: Callable[[Path], None]
) -> None:
    penstock.ingest(folder)
    penstock.close()
    (place,) = (home / "collections").glob(f"default-*/{index}-*")
    for path in sorted(place.rglob("*")):
        if path.is_file() and path.name != "manifest.json":
            damage(path)
    embedded = len(model.embedded)
    assert penstock.search("turbine3").hits[0].title == "Paper 3"
    assert len(list(place.parent.glob(f"{place.name}.aside-*"))) == 1
    report = penstock.ingest(folder)
    assert (report.parsed, report.embedded, len(model.embedded) - embedded) == (0, 0, 1), "the question alone"
    assert whole(penstock, report)


@pytest.mark.parametrize("index", ["keyword", "vector"])
@pytest.mark.parametrize("lost", ["", "manifest.json"])
def test_an_index_that_was_deleted_is_built_anew(
    penstock: Penstock, folder: Path, home: Path, index: str, lost: str
) -> None:
    penstock.ingest(folder)
    (folder / "paper 6.md").unlink()
    penstock.ingest(folder)
    penstock.close()
    (place,) = (home / "collections").glob(f"default-*/{index}-*")
    shutil.rmtree(place) if not lost else (place / lost).unlink()
    assert penstock.search("turbine3").hits[0].title == "Paper 3"
    assert penstock.doctor().ok


def test_an_index_whose_damage_shows_in_a_search_only_is_built_anew(
    penstock: Penstock, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    penstock.ingest(folder)
    penstock.search("turbine1")
    from penstock.errors import DamagedIndex

    real, calls = TantivyIndex.search, list[str]()

    def fails_once(self: TantivyIndex, query: list[str], **options: object) -> object:
        calls.append("")
        if len(calls) == 1:
            raise DamagedIndex("a block cannot be read")
        return real(self, query, **options)  # type: ignore[arg-type] # handed on as it came

    monkeypatch.setattr(TantivyIndex, "search", fails_once)
    assert penstock.search("turbine3").hits[0].title == "Paper 3"
    assert penstock.doctor().ok


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_catalog_that_was_put_back_takes_its_indexes_back(penstock: Penstock, folder: Path, home: Path) -> None:
    penstock.ingest(folder)
    penstock.close()
    for copy in home.glob("catalog.db*"):
        shutil.copy(copy, home / f"copy-{copy.name}")
    (folder / "paper 6.md").unlink()
    penstock.ingest(folder)
    penstock.close()
    for copy in home.glob("copy-*"):
        copy.replace(home / copy.name.removeprefix("copy-"))
    assert "Paper 6" in [hit.title for hit in penstock.search("turbine6").hits]
    assert penstock.doctor().ok


def test_where_nothing_can_be_written_the_last_state_is_searched(
    penstock: Penstock, folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    penstock.ingest(folder)
    (folder / "new.md").write_text("# New\n\nTurbine9", "utf-8")
    run(home, folder, "penstock.catalog:Collection.commit", "after", 1).communicate(timeout=60)

    def refuses(*_arguments: object, **_options: object) -> None:
        raise CatalogError("collection 'default' cannot be locked: read-only file system")

    monkeypatch.setattr("penstock.pipelines.indexing.turns.held", refuses)
    assert penstock.search("turbine3").revision == penstock.collection.revision() - 1
    shutil.rmtree(next((home / "collections").glob("default-*")))
    with Penstock(home) as read_only, pytest.raises(CatalogError, match="read-only"):
        read_only.search("turbine3")


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_home_that_may_only_be_read_is_searched_and_left_as_it_is(
    penstock: Penstock, folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    penstock.ingest(folder)
    penstock.close()
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*")}
    monkeypatch.setattr(os, "access", lambda *_: False)  # tests may run as root, who may write everywhere
    with Penstock(home) as reading:
        assert reading.search("turbine3").hits[0].title == "Paper 3"
        assert reading.doctor().ok
        with pytest.raises(CatalogError, match="readonly"):
            reading.ingest(folder)
    after = {path: path.stat().st_mtime_ns for path in home.rglob("*")}
    assert {path for path in after if before.get(path) != after[path]} <= {home / "collections", *home.rglob("*.lock")}


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_full_disk_stops_the_run_and_harms_nothing(penstock: Penstock, folder: Path, home: Path) -> None:
    penstock.ingest(folder)
    for number in range(40):
        text = " ".join(f"w{number * 7919 + n}" for n in range(4000))
        (folder / f"more {number}.txt").write_text(text, "utf-8")
    largest = max(path.stat().st_size for path in home.rglob("*"))
    arguments = [sys.executable, "-c", PROGRAM, str(home), str(folder), "", "", "0"]
    ended = subprocess.run(
        arguments,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 200_000,) * 2),
    )
    assert ended.returncode == 1
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith(("penstock.errors.CatalogError", "penstock.errors.IndexingError")), last
    assert "disk" in last or "File too large" in last
    assert penstock.search("turbine3").hits[0].title == "Paper 3"
    assert penstock.doctor().ok
    assert penstock.ingest(folder).count("failed") == 0
    assert penstock.doctor().ok


def test_what_ended_a_run_is_told_also_when_the_indexes_fail_too(
    penstock: Penstock, folder: Path, model: LittleModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_arguments: object, **_options: object) -> None:
        raise IndexingError("no space left")

    penstock.ingest(folder)
    (folder / "new.md").write_text("# New", "utf-8")

    def fails(*_arguments: object, **_options: object) -> None:
        monkeypatch.setattr(TantivyIndex, "apply", refuses)
        raise CatalogError("the disk is full")

    monkeypatch.setattr("penstock.catalog.Collection.commit", fails)
    with pytest.raises(CatalogError, match="the disk is full"):
        penstock.ingest(folder)
    assert [run.status for run in penstock.collection.runs()] == ["finished", "failed"]


def test_a_file_that_takes_too_long_costs_itself_and_is_tried_again_when_the_limit_changes(
    penstock: Penstock, folder: Path, home: Path
) -> None:
    hasty = Penstock(settings=read_settings(home=home, limits={"parse_seconds": 0.001}))
    for _ in range(2):
        report = hasty.ingest(folder)
        assert report.count("failed") == FILES
        assert "limits.parse_seconds" in report.results[0].reason
    assert report.parsed == 0
    assert "when the file, a limit or the chunker changes" in report.results[0].reason
    hasty.close()
    assert whole(penstock, penstock.ingest(folder))


def test_locked_by_another_process_before_anything_can_be_searched(
    penstock: Penstock, folder: Path, home: Path
) -> None:
    run(home, folder, "penstock.catalog:Collection.commit", "after", 1).communicate(timeout=60)
    hasty = Penstock(settings=penstock.settings.model_copy(update={"lock_seconds": 0.1}))
    with hasty, writing(home / "collections", "default"):
        assert hasty.search("turbine1").hits, "a commit hinders no search"
    shutil.rmtree(place_of(home, penstock.collection))
    at_work = held(place_of(home, penstock.collection) / "following.lock", "is updating the indexes", timeout=0)
    with hasty, at_work, pytest.raises(CollectionLocked):
        hasty.search("turbine1")
