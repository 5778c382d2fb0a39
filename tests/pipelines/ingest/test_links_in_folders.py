"""What a link in a documents folder gets: an outcome with its reason, and nothing that can be found."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.model import RunReport
from penstock.pipelines import assembly
from penstock.pipelines.stepwise import Stepwise
from penstock.pipelines.workspace import Penstock
from penstock.settings import Settings, read_settings
from penstock.testing.doubles.dead_share import DeadShare
from penstock.testing.doubles.embedders import LittleModel


@pytest.fixture
def linked(folder: Path, tmp_path: Path) -> Path:
    """The folder with a link to a private file and one to a folder of private files."""
    private = tmp_path / "private"
    private.mkdir()
    (private / "id_rsa").write_text("the private key zebra\n", "utf-8")
    (folder / "notes.txt").symlink_to(private / "id_rsa")
    (folder / "shared").symlink_to(private)
    return folder


def opened(home: Path, **given: object) -> Stepwise:
    return Stepwise(home, settings=read_settings(**given))


def outcomes(report: RunReport) -> dict[str, str]:
    """By name; a name that is in the report twice would be an error too."""
    names = [result.uri.rsplit("/", 1)[-1] for result in report.results]
    assert len(set(names)) == len(names)
    return dict(zip(names, (result.outcome for result in report.results), strict=True))


def zebras(penstock: Penstock) -> list[str]:
    return [hit.source.uri for hit in penstock.search("zebra").hits if "zebra" in hit.chunk.text]


def test_a_link_to_a_private_file_is_skipped_with_its_reason(model: LittleModel, home: Path, linked: Path) -> None:
    with opened(home) as penstock:
        report = penstock.ingest(linked)
        assert outcomes(report) == {
            "leave.md": "indexed",
            "年假.txt": "indexed",
            "notes.txt": "skipped",
            "shared": "skipped",
        }
        assert all("folders.links" in result.reason for result in report.results if result.outcome == "skipped")
        assert not report.attention
        assert not zebras(penstock)


def by_ingest(penstock: Stepwise, folder: Path) -> RunReport:
    return penstock.ingest(folder)


def in_steps(penstock: Stepwise, folder: Path) -> RunReport:
    plan = penstock.plan(folder)
    run = penstock.begin("ingest")
    batches = [penstock.take(batch, run=run) for batch in plan.batches(2)]
    return penstock.finish(plan, batches, run=run)


@pytest.mark.parametrize("way", [by_ingest, in_steps])
@pytest.mark.parametrize("unlinked", [0, 30])
def test_what_was_read_through_links_once_is_no_longer_found(
    model: LittleModel, home: Path, linked: Path, way: object, unlinked: int
) -> None:
    """Also where that is most of the collection: the guard is for drives that are not mounted."""
    assert callable(way)
    private = linked.parent / "private"
    for number in range(unlinked):
        (private / f"{number}.txt").write_text(f"zebra {number}\n", "utf-8")
    with opened(home, folders={"links": "all"}) as before:
        assert before.ingest(linked).count("indexed") == 4 + unlinked
        assert zebras(before)
    with opened(home, removal_share=0.1) as penstock:
        report = way(penstock, linked)
        outcome_of = outcomes(report)
        assert (outcome_of["notes.txt"], outcome_of["shared"], outcome_of["id_rsa"]) == (
            "skipped",
            "skipped",
            "removed",
        )
        assert (report.count("unchanged"), report.count("removed")) == (2, 1 + unlinked)
        assert not report.attention
        assert not zebras(penstock)
        counts = report.chunks
        assert counts.catalog == counts.keyword == counts.vector == 2


def test_a_link_that_is_named_itself_is_read(model: LittleModel, home: Path, linked: Path) -> None:
    with opened(home) as penstock:
        assert outcomes(penstock.ingest(linked, linked / "notes.txt"))["notes.txt"] == "indexed"
        assert zebras(penstock)


def test_a_sync_that_leaves_links_out_is_whole(model: LittleModel, home: Path, linked: Path, tmp_path: Path) -> None:
    """A link is no failure: sources that no entry lists any more are still removed."""
    extra = tmp_path / "extra"
    extra.mkdir()
    (extra / "old.txt").write_text("an old page", "utf-8")
    entries = [{"path": str(linked)}, {"path": str(extra)}]
    with opened(home, collections={"default": {"sources": entries}}) as penstock:
        assert penstock.sync().count("indexed") == 3
    with opened(home, collections={"default": {"sources": entries[:1]}}) as penstock:
        report = penstock.sync()
        assert outcomes(report)["old.txt"] == "removed"
        assert not report.attention


def test_a_plan_tells_of_links_and_of_what_goes(model: LittleModel, home: Path, linked: Path) -> None:
    with opened(home, folders={"links": "all"}) as before:
        before.ingest(linked)
    with opened(home) as penstock:
        plan = penstock.plan(linked)
        assert [uri.rsplit("/", 1)[-1] for uri in plan.removal.removed] == ["id_rsa"]
        assert {result.outcome for result in plan.settled.results} == {"unchanged", "skipped"}


def test_a_file_that_becomes_a_link_after_it_was_listed_lets_nothing_in_and_forgets_what_was(
    model: LittleModel, home: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "id_rsa").write_text("the private key zebra\n", "utf-8")
    with opened(home) as penstock:
        penstock.ingest(folder)
        (folder / "leave.md").write_text("Eleven days of leave carry over.\n", "utf-8")
        make = assembly.lister

        class Swapping:
            def __init__(self, settings: Settings, *given: object) -> None:
                self.inner = make(settings, *given)  # type: ignore[arg-type]
                self.complete, self.covers = self.inner.complete, self.inner.covers

            def list(self) -> Iterator[object]:
                found = list(self.inner.list())
                (folder / "leave.md").unlink()
                (folder / "leave.md").symlink_to(tmp_path / "id_rsa")
                return iter(found)

        monkeypatch.setattr(assembly, "lister", Swapping)
        outcome_of = outcomes(penstock.ingest(folder))
        assert outcome_of == {"leave.md": "skipped", "年假.txt": "unchanged"}
        assert not zebras(penstock)
        assert not [hit for hit in penstock.search("leave carry over").hits if "carry" in hit.chunk.text]


@pytest.mark.skipif(not DeadShare.is_possible(), reason="needs /dev/fuse and the super-user")
def test_a_share_that_hangs_costs_one_source(model: LittleModel, home: Path, folder: Path, tmp_path: Path) -> None:
    share = tmp_path / "share"
    share.mkdir()
    files = {"hangs.txt": None, "zebra.txt": b"a zebra on the share"}
    with DeadShare(share, files), opened(home, limits={"read_seconds": 0.5}) as penstock:
        report = penstock.ingest(share, folder)
        assert outcomes(report) == {
            "hangs.txt": "failed",
            "zebra.txt": "indexed",
            "leave.md": "indexed",
            "年假.txt": "indexed",
        }
        assert "nothing came from it for 0.5 seconds" in report.results[0].reason
        assert zebras(penstock)
