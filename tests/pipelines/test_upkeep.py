"""History, compaction, renaming and removal of a collection, through the real pipeline."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from penstock.catalog import Collection, held
from penstock.catalog import writing as writer
from penstock.errors import CatalogError, CollectionLocked, RevisionGone, UnknownName, UsageError
from penstock.model import Filter
from penstock.pipelines.indexing.set_aside import set_aside
from penstock.pipelines.indexing.storage import place_of
from penstock.pipelines.stepwise import Stepwise
from penstock.pipelines.workspace import Penstock
from penstock.settings import read_settings
from penstock.testing.doubles.embedders import LittleModel


def edit(penstock: Penstock, folder: Path, times: int, *, first: int = 1) -> None:
    for number in range(first, first + times):
        (folder / "leave.md").write_text(f"Edition {number}: {number} days of leave carry over.\n", "utf-8")
        penstock.ingest(folder)


def revisions(penstock: Penstock) -> Sequence[int]:
    return [entry.revision for entry in penstock.history(limit=None)]


def test_ten_revisions_stay_after_each_run(penstock: Penstock, folder: Path) -> None:
    edit(penstock, folder, 13)
    assert revisions(penstock) == list(range(13, 3, -1))
    assert penstock.history(limit=1)[0].changed == 1
    assert {entry.cause for entry in penstock.history()} == {"ingest"}
    assert len(list(penstock.collection.documents())) == 2


@pytest.mark.parametrize("keep", [0, "all"])
def test_all_revisions_stay_where_that_is_set(model: LittleModel, folder: Path, home: Path, keep: object) -> None:
    del model
    with Penstock(settings=read_settings(home=home, history={"keep": keep})) as penstock:
        edit(penstock, folder, 12)
        assert len(revisions(penstock)) == 12


def test_a_run_in_steps_leaves_as_many(model: LittleModel, folder: Path, home: Path) -> None:
    del model
    with Stepwise(settings=read_settings(home=home, history={"keep": 2})) as penstock:
        for number in range(4):
            (folder / "leave.md").write_text(f"{number} days of leave carry over.\n", "utf-8")
            plan = penstock.plan(folder)
            run = penstock.begin("ingest")
            penstock.finish(plan, [penstock.take(batch, run=run) for batch in plan.batches(8)], run=run)
        assert revisions(penstock) == [4, 3]


def test_compaction_gives_room_back_and_changes_no_answer(penstock: Penstock, folder: Path, kind: str) -> None:
    for name in range(30):
        (folder / f"{name}.txt").write_text(f"Paper {name}. " + f"Sentence {name} of leave. " * 300, "utf-8")
    edit(penstock, folder, 2)
    penstock.remove(*[folder / f"{name}.txt" for name in range(30)])
    before = [(hit.chunk.id, hit.score) for hit in penstock.search("days of leave").hits]
    foreseen = penstock.compact(keep=1, dry_run=True)
    assert (foreseen.dry_run, revisions(penstock)) == (True, [3, 2, 1])
    done = penstock.compact(keep=1)
    assert (done.freed, done.oldest, done.remarks) == (foreseen.freed, 3, ())
    assert done.freed.documents == 31
    assert revisions(penstock) == [3]
    assert [(hit.chunk.id, hit.score) for hit in penstock.search("days of leave").hits] == before
    assert penstock.doctor(deep=True).ok
    assert done.before.total == done.before.catalog + done.before.indexes + done.before.aside
    if kind == "sqlite":  # a server decides itself when to return free space
        assert done.after.catalog < 0.7 * done.before.catalog
    again = penstock.compact(keep=1)
    assert not again.freed
    assert (again.before.total, again.after.total) == (done.after.total, done.after.total)


def test_without_a_number_the_setting_holds_and_ages_count_in_days(penstock: Penstock, folder: Path) -> None:
    edit(penstock, folder, 3)
    assert penstock.compact().oldest == 0
    assert penstock.compact(older_than=timedelta(days=1)).oldest == 0
    assert penstock.compact(older_than=timedelta(0)).oldest == 3


def test_an_index_that_stands_before_what_is_left_is_built_anew(penstock: Penstock, folder: Path, home: Path) -> None:
    edit(penstock, folder, 1)
    place = place_of(home, penstock.collection)
    penstock.close()
    old = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    edit(penstock, folder, 4, first=2)
    penstock.compact(keep=1)
    penstock.close()
    for path in place.rglob("*"):
        if path.is_file() and path not in old:
            path.unlink()
    for path, data in old.items():
        path.write_bytes(data)
    hits = penstock.search("days of leave").hits
    assert "Edition 5" in " ".join(hit.chunk.text for hit in hits)
    assert "Edition 1" not in " ".join(hit.chunk.text for hit in hits)
    assert penstock.doctor(deep=True).ok


def test_a_search_that_is_overtaken_by_a_compaction_finds_what_is_there_now(
    penstock: Penstock, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(penstock, folder, 2)
    asked = Collection.hydrate
    done: list[bool] = []

    def overtaken(*given: object, **named: object) -> object:
        if not done:
            done.append(True)
            with Penstock(penstock.settings.home) as second:
                edit(second, folder, 2, first=3)
                second.compact(keep=1)
        return asked(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Collection, "hydrate", overtaken)
    assert "Edition 4" in " ".join(hit.chunk.text for hit in penstock.search("days of leave").hits)


def test_indexes_that_were_set_aside_are_named_and_go(penstock: Penstock, folder: Path, home: Path) -> None:
    edit(penstock, folder, 1)
    penstock.close()
    index = next(place_of(home, penstock.collection).glob("keyword-*"))
    set_aside(index)
    penstock.search("leave")
    assert penstock.status().aside.folders == 1
    foreseen = penstock.compact(dry_run=True).aside
    assert [folder.path.exists() for folder in foreseen] == [True]
    done = penstock.compact()
    assert done.aside == foreseen
    assert (penstock.status().aside.folders, done.before.aside > 0, done.after.aside) == (0, True, 0)


def test_compacting_removes_what_was_left_of_an_index_that_was_being_built(
    penstock: Penstock, folder: Path, home: Path
) -> None:
    edit(penstock, folder, 1)
    place = place_of(home, penstock.collection)
    left = place / f"{next(place.glob('keyword-*')).name}.building"
    left.mkdir()
    with held(place / "rebuilding.lock", "builds", timeout=0):
        penstock.compact()
        assert left.exists(), "somebody is building there"
    penstock.compact()
    assert not left.exists()
    assert penstock.doctor().ok


def test_nobody_compacts_under_a_writer(penstock: Penstock, folder: Path, home: Path) -> None:
    edit(penstock, folder, 1)
    hasty = Penstock(settings=penstock.settings.model_copy(update={"lock_seconds": 0.1}))
    with hasty, writer(home / "collections", "default"), pytest.raises(CollectionLocked):
        hasty.compact(keep=1)


@pytest.mark.parametrize("given", [{"keep": 0}, {"keep": -1}, {"older_than": timedelta(days=-1)}])
def test_what_cannot_be_kept_is_refused(penstock: Penstock, folder: Path, given: dict[str, object]) -> None:
    edit(penstock, folder, 1)
    with pytest.raises(UsageError):
        penstock.compact(**given)  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        penstock.history(limit=0)


def test_a_renamed_collection_keeps_ids_indexes_and_history(penstock: Penstock, folder: Path, home: Path) -> None:
    edit(penstock, folder, 2)
    before = [(hit.chunk.document_id, hit.chunk.id) for hit in penstock.search("leave").hits]
    indexes = sorted(home.glob("collections/*/*"))
    penstock.rename_collection("default", "handbook")
    with pytest.raises(UnknownName):
        penstock.search("leave")
    with Penstock(home, "handbook") as renamed:
        assert [(hit.chunk.document_id, hit.chunk.id) for hit in renamed.search("leave").hits] == before
        assert revisions(renamed) == [2, 1]
        report = renamed.ingest(folder)
        assert (report.parsed, report.embedded, report.count("unchanged")) == (0, 0, 2)
        edit(renamed, folder, 1, first=3)
        assert renamed.doctor(deep=True).ok
    assert {path.parent for path in home.glob("collections/*/*")} == {path.parent for path in indexes}


def test_a_workspace_of_the_old_name_says_that_it_is_gone(penstock: Penstock, folder: Path, home: Path) -> None:
    edit(penstock, folder, 1)
    penstock.search("leave")
    with Penstock(home, "another") as second:
        second.rename_collection("default", "handbook")
    with pytest.raises(UnknownName, match="handbook"):
        penstock.search("leave")


def test_a_removed_collection_leaves_nothing(penstock: Penstock, folder: Path, home: Path) -> None:
    edit(penstock, folder, 2)
    with Penstock(home, "other") as second:
        second.ingest(folder)
        done = penstock.remove_collection("default")
        assert [info.name for info in penstock.collections()] == ["other"]
        assert (done.revision, done.vectors) == (2, 1)
        assert second.doctor(deep=True).ok
        assert second.ingest(folder).embedded == 0
    assert not list(home.glob("collections/default-*"))
    with pytest.raises(UnknownName):
        penstock.remove_collection("default")


def test_a_past_revision_is_refused_with_what_is_left(penstock: Penstock, folder: Path) -> None:
    edit(penstock, folder, 3)
    penstock.compact(keep=2)
    with pytest.raises(RevisionGone, match="left are 2 to 3"):
        penstock.collection.live_rows(at=1)


def test_going_back_reads_nothing_and_embeds_nothing(penstock: Penstock, folder: Path, model: LittleModel) -> None:
    edit(penstock, folder, 3)
    (folder / "年假.txt").unlink()
    penstock.ingest(folder)
    done = penstock.rollback(1)
    assert (done.revision, done.added, done.changed, done.removed, done.left_out) == (5, 1, 1, 0, ())
    assert "next ingest or sync" in done.remarks[0]
    assert penstock.history(limit=1)[0].cause == "rollback to 1"
    assert "Edition 1" in penstock.search("days of leave").hits[0].chunk.text
    assert any("年假" in hit.chunk.text for hit in penstock.search("年假").hits)
    assert penstock.doctor(deep=True).ok
    report = penstock.ingest(folder)
    assert (report.count("removed"), report.embedded) == (1, 0)
    assert "Edition 3" in penstock.search("days of leave").hits[0].chunk.text
    del model


def test_going_back_to_what_is_there_changes_nothing(penstock: Penstock, folder: Path) -> None:
    edit(penstock, folder, 2)
    assert penstock.rollback(2).revision == 2
    assert revisions(penstock) == [2, 1]
    for revision in (-1, 3):
        with pytest.raises(CatalogError, match="has no revision"):
            penstock.rollback(revision)


def found(penstock: Penstock, at: int | None = None, *, who: frozenset[str] | None = None) -> list[str]:
    return [hit.chunk.text for hit in penstock.search("days of leave", at=at, where=Filter(principals=who)).hits]


def test_a_search_at_a_revision_answers_as_on_that_day(penstock: Penstock, folder: Path) -> None:
    then = {}
    for number in range(1, 5):
        edit(penstock, folder, 1, first=number)
        then[number] = [(hit.chunk, hit.title) for hit in penstock.search("days of leave").hits]
    for at in (1, 3, 2, 4):
        now = penstock.search("days of leave", at=at)
        assert ([(hit.chunk, hit.title) for hit in now.hits], now.revision) == (then[at], at)
    assert found(penstock, 0) == []
    for at in (-1, 5):
        with pytest.raises(CatalogError, match=f"has no revision {at}"):
            penstock.search("days of leave", at=at)
    penstock.compact(keep=2)
    with pytest.raises(RevisionGone, match="left are 3 to 4"):
        penstock.search("days of leave", at=2)
    assert "Edition 3" in found(penstock, 3)[0]


def test_threads_may_search_several_revisions_at_once(penstock: Penstock, folder: Path) -> None:
    for number in range(1, 4):
        edit(penstock, folder, 1, first=number)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda at: (at, found(penstock, at)[0]), [1, 2, 3, None] * 6))
    assert all(f"Edition {at or 3}" in text for at, text in answers)


def test_what_was_closed_since_is_found_in_no_revision(penstock: Penstock, folder: Path) -> None:
    edit(penstock, folder, 2)
    penstock.ingest(folder, access=["staff"])
    edit(penstock, folder, 1, first=3)
    visitor = frozenset({"visitor"})
    staff = frozenset({"staff"})
    assert "Edition 1" in found(penstock, 1, who=staff)[0]
    assert (found(penstock, 1, who=visitor), found(penstock, 2, who=visitor)) == ([], [])
    assert (penstock.diff(1, 2, principals=visitor).changed, penstock.diff(1, 4, principals=visitor).changed) == (
        (),
        (),
    )
    assert [entry.changed for entry in penstock.history(principals=visitor)] == [0, 0, 0, 0]
    assert [entry.changed for entry in penstock.history(principals=staff)] == [1, 2, 1, 0]


def test_a_difference_names_what_came_changed_and_went(penstock: Penstock, folder: Path) -> None:
    edit(penstock, folder, 1)
    (folder / "new.txt").write_text("New.", "utf-8")
    (folder / "年假.txt").unlink()
    edit(penstock, folder, 1, first=2)
    penstock.ingest(folder, labels={"year": 2024})
    last = penstock.collection.revision()
    there = penstock.diff(1, last)
    names = [Path(uri).name for uri in (*there.added, *(source.uri for source in there.changed), *there.removed)]
    assert names == ["new.txt", "leave.md", "年假.txt"]
    assert there.changed[0].what == ("text", "labels", "bytes")
    assert (penstock.diff(last, 1).added, penstock.diff(last, 1).removed) == (there.removed, there.added)
    assert penstock.diff(2, 2) == replace(there, first=2, second=2, added=(), changed=(), removed=())
    with pytest.raises(CatalogError, match="has no revision 9"):
        penstock.diff(1, 9)
