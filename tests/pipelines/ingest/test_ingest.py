"""What a user sees of ingesting: outcomes that add up, nothing done twice, removed sources not found."""

import os
from collections.abc import Callable
from pathlib import Path

import pymupdf
import pytest

from penstock.catalog import writing
from penstock.chunkers.structure import StructureChunker
from penstock.errors import CollectionLocked, EngineError, FetchError, UsageError
from penstock.loaders import Parsed, Sandbox, uri_of
from penstock.model import OUTCOMES, Failure, Filter, RunReport, Source, SourceResult
from penstock.pipelines.ingest.records import Record
from penstock.pipelines.workspace import Penstock
from penstock.settings import read_settings
from penstock.testing.doubles.embedders import LittleModel


def adds_up(report: RunReport) -> bool:
    counts = report.chunks
    equal = counts.catalog == counts.keyword == counts.vector
    return equal and report.discovered == sum(report.count(outcome) for outcome in OUTCOMES if outcome != "removed")


def outcome_of(report: RunReport, name: str) -> SourceResult:
    (result,) = [result for result in report.results if result.uri.endswith(name)]
    return result


def found(penstock: Penstock, question: str) -> list[str]:
    return [hit.source.uri.rsplit("/", 1)[-1] for hit in penstock.search(question).hits]


def test_a_folder_is_indexed_once(penstock: Penstock, folder: Path, model: LittleModel) -> None:
    first = penstock.ingest(folder)
    assert adds_up(first)
    assert (first.count("indexed"), first.parsed, first.embedded) == (2, 2, 2)
    again = penstock.ingest(folder)
    assert adds_up(again)
    assert (again.count("unchanged"), again.parsed, again.embedded) == (2, 0, 0)
    assert again.revision == first.revision
    assert len(model.embedded) == 2


def test_both_languages_are_found(penstock: Penstock, folder: Path) -> None:
    penstock.ingest(folder)
    assert found(penstock, "年假怎么结转")[0] == "年假.txt"
    hit = penstock.search("carry over").hits[0]
    assert hit.chunk.text == penstock.show(hit.source.uri).document.text[hit.chunk.span.start : hit.chunk.span.end]
    assert "carri" in hit.trace.matched


def test_a_deleted_file_is_in_no_answer(penstock: Penstock, folder: Path) -> None:
    penstock.ingest(folder)
    (folder / "leave.md").unlink()
    report = penstock.ingest(folder)
    assert outcome_of(report, "leave.md").outcome == "removed"
    assert adds_up(report)
    assert found(penstock, "leave carry over") == ["年假.txt"] or found(penstock, "leave carry over") == []


def test_a_changed_file_answers_with_its_new_text_only(penstock: Penstock, folder: Path) -> None:
    penstock.ingest(folder)
    (folder / "leave.md").write_text("# Leave\n\nNothing may be taken into the next year.\n", "utf-8")
    report = penstock.ingest(folder)
    assert outcome_of(report, "leave.md").outcome == "indexed"
    assert report.parsed == report.embedded == 1
    assert not any("Ten days" in hit.chunk.text for hit in penstock.search("leave next year").hits)


def test_a_touched_file_is_not_parsed_again(penstock: Penstock, folder: Path) -> None:
    penstock.ingest(folder)
    os.utime(folder / "leave.md", (1, 1))
    report = penstock.ingest(folder)
    assert (report.count("unchanged"), report.parsed, report.embedded) == (2, 0, 0)
    assert penstock.ingest(folder).revision == report.revision


def test_a_copy_is_indexed_once_with_both_sources(penstock: Penstock, folder: Path) -> None:
    penstock.ingest(folder)
    (folder / "copy.md").write_bytes((folder / "leave.md").read_bytes())
    report = penstock.ingest(folder)
    assert outcome_of(report, "copy.md").outcome == "indexed"
    assert "same bytes" in outcome_of(report, "copy.md").reason
    assert (report.parsed, report.embedded, report.chunks.catalog) == (0, 0, 2)
    (hit,) = [hit for hit in penstock.search("carry over").hits if "carry over" in hit.chunk.text]
    assert [source.uri.rsplit("/", 1)[-1] for source in hit.sources] == ["leave.md", "copy.md"]
    (folder / "leave.md").unlink()
    penstock.ingest(folder)
    (hit,) = [hit for hit in penstock.search("carry over").hits if "carry over" in hit.chunk.text]
    assert [source.uri.rsplit("/", 1)[-1] for source in hit.sources] == ["copy.md"]


@pytest.mark.parametrize(
    ("name", "content", "outcome", "message"),
    [
        pytest.param("broken.pdf", b"%PDF-1.7 nothing else", "failed", "", id="broken pdf"),
        pytest.param("nothing.txt", b"", "empty", "no text", id="empty file"),
        pytest.param("blank.md", b" \n\n ", "empty", "no text", id="blank file"),
        pytest.param("tool.bin", bytes(range(256)) * 8, "skipped", "no loader", id="unknown binary"),
    ],
)
def test_bad_files_end_in_a_stated_outcome_and_are_not_parsed_again(
    penstock: Penstock, folder: Path, name: str, content: bytes, outcome: str, message: str
) -> None:
    (folder / name).write_bytes(content)
    for parsed_again in (False, True):
        report = penstock.ingest(folder)
        result = outcome_of(report, name)
        assert (result.outcome, adds_up(report)) == (outcome, True)
        assert result.reason
        assert message in result.reason
        assert not parsed_again or report.parsed == 0


def test_a_file_that_breaks_keeps_its_last_good_version_until_it_is_mended(penstock: Penstock, folder: Path) -> None:
    penstock.ingest(folder)
    whole = (folder / "leave.md").read_bytes()
    (folder / "leave.md").write_bytes(b"%PDF-1.7 cut off")
    broken = outcome_of(penstock.ingest(folder), "leave.md")
    assert broken.outcome == "failed"
    assert "stays searchable" in broken.reason
    assert "leave.md" in found(penstock, "carry over")
    (folder / "leave.md").write_bytes(whole + b"\nFive of them until March.\n")
    assert outcome_of(penstock.ingest(folder), "leave.md").outcome == "indexed"
    assert penstock.status().quarantine == ()


def test_the_guard_stops_a_run_that_would_empty_a_collection(penstock: Penstock, folder: Path) -> None:
    for number in range(30):
        (folder / f"{number}.txt").write_text(f"paper {number} about leave", "utf-8")
    penstock.ingest(folder)
    for file in folder.iterdir():
        file.unlink()
    report = penstock.ingest(folder)
    assert report.count("removed") == 0
    assert "32 of 32" in report.attention[0]
    allowed = Penstock(settings=penstock.settings.model_copy(update={"removal_share": 1.0}))
    assert allowed.ingest(folder).count("removed") == 32
    assert allowed.doctor().ok
    allowed.close()


def test_a_folder_that_is_gone_empties_what_it_covered_and_an_unknown_one_is_an_error(
    penstock: Penstock, folder: Path, tmp_path: Path
) -> None:
    penstock.ingest(folder)
    with pytest.raises(FetchError, match="no file or folder"):
        penstock.ingest(tmp_path / "nowhere")
    folder.rename(tmp_path / "elsewhere")
    assert penstock.ingest(folder).count("removed") == 2


def test_another_folder_removes_nothing(penstock: Penstock, folder: Path, tmp_path: Path) -> None:
    penstock.ingest(folder)
    another = tmp_path / "other"
    another.mkdir()
    (another / "note.txt").write_text("a note", "utf-8")
    assert penstock.ingest(another).count("removed") == 0
    assert len(penstock.search("leave note 年假").hits) == 3


def test_labels_and_access_are_kept_until_they_are_given_anew(penstock: Penstock, folder: Path) -> None:
    penstock.ingest(folder, labels={"team": "hr"}, access=["hr"])
    assert penstock.ingest(folder).count("unchanged") == 2
    assert len(penstock.search("leave", where=Filter(labels={"team": "hr"})).hits) == 2
    assert penstock.search("leave", where=Filter(principals=frozenset({"it"}))).hits == ()
    report = penstock.ingest(folder, labels={"team": "it"}, access=[])
    assert (report.parsed, report.embedded) == (0, 0)
    assert len(penstock.search("leave", where=Filter(labels={"team": "it"}, principals=frozenset())).hits) == 2


def test_other_chunk_sizes_cut_the_stored_text_and_parse_nothing(penstock: Penstock, folder: Path) -> None:
    (folder / "long.txt").write_text("Leave is granted to all who ask for it in time. " * 40, "utf-8")
    before = penstock.ingest(folder)
    smaller = Penstock(settings=read_settings(home=penstock.settings.home, chunker={"size": 32}))
    report = smaller.ingest(folder)
    assert (report.parsed, report.chunks.catalog > before.chunks.catalog, adds_up(report)) == (0, True, True)
    assert smaller.ingest(folder).revision == report.revision
    smaller.close()


def test_another_model_embeds_the_stored_text_and_parses_nothing(penstock: Penstock, folder: Path) -> None:
    penstock.ingest(folder)
    changed = Penstock(penstock.settings.home, embedder=LittleModel(dimension=32))
    with pytest.raises(UsageError, match="ingest again"):
        changed.search("leave")
    report = changed.ingest(folder)
    assert (report.parsed, report.embedded, adds_up(report)) == (0, 2, True)
    assert changed.doctor().ok
    assert changed.search("carry over").hits[0].source.uri.endswith("leave.md")
    changed.close()


def test_a_model_that_fails_loses_nothing_that_was_committed(
    penstock: Penstock, folder: Path, model: LittleModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    penstock.ingest(folder)
    (folder / "new.txt").write_text("a new note", "utf-8")

    def fails(*_arguments: object, **_options: object) -> None:
        raise EngineError("out of memory")

    with monkeypatch.context() as patched:
        patched.setattr(model, "embed", fails)
        with pytest.raises(EngineError):
            penstock.ingest(folder)
    assert penstock.doctor().ok
    assert penstock.ingest(folder).count("indexed") == 1


def test_an_interrupt_keeps_what_is_committed(penstock: Penstock, folder: Path) -> None:
    small = Penstock(settings=penstock.settings.model_copy(update={"batch": 1}))

    def interrupt(_result: SourceResult) -> None:
        raise KeyboardInterrupt

    report = small.ingest(folder, watch=interrupt)
    assert report.interrupted
    assert report.chunks.catalog == report.chunks.keyword == report.chunks.vector == 1
    again = small.ingest(folder)
    assert (again.count("unchanged"), again.count("indexed")) == (1, 1)
    small.close()


def test_a_commit_waits_only_so_long_for_that_of_another_process(penstock: Penstock, folder: Path) -> None:
    hasty = Penstock(settings=penstock.settings.model_copy(update={"lock_seconds": 0.1}))
    with hasty, writing(penstock.settings.home / "collections", "default"):
        with pytest.raises(CollectionLocked, match=f"process {os.getpid()} is writing"):
            hasty.ingest(folder)
        assert [run.status for run in hasty.collection.runs()] == ["failed"]
    assert penstock.ingest(folder).count("indexed") == 2


def test_removing_by_path_and_unknown_paths(penstock: Penstock, folder: Path) -> None:
    penstock.ingest(folder)
    assert penstock.remove(folder / "leave.md").count("removed") == 1
    assert penstock.remove(folder).count("removed") == 1
    with pytest.raises(UsageError, match="no source named"):
        penstock.remove(folder / "leave.md")


def test_records_become_documents_and_are_replaced_by_uri(penstock: Penstock) -> None:
    records = [Record(uri="app:1", title="Leave", text="Ten days carry over."), Record(uri="app:2", text="年假十五天")]
    assert penstock.add(records).count("indexed") == 2
    assert penstock.add(records).count("unchanged") == 2
    changed = penstock.add([Record(uri="app:1", title="Leave", text="Nothing carries over.")])
    assert (changed.count("indexed"), changed.chunks.catalog) == (1, 2)
    assert penstock.search("carry over").hits[0].chunk.text == "Nothing carries over."


def test_patterns_choose_the_files_of_a_folder(penstock: Penstock, folder: Path, model: LittleModel) -> None:
    (folder / "drafts").mkdir()
    (folder / "drafts" / "plan.md").write_text("a plan", "utf-8")
    penstock.ingest(folder)
    chosen = read_settings(home=penstock.settings.home, folders={"include": ["*.md"], "exclude": ["drafts/*"]})
    with Penstock(settings=chosen) as narrower:
        report = narrower.ingest(folder)
    assert {result.uri.rsplit("/", 1)[-1]: result.outcome for result in report.results} == {
        "leave.md": "unchanged",
        "年假.txt": "removed",
        "plan.md": "removed",
    }


def test_an_address_that_is_not_there_makes_no_collection(penstock: Penstock, tmp_path: Path) -> None:
    with pytest.raises(FetchError):
        penstock.ingest(tmp_path / "nowhere")
    assert penstock.collections() == ()


def test_nothing_to_ingest_is_a_usage_error(penstock: Penstock) -> None:
    with pytest.raises(UsageError, match="at least one"):
        penstock.ingest()


def test_an_empty_folder_is_not_an_error(penstock: Penstock, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert penstock.ingest(tmp_path / "empty").discovered == 0


def test_a_file_of_which_a_part_is_lost_is_partial_then_unchanged(penstock: Penstock, folder: Path) -> None:
    document = pymupdf.open()
    for text in ("Leave carries over.", "This page is lost."):
        document.new_page().insert_text((60, 90), text)
    document.xref_set_key(document[1].xref, "Contents", f"[{document.pdf_catalog()} 0 R]")
    document.save(folder / "cut.pdf")
    first = outcome_of(penstock.ingest(folder), "cut.pdf")
    assert (first.outcome, first.chunks) == ("partial", 1)
    assert first.reason.startswith("page 2: the page is damaged")
    assert outcome_of(penstock.ingest(folder), "cut.pdf").outcome == "unchanged"


def test_a_file_that_changes_while_it_is_read_is_tried_again(
    penstock: Penstock, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare, leave = Sandbox.prepare, folder / "leave.md"

    def meanwhile(self: Sandbox, source: Source, path: Path, declared: str) -> Parsed | Failure:
        if source.uri == uri_of(leave):
            leave.write_text("# Leave\n\nNothing carries over any more.\n", "utf-8")
        return prepare(self, source, path, declared)

    with monkeypatch.context() as patched:
        patched.setattr(Sandbox, "prepare", meanwhile)
        report = penstock.ingest(folder)
    assert (outcome_of(report, "leave.md").outcome, report.count("indexed")) == ("failed", 1)
    assert "chang" in outcome_of(report, "leave.md").reason
    assert outcome_of(penstock.ingest(folder), "leave.md").outcome == "indexed"
    assert found(penstock, "nothing carries")[0] == "leave.md"


def test_a_fault_of_ours_costs_the_document_that_it_met(
    penstock: Penstock, folder: Path, cleaning: Callable[[str], None]
) -> None:
    cleaning('if "carry over" in extraction.text: raise IndexError("no such line")')
    for _ in range(2):  # it does not wait for the file to change
        report = penstock.ingest(folder)
        assert (report.count("failed"), report.parsed) in ((1, 2), (1, 1))
        assert "IndexError: no such line (faulty_cleaning.py:" in outcome_of(report, "leave.md").reason


def test_cleaning_that_hangs_is_ended_like_a_parser_that_does(
    model: LittleModel, home: Path, folder: Path, cleaning: Callable[[str], None]
) -> None:
    cleaning('while "carry over" in extraction.text: pass')
    with Penstock(settings=read_settings(home=home, limits={"parse_seconds": 3})) as penstock:
        report = penstock.ingest(folder)
    assert (report.count("indexed"), report.count("failed")) == (1, 1)
    assert "PENSTOCK_LIMITS__PARSE_SECONDS" in outcome_of(report, "leave.md").reason


def test_documents_are_cut_where_they_are_parsed(
    penstock: Penstock, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def here(*_: object) -> list[object]:
        raise AssertionError("cut in the process that holds the catalog")

    with monkeypatch.context() as patched:
        patched.setattr(StructureChunker, "chunk", here)
        assert penstock.ingest(folder).count("indexed") == 2
        again = penstock.settings.chunker.model_copy(update={"size": 24})
        penstock.settings = penstock.settings.model_copy(update={"chunker": again})
        report = penstock.ingest(folder)
    assert [result.reason for result in report.results] == ["cut again from the stored text"] * 2
    assert (report.parsed, report.stage_seconds["chunk"] > 0) == (0, True)


def test_a_model_whose_tokens_are_counted_here_alone_cuts_the_same(
    penstock: Penstock, folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    penstock.ingest(folder)
    there = [chunk for path in folder.iterdir() for chunk in penstock.show(str(path)).chunks]
    monkeypatch.delattr(LittleModel, "counter")
    with Penstock(home, "here") as elsewhere:
        elsewhere.ingest(folder)
        here = [chunk for path in folder.iterdir() for chunk in elsewhere.show(str(path)).chunks]
    assert [chunk.id for chunk in here] == [chunk.id for chunk in there]


def test_cutting_here_has_a_limit_of_time(
    model: LittleModel, home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(LittleModel, "counter")
    (folder / "long.md").write_text("\n\n".join(f"# {n}\n\n{'water ' * 300}" for n in range(200)), "utf-8")
    settings = read_settings(home=home)
    with Penstock(settings=settings) as penstock:
        monkeypatch.setattr("penstock.pipelines.ingest.reading.monotonic", iter(range(10**9)).__next__)
        penstock.settings = settings.model_copy(
            update={"limits": settings.limits.model_copy(update={"parse_seconds": 50, "workers": 1})}
        )
        report = penstock.ingest(folder)
    assert "50 seconds to be cut" in outcome_of(report, "long.md").reason
    assert report.count("indexed") == 2


@pytest.mark.parametrize("broken", ["leave.md", "年假.txt"])
def test_a_source_that_the_catalog_does_not_take_costs_itself(
    penstock: Penstock, folder: Path, cleaning: Callable[[str], None], broken: str
) -> None:
    mark = "carry over" if broken == "leave.md" else "未休完"
    half = 'Extraction(title="a\\ud800b", text=extraction.text, blocks=extraction.blocks)'
    cleaning(f'extraction = {half} if "{mark}" in extraction.text else extraction')
    report = penstock.ingest(folder)
    assert adds_up(report)
    assert (report.count("indexed"), report.count("failed")) == (1, 1)
    assert "surrogate" in outcome_of(report, broken).reason
    assert penstock.doctor().ok


def test_a_listing_with_holes_removes_nothing_behind_them(
    model: LittleModel, home: Path, folder: Path, tmp_path: Path
) -> None:
    penstock = Penstock(home, settings=read_settings(folders={"links": "all"}))
    share = tmp_path / "share"
    share.mkdir()
    (share / "note.txt").write_text("a note on the share", "utf-8")
    (folder / "link").symlink_to(share)
    assert penstock.ingest(folder).count("indexed") == 3
    share.rename(tmp_path / "unmounted")
    report = penstock.ingest(folder)
    assert (report.count("failed"), report.count("removed"), report.count("unchanged")) == (1, 0, 2)
    assert "leads nowhere" in outcome_of(report, "link").reason
    assert "note.txt" in found(penstock, "note share")
