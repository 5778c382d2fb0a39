"""A run in steps: together they do what one call does, whichever step stops, is repeated or is missing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.catalog import writing
from penstock.errors import CatalogError, CollectionLocked, EngineError, UnknownName
from penstock.model import Filter, RunReport, SourceResult
from penstock.pipelines.indexing.following import Followers
from penstock.pipelines.ingest.planning import RunPlan
from penstock.pipelines.ingest.reading import FoundSource
from penstock.pipelines.stepwise import Stepwise
from penstock.pipelines.workspace import Penstock
from penstock.testing.doubles.embedders import LittleModel


@pytest.fixture
def stepwise(model: LittleModel, home: Path) -> Iterator[Stepwise]:
    with Stepwise(home, "steps", embedder=model) as opened:
        yield opened


@pytest.fixture
def many(folder: Path) -> Path:
    for number in range(12):
        (folder / f"{number:02}.txt").write_text(f"paper {number} about leave", "utf-8")
    (folder / "copy.md").write_bytes((folder / "leave.md").read_bytes())
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing else")
    (folder / "empty.txt").write_bytes(b"")
    return folder


def in_steps(stepwise: Stepwise, folder: Path, size: int = 4) -> RunReport:
    plan = stepwise.plan(folder)
    run = stepwise.begin("ingest")
    return stepwise.finish(plan, [stepwise.take(batch, run=run) for batch in plan.batches(size)], run=run)


def summaries(report: RunReport) -> set[tuple[str, str, str, int]]:
    return {
        (result.uri, result.outcome, result.reason.partition(" (as on")[0], result.chunks) for result in report.results
    }


def held(penstock: Penstock) -> list[tuple[str, str, int]]:
    return [(known.source.uri, known.document_id, known.chunks) for known in penstock.collection.sources()]


def test_steps_do_what_one_call_does(stepwise: Stepwise, many: Path, home: Path) -> None:
    with Penstock(home, "whole") as whole:
        for _ in range(2):
            plain, stepped = whole.ingest(many), in_steps(stepwise, many)
            assert summaries(stepped) == summaries(plain)
            assert (stepped.parsed, stepped.pages, stepped.chunks) == (plain.parsed, plain.pages, plain.chunks)
            assert stepped.discovered == plain.discovered
        assert {uri for uri, *_ in held(stepwise)} == {uri for uri, *_ in held(whole)}
    assert stepwise.doctor().ok
    last = stepwise.status().last_run
    assert last
    assert (last.command, last.status) == ("ingest", "finished")


def test_a_second_run_has_no_batches_and_removes_what_is_gone(stepwise: Stepwise, many: Path) -> None:
    in_steps(stepwise, many)
    assert stepwise.plan(many).pending == ()
    (many / "03.txt").unlink()
    report = in_steps(stepwise, many)
    assert (report.count("removed"), report.parsed, report.embedded) == (1, 0, 0)
    assert stepwise.doctor().ok


def test_a_batch_looks_up_its_own_sources_only(stepwise: Stepwise, many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_steps(stepwise, many)
    (many / "new.txt").write_text("a new note", "utf-8")
    plan, run = stepwise.plan(many), stepwise.begin("ingest")

    def scanned(*_: object) -> None:
        raise AssertionError("the whole collection was looked through")

    with monkeypatch.context() as patched:
        patched.setattr(type(stepwise.collection), "sources", scanned)
        patched.setattr(Followers, "counts", scanned)
        (done,) = [stepwise.take(batch, run=run) for batch in plan.batches(4)]
    assert [result.outcome for result in done.results] == ["indexed"]
    assert stepwise.finish(plan, [done], run=run).count("unchanged") == 15


def test_a_batch_that_is_repeated_changes_nothing(stepwise: Stepwise, many: Path) -> None:
    plan, run = stepwise.plan(many), stepwise.begin("ingest")
    batch, *rest = plan.batches(4)
    first = stepwise.take(batch, run=run)
    revision = stepwise.collection.revision()
    again = stepwise.take(batch, run=run)
    assert {result.outcome for result in again.results} <= {"unchanged", "failed"}
    assert (again.parsed, stepwise.collection.revision()) == (0, revision)
    report = stepwise.finish(plan, [first, *(stepwise.take(batch, run=run) for batch in rest)], run=run)
    assert not report.interrupted


def test_a_batch_that_fails_can_be_taken_again_by_another_process(
    stepwise: Stepwise, many: Path, model: LittleModel, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, run = stepwise.plan(many), stepwise.begin("ingest")

    def fails(*_arguments: object, **_options: object) -> None:
        raise EngineError("out of memory")

    with monkeypatch.context() as patched:
        patched.setattr(model, "embed", fails)
        with pytest.raises(EngineError):
            stepwise.take(plan.pending, run=run)
    with Stepwise(home, "steps") as second:
        done = second.take(plan.pending, run=run)
        report = second.finish(plan, [done], run=run)
    assert report.count("indexed") == 15
    assert stepwise.doctor().ok


def test_a_run_that_lacks_batches_is_interrupted_and_removes_nothing(stepwise: Stepwise, many: Path) -> None:
    in_steps(stepwise, many)
    (many / "03.txt").unlink()
    (many / "new.txt").write_text("a new note", "utf-8")
    plan, run = stepwise.plan(many), stepwise.begin("ingest")
    report = stepwise.finish(plan, [], run=run)
    assert (report.interrupted, report.count("removed")) == (True, 0)
    assert in_steps(stepwise, many).count("removed") == 1


def test_an_interrupt_in_a_batch_keeps_what_is_committed(stepwise: Stepwise, many: Path) -> None:
    small = Stepwise(settings=stepwise.settings.model_copy(update={"batch": 1}))

    def interrupt(_result: SourceResult) -> None:
        raise KeyboardInterrupt

    with small:
        plan, run = small.plan(many), small.begin("ingest")
        done = small.take(plan.pending, run=run, watch=interrupt)
        assert done.interrupted
        report = small.finish(plan, [done], run=run)
        assert report.interrupted
        assert report.chunks.catalog == report.chunks.keyword == report.chunks.vector == 1


def test_the_first_batch_can_be_searched_before_the_last_is_read(stepwise: Stepwise, many: Path) -> None:
    plan, run = stepwise.plan(many), stepwise.begin("ingest")
    stepwise.take(plan.pending[:4], run=run)
    with writing(stepwise.settings.home / "collections", "steps"), Penstock(stepwise.settings.home, "steps") as reader:
        assert reader.search("paper about leave").hits


def test_a_step_waits_only_so_long_for_another_writer(stepwise: Stepwise, many: Path) -> None:
    plan, run = stepwise.plan(many), stepwise.begin("ingest")
    hasty = Stepwise(settings=stepwise.settings.model_copy(update={"lock_seconds": 0.1}))
    with hasty, writing(stepwise.settings.home / "collections", "steps"), pytest.raises(CollectionLocked):
        hasty.take(plan.pending, run=run)
    stepwise.abandon(run)
    last = stepwise.status().last_run
    assert last
    assert last.status == "failed"


def test_labels_and_access_travel_with_the_sources(stepwise: Stepwise, folder: Path) -> None:
    plan = stepwise.plan(folder, labels={"team": "hr"}, access=["staff"])
    run = stepwise.begin("ingest")
    stepwise.finish(plan, [stepwise.take(plan.pending, run=run)], run=run)
    assert len(stepwise.search("leave 年假", where=Filter(labels={"team": "hr"})).hits) == 2
    assert stepwise.search("leave", where=Filter(principals=frozenset())).hits == ()


def test_a_sync_of_what_is_not_described(stepwise: Stepwise) -> None:
    with pytest.raises(UnknownName, match=r"penstock\.toml"):
        stepwise.plan()


def test_batches_hold_every_pending_source_once_in_order(many: Path, stepwise: Stepwise) -> None:
    plan: RunPlan = stepwise.plan(many)
    taken: list[FoundSource] = [found for batch in plan.batches(4) for found in batch]
    assert tuple(taken) == plan.pending == plan.new
    assert [len(batch) for batch in plan.batches(4)] == [4, 4, 4, 4, 1]


def test_abandoning_where_the_catalog_cannot_be_written(
    stepwise: Stepwise, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = stepwise.begin("ingest")

    def fails(*_: object) -> None:
        raise CatalogError("disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(type(stepwise.collection), "finish_run", fails)
        stepwise.abandon(run)
    assert [run.status for run in stepwise.collection.runs()] == ["running"]
    assert stepwise.ingest(folder).count("indexed") == 2
