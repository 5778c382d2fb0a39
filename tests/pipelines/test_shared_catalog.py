"""Homes on several machines over one PostgreSQL catalog: they commit in turn, and all see each commit."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.errors import CatalogError, CatalogUnavailable, CollectionLocked
from penstock.model import Filter
from penstock.pipelines.workspace import Penstock
from penstock.settings import read_settings
from penstock.testing.doubles.embedders import LittleModel
from tests.servers.postgresql import PostgresqlServer

pytestmark = pytest.mark.postgresql
FILES = 16
PROGRAM = """
import sys
from penstock.pipelines.workspace import Penstock
from penstock.settings import read_settings
from penstock.testing.doubles.embedders import LittleModel
with Penstock(settings=read_settings(home=sys.argv[1], batch=1), embedder=LittleModel()) as penstock:
    penstock.ingest(sys.argv[2], watch=lambda result: print(result.outcome, flush=True))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    documents = tmp_path / "documents"
    documents.mkdir()
    for number in range(FILES):
        (documents / f"{number}.md").write_text(f"# Paper {number}\n\nTurbine{number} 年假{number}天\n", "utf-8")
    return documents


@pytest.fixture
def homes(
    model: LittleModel, tmp_path: Path, postgresql_catalog: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Penstock, Penstock]]:
    monkeypatch.setenv("PENSTOCK_CATALOG__URL", postgresql_catalog)
    with Penstock(tmp_path / "one", embedder=model) as first, Penstock(tmp_path / "two", embedder=model) as second:
        yield first, second


def ingesting(home: Path, folder: Path) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", PROGRAM, str(home), str(folder)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def titles(penstock: Penstock, question: str) -> list[str]:
    return sorted(hit.title for hit in penstock.search(question, k=FILES).hits)


def test_each_home_follows_the_catalog_with_indexes_of_its_own(homes: tuple[Penstock, Penstock], folder: Path) -> None:
    first, second = homes
    first.ingest(folder)
    assert titles(first, "turbine3 年假") == titles(second, "turbine3 年假")
    (folder / "3.md").unlink()
    (folder / "new.md").write_text("# New\n\nTurbine99\n", "utf-8")
    report = second.ingest(folder)
    assert (report.count("removed"), report.count("indexed"), report.parsed) == (1, 1, 1)
    for penstock in homes:
        assert first.search("turbine99").hits[0].title == "New"
        assert "Paper 3" not in titles(penstock, "turbine3 年假")
        assert penstock.doctor().ok
        assert not (penstock.settings.home / "catalog.db").exists()


def test_both_write_at_once_and_go_on_searching(homes: tuple[Penstock, Penstock], folder: Path) -> None:
    first, second = homes
    second.ingest(folder)
    for path in folder.iterdir():
        path.write_text(path.read_text("utf-8").replace("年假", "病假"), "utf-8")
    process = ingesting(first.settings.home, folder)
    assert process.stdout is not None
    process.stdout.readline()
    seen = {second.search("turbine3").revision}
    assert second.ingest(folder).discovered == FILES
    while process.poll() is None:
        found = second.search("turbine3")
        seen.add(found.revision)
        assert found.hits[0].title == "Paper 3"
    assert process.communicate()[1] == ""
    assert process.returncode == 0
    assert len(seen | {second.search("turbine3").revision}) > 1, "the indexes of a home follow while another writes"
    assert len(titles(second, "turbine 病假")) == FILES
    for penstock in homes:
        assert penstock.search("病假3天").hits[0].title == "Paper 3"
        assert penstock.doctor().ok


def test_a_commit_waits_only_so_long_for_that_of_another_machine(
    homes: tuple[Penstock, Penstock], folder: Path
) -> None:
    first, second = homes
    first.ingest(folder)
    hasty = Penstock(settings=second.settings.model_copy(update={"lock_seconds": 0.1}))
    (folder / "new.md").write_text("# New", "utf-8")
    with hasty, first._lock(), pytest.raises(CollectionLocked, match=f"process {os.getpid()} on .* is writing"):
        hasty.ingest(folder)
    assert second.ingest(folder).count("indexed") == 1


def test_a_writer_killed_at_random_moments_loses_nothing(homes: tuple[Penstock, Penstock], folder: Path) -> None:
    first, second = homes
    chance = random.Random(4)
    for _ in range(3):
        process = ingesting(first.settings.home, folder)
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(chance.randint(1, 4))]
        time.sleep(chance.random() / 20)
        process.send_signal(signal.SIGKILL)
        lines += process.communicate(timeout=60)[0].splitlines()
        assert len(lines) <= len(list(second.collection.sources()))
        assert second.search("turbine 年假").hits
        assert second.doctor().ok
    report = second.ingest(folder)
    assert report.count("indexed") + report.count("unchanged") == FILES
    assert first.search("turbine3").hits[0].title == "Paper 3"
    assert first.doctor().ok


def test_a_server_killed_while_a_run_commits_stops_the_run_and_harms_nothing(
    mortal_postgresql: PostgresqlServer, model: LittleModel, tmp_path: Path, folder: Path
) -> None:
    settings = read_settings(home=tmp_path / "one", catalog={"url": mortal_postgresql.url}, batch=1)
    with Penstock(settings=settings) as penstock:
        for results in (3, 8):
            seen: list[str] = []

            def kill(result: object, seen: list[str] = seen, results: int = results) -> None:
                seen.append("")
                if len(seen) == results:
                    mortal_postgresql.kill()

            with pytest.raises(CatalogUnavailable, match="check that the server runs"):
                penstock.ingest(folder, watch=kill)
            with pytest.raises(CatalogError):
                penstock.search("turbine3")
            mortal_postgresql.start()
            assert penstock.search("turbine 年假").hits
            assert penstock.doctor().ok
        assert penstock.ingest(folder).count("unchanged") >= 7
        assert penstock.doctor().ok


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("where", "count"),
    [
        pytest.param(Filter(sources=("*/1?.md",)), 6, id="glob"),
        pytest.param(Filter(sources=("*/documents/[!0-9]*.md",)), 0, id="set"),
        pytest.param(Filter(labels={"team": "red"}), FILES, id="label"),
        pytest.param(Filter(labels={"team": "blue"}), 0, id="other label"),
        pytest.param(Filter(media_types=("text/*",)), FILES, id="media type"),
        pytest.param(Filter(languages=("xx",)), 0, id="language"),
        pytest.param(Filter(principals=frozenset({"ann"})), FILES, id="reader"),
        pytest.param(Filter(principals=frozenset({"eve"})), 0, id="stranger"),
        pytest.param(Filter(pages=(1, 2)), 0, id="pages"),
    ],
)
def test_a_search_keeps_to_its_filter(penstock: Penstock, folder: Path, where: Filter, count: int) -> None:
    penstock.ingest(folder, labels={"team": "red"}, access=["ann"])
    assert len(penstock.search("turbine 年假 paper", k=FILES, where=where).hits) == count


def test_a_home_that_is_lost_is_built_anew_from_the_catalog(
    homes: tuple[Penstock, Penstock], folder: Path, model: LittleModel
) -> None:
    first, _ = homes
    first.ingest(folder)
    first.close()
    shutil.rmtree(first.settings.home)
    embedded = len(model.embedded)
    assert first.search("turbine3").hits[0].title == "Paper 3"
    assert len(model.embedded) == embedded + 1, "the question alone"
