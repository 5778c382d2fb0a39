"""Several workers at one collection at once: together they leave the same content as a single worker."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from penstock.catalog.commit.cursors import Cursor
from penstock.errors import CatalogError
from penstock.model import Filter, RunReport, SourceResult
from penstock.pipelines.ingest.reading import FoundSource
from penstock.pipelines.ingest.records import Record
from penstock.pipelines.stepwise import Stepwise
from penstock.pipelines.workspace import Penstock
from penstock.settings import read_settings
from penstock.settings.groups import HistorySettings
from penstock.testing.doubles.embedders import LittleModel

FILES = 6
PROGRAM = """
import sys
from penstock.pipelines.workspace import Penstock
from penstock.settings import read_settings
from penstock.testing.doubles.embedders import LittleModel
with Penstock(settings=read_settings(home=sys.argv[1], batch=1), embedder=LittleModel()) as penstock:
    penstock.ingest(sys.argv[2], watch=lambda result: print(result.outcome, flush=True))
"""
Meet = Callable[[Callable[[], object]], None]


def written(folder: Path, name: str, edition: str = "first") -> Path:
    """A folder of short papers, each of which names its folder."""
    there = folder / name
    there.mkdir(exist_ok=True)
    for number in range(FILES):
        (there / f"{number}.md").write_text(f"# {name} {number}\n\nTurbine{number} of {name}, {edition}\n", "utf-8")
    return there


@pytest.fixture
def red(tmp_path: Path) -> Path:
    return written(tmp_path, "red")


@pytest.fixture
def blue(tmp_path: Path) -> Path:
    return written(tmp_path, "blue")


@pytest.fixture
def second(penstock: Penstock, model: LittleModel) -> Iterator[Penstock]:
    """A second worker at the same collection."""
    with Penstock(settings=penstock.settings, embedder=model) as opened:
        yield opened


@pytest.fixture
def before_the_commit(penstock: Penstock, monkeypatch: pytest.MonkeyPatch) -> Meet:
    """Makes something happen once, when the first worker has read and embedded everything and is about to commit."""

    def meet(happens: Callable[[], object]) -> None:
        lock, waiting = penstock._lock, [happens]

        def after_it() -> AbstractContextManager[None]:
            if waiting:
                waiting.pop()()
            return lock()

        monkeypatch.setattr(penstock, "_lock", after_it)

    return meet


def once(happens: Callable[[], object]) -> Callable[[SourceResult], None]:
    waiting = [happens]

    def watch(_: SourceResult) -> None:
        if waiting:
            waiting.pop()()

    return watch


def held(penstock: Penstock) -> dict[str, tuple[str, str]]:
    """The text and the id of each source's document."""
    return {
        source.uri: (stored.document.text, stored.document.id)
        for stored in penstock.collection.documents()
        for source in stored.sources
    }


def indexed(penstock: Penstock) -> list[list[str]]:
    """The ids of the chunks that the keyword index and the vector index hold."""
    followers = penstock._followers
    return [
        sorted(penstock.collection.chunk_ids(follower.index.rows()).values())
        for follower in (followers.keyword, followers.vector)
    ]


def as_by_one(penstock: Penstock, model: LittleModel, home: Path, *folders: Path) -> None:
    """Checks that the collection has the content that a single worker leaves, and that the indexes agree."""
    settings = read_settings(home=home, catalog={"url": ""})
    with Penstock(settings=settings, embedder=model) as alone:
        for folder in folders:
            alone.ingest(folder)
        assert held(penstock) == held(alone)
        assert indexed(penstock) == indexed(alone)
    assert penstock.doctor(deep=True).ok


def ingesting(penstock: Penstock, folder: Path) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", PROGRAM, str(penstock.settings.home), str(folder)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_another_worker_comes_and_goes_while_a_run_reads(
    penstock: Penstock, second: Penstock, model: LittleModel, red: Path, blue: Path, tmp_path: Path
) -> None:
    small = Penstock(settings=penstock.settings.model_copy(update={"batch": 1}), embedder=model)
    reports: list[RunReport] = []
    with small:
        reports.append(small.ingest(red, watch=once(lambda: reports.append(second.ingest(blue)))))
    assert [report.count("indexed") for report in reports] == [FILES, FILES]
    runs = [revision.run for revision in penstock.collection.revisions()]
    assert runs[0] == runs[-1] != runs[1], "the second run is inside of the first"
    as_by_one(penstock, model, tmp_path / "alone", red, blue)


def test_one_can_go_back_to_before_two_runs_whose_commits_alternate(
    penstock: Penstock, second: Penstock, model: LittleModel, red: Path, blue: Path
) -> None:
    penstock.add([Record(uri="app:1", text="Ten days carry over.")])
    settings = penstock.settings.model_copy(update={"batch": 1, "history": HistorySettings(keep=3)})
    with Penstock(settings=settings, embedder=model) as small:
        small.ingest(red, watch=once(lambda: second.ingest(blue)))
        assert small.collection.revision() > 3
        small.rollback(1)
    assert set(held(penstock)) == {"app:1"}


def test_a_run_that_is_at_work_is_not_taken_for_a_dead_one(penstock: Penstock, second: Penstock, red: Path) -> None:
    seen: list[list[str]] = []

    def look() -> None:
        second.add([Record(uri="app:1", text="Ten days carry over.")])
        second.compact(keep=1)
        seen.append([run.status for run in second.collection.runs()])

    penstock.ingest(red, watch=once(look))
    assert seen == [["running", "finished"]]
    assert [run.status for run in second.collection.runs()] == ["finished", "finished"]
    assert penstock.doctor().ok


def test_two_that_read_the_same_folder_keep_each_source_once(
    penstock: Penstock,
    second: Penstock,
    model: LittleModel,
    red: Path,
    tmp_path: Path,
    before_the_commit: Meet,
) -> None:
    before_the_commit(lambda: second.ingest(red))
    report = penstock.ingest(red)
    assert report.count("unchanged") == FILES
    assert penstock.collection.revision() == 1, "nothing was written twice"
    as_by_one(penstock, model, tmp_path / "alone", red)


def test_what_was_read_is_not_put_over_something_newer(
    penstock: Penstock, second: Penstock, red: Path, before_the_commit: Meet
) -> None:
    before_the_commit(lambda: (written(red.parent, "red", "second"), second.ingest(red)))
    penstock.ingest(red)
    texts = [text for text, _ in held(penstock).values()]
    assert len(texts) == FILES
    assert all("second" in text for text in texts)
    assert penstock.doctor(deep=True).ok


def test_a_copy_of_what_another_run_has_removed_is_read_itself(
    penstock: Penstock, second: Penstock, red: Path, tmp_path: Path, before_the_commit: Meet
) -> None:
    penstock.ingest(red)
    copies = tmp_path / "copies"
    copies.mkdir()
    (copies / "copy.md").write_bytes((red / "0.md").read_bytes())
    before_the_commit(lambda: second.remove(red))
    assert penstock.ingest(copies).count("indexed") == 1
    assert [uri.rpartition("/")[2] for uri in held(penstock)] == ["copy.md"]
    assert penstock.doctor(deep=True).ok


def test_what_one_removes_on_request_another_does_not_bring_back_unread(
    penstock: Penstock, second: Penstock, model: LittleModel, red: Path, blue: Path, tmp_path: Path
) -> None:
    penstock.ingest(red)
    written(blue.parent, "blue", "second")
    penstock.ingest(blue, watch=once(lambda: second.remove(red)))
    as_by_one(penstock, model, tmp_path / "alone", blue)


def test_who_may_see_a_source_follows_what_another_run_said_meanwhile(
    penstock: Penstock, second: Penstock, red: Path, before_the_commit: Meet
) -> None:
    penstock.ingest(red)
    written(red.parent, "red", "second")
    before_the_commit(lambda: second.ingest(red, access=["hr"]))
    penstock.ingest(red)
    assert {source.source.access for source in penstock.collection.sources()} == {frozenset({"hr"})}
    assert penstock.search("turbine1", where=Filter(principals=frozenset())).hits == ()


def test_a_new_source_inherits_from_what_was_said_of_its_folder_meanwhile(
    penstock: Penstock, second: Penstock, red: Path, before_the_commit: Meet
) -> None:
    first, *others = sorted(red.iterdir())
    for path in others:
        path.rename(path.with_suffix(".later"))
    penstock.ingest(red, access=["ann"])
    for path in others:
        path.with_suffix(".later").rename(path)
    before_the_commit(lambda: second.ingest(red, access=["hr"]))
    penstock.ingest(red)
    assert {source.source.access for source in penstock.collection.sources()} == {frozenset({"hr"})}
    assert first.exists()


def test_what_another_run_brought_after_the_listing_is_not_taken_for_gone(
    penstock: Penstock, second: Penstock, red: Path, before_the_commit: Meet
) -> None:
    penstock.ingest(red)
    (red / "0.md").unlink()
    (red / "1.md").write_text("# red 1\n\nchanged", "utf-8")

    def come() -> None:
        (red / "late.md").write_text("# late\n\nTurbine99", "utf-8")
        second.ingest(red / "late.md")

    before_the_commit(come)
    assert penstock.ingest(red).count("removed") == 1
    assert "late.md" in [uri.rpartition("/")[2] for uri in held(penstock)]
    assert penstock.search("turbine99").hits
    assert penstock.doctor().ok


def test_a_plan_removes_nothing_that_came_after_it(model: LittleModel, penstock: Penstock, red: Path) -> None:
    penstock.ingest(red)
    with Stepwise(settings=penstock.settings, embedder=model) as stepwise:
        (red / "0.md").unlink()
        plan, run = stepwise.plan(red), stepwise.begin("ingest")
        (red / "0.md").write_text("# red 0\n\nback again", "utf-8")
        penstock.ingest(red / "0.md")
        assert stepwise.finish(plan, [], run=run).count("removed") == 0
    assert len(held(penstock)) == FILES


def test_a_model_that_was_switched_meanwhile_ends_the_run(
    penstock: Penstock, red: Path, blue: Path, before_the_commit: Meet
) -> None:
    penstock.ingest(red)
    with Penstock(settings=penstock.settings, embedder=LittleModel(dimension=12)) as switching:
        before_the_commit(lambda: switching.ingest(red))
        with pytest.raises(CatalogError, match="vectors of two models cannot be compared"):
            penstock.ingest(blue)
        assert switching.doctor(deep=True).ok
        assert len(held(switching)) == FILES


def test_vectors_that_were_cleared_away_before_the_commit_are_made_once_more(
    penstock: Penstock, second: Penstock, red: Path, blue: Path, before_the_commit: Meet
) -> None:
    penstock.ingest(red)
    before_the_commit(lambda: second.compact(keep=1))
    assert penstock.ingest(blue).count("indexed") == FILES
    assert penstock.doctor(deep=True).ok


def test_batches_are_taken_by_several_threads_at_once(
    penstock: Penstock, model: LittleModel, red: Path, blue: Path, tmp_path: Path
) -> None:
    with Stepwise(settings=penstock.settings, embedder=model) as stepwise:
        plan, run = stepwise.plan(red, blue), stepwise.begin("ingest")
        with ThreadPoolExecutor(4) as pool:
            done = list(pool.map(lambda batch: stepwise.take(batch, run=run), plan.batches(2)))
        report = stepwise.finish(plan, done, run=run)
    assert (report.count("indexed"), report.interrupted) == (2 * FILES, False)
    as_by_one(penstock, model, tmp_path / "alone", red, blue)


def taken(home: Path, batch: Sequence[FoundSource], run: int) -> None:
    with Stepwise(home, embedder=LittleModel()) as stepwise:
        stepwise.take(batch, run=run)


def test_batches_are_taken_by_several_processes_of_which_one_dies(
    penstock: Penstock, model: LittleModel, red: Path, blue: Path, tmp_path: Path
) -> None:
    with Stepwise(settings=penstock.settings, embedder=model) as stepwise:
        plan, run = stepwise.plan(red, blue), stepwise.begin("ingest")
        batches = plan.batches(4)
        workers = [
            get_context("spawn").Process(target=taken, args=(penstock.settings.home, batch, run)) for batch in batches
        ]
        for worker in workers:
            worker.start()
        while not penstock.collection.revision():
            time.sleep(0.01)
        workers[0].kill()
        for worker in workers:
            worker.join(timeout=100)
        assert [worker.exitcode for worker in workers[1:]] == [0, 0]
        assert len(held(penstock)) >= 2 * FILES - 4
        assert penstock.search("turbine1").revision == penstock.collection.revision()
        assert penstock.doctor().ok
        done = [stepwise.take(batch, run=run) for batch in batches]
        assert sum(report.parsed for report in done) <= 4
        assert not stepwise.finish(plan, done, run=run).interrupted
    as_by_one(penstock, model, tmp_path / "alone", red, blue)


def test_a_cursor_is_not_kept_where_another_run_removed_what_was_listed(penstock: Penstock, second: Penstock) -> None:
    penstock.add([Record(uri="wiki://a/1", text="Ten days."), Record(uri="notes://b/1", text="Twelve days.")])
    since, collection = penstock.collection.revision(), penstock.collection
    cursors = [Cursor(address=address, text="7", mark="") for address in ("wiki://a", "notes://b")]
    second.remove("wiki://a/1")
    collection.keep_cursors(cursors, removed=(), run=1, since=since)
    assert (collection.cursor("wiki://a"), collection.cursor("notes://b")) == (None, cursors[1])
    collection.keep_cursors(cursors, removed=(), run=1, since=collection.revision())
    assert collection.cursor("wiki://a") == cursors[0]


def test_two_processes_bring_a_folder_each_and_one_of_them_dies(
    penstock: Penstock, model: LittleModel, red: Path, blue: Path, tmp_path: Path
) -> None:
    chance = random.Random(7)
    living, dying = ingesting(penstock, red), ingesting(penstock, blue)
    assert dying.stdout is not None
    lines = [dying.stdout.readline() for _ in range(chance.randint(1, 3))]
    time.sleep(chance.random() / 20)
    dying.send_signal(signal.SIGKILL)
    lines += dying.communicate(timeout=100)[0].splitlines()
    outcomes, errors = living.communicate(timeout=100)
    assert (living.returncode, errors) == (0, "")
    assert outcomes.split() == ["indexed"] * FILES
    assert len(held(penstock)) >= FILES + len(lines)
    assert penstock.search("turbine1").hits
    assert penstock.doctor(deep=True).ok
    penstock.ingest(blue)
    as_by_one(penstock, model, tmp_path / "alone", red, blue)


def test_a_search_waits_for_no_commit_and_for_nobody_who_brings_indexes_up_to_date(
    penstock: Penstock, second: Penstock, red: Path
) -> None:
    penstock.ingest(red)
    before = penstock.collection.revision()
    with penstock._lock(), penstock._followers._turns.following():
        second._followers.close()
        begun = time.monotonic()
        assert penstock.search("turbine1").revision == before
        written(red.parent, "red", "second")
    with penstock._followers._turns.following():
        run: Any = threading.Thread(target=lambda: second.ingest(red))
        run.start()
        while second.collection.revision() == before:
            time.sleep(0.01)
        found = penstock.search("turbine1")
        assert found.hits
        assert found.revision == before
        assert time.monotonic() - begun < second.settings.lock_seconds
    run.join()
    assert penstock.search("turbine1").revision > before


def test_an_index_that_is_built_anew_is_searched_until_the_new_one_is_whole(
    penstock: Penstock, second: Penstock, red: Path, blue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    penstock.ingest(red)
    seen: list[int] = []
    change = type(penstock.collection).change

    def meanwhile(self: Any, since: int, **given: Any) -> Any:
        if since == 0 and not seen:
            seen.append(len(second.search("turbine1 red").hits))
            second.ingest(blue)  # no waiting: it is committed, and the live index is updated
            seen.append(len(second.search("turbine1 blue").hits))
        return change(self, since, **given)

    monkeypatch.setattr(type(penstock.collection), "change", meanwhile)
    penstock._followers.keyword.rebuild()
    monkeypatch.undo()
    assert min(seen) > 0
    assert second.search("turbine1 blue").hits
    assert penstock.doctor(deep=True).ok
    assert penstock.status().aside.folders == 1
