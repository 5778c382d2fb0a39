"""Contract suites for indexes: subclass `IndexContract` and give the methods `open` and `ask`.

An index that keeps its files in a folder of this machine subclasses `FolderIndexContract`, which asks more.
"""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray

from penstock.errors import DamagedIndex, IndexingError
from penstock.model import Candidate, Change, Chunk, Entry, Filter, Scope, Source, Span
from penstock.ports import Float32Array, Index, Verifiable

QueryT = TypeVar("QueryT")

WORDS = ("turbine", "penstock", "reservoir", "valve", "年假", "水库", "gate", "pump")
SOURCE = Source(uri="file:///a.txt", media_type="text/plain", sha256="0" * 64, size=1, labels={})


def entry_of(row: int, text: str, vector: Float32Array | None = None) -> Entry:
    """A row that holds this text, and this vector, float32 of shape (len(WORDS),), if one is given."""
    chunk = Chunk(id=f"c{row}", document_id="d", span=Span(0, len(text)), text=text, language="en")
    return Entry(row=row, chunk=chunk, title="", sources=(SOURCE,), vector=vector)


def vector_of(text: str) -> Float32Array:
    """A unit vector, float32 of shape (len(WORDS),), one axis a word: texts that share more words are closer."""
    counts = np.array([text.split().count(word) for word in WORDS], np.float32) + 0.01
    unit: Float32Array = (counts / np.linalg.norm(counts)).astype(np.float32)
    return unit


def scope_of(rows: Sequence[int] | None = None, *, revision: int = 10**6) -> Scope:
    """A scope that allows these rows, or all."""
    allowed: NDArray[np.int64] | None = None if rows is None else np.array(sorted(rows), np.int64)
    return Scope(revision=revision, where=Filter(), rows=lambda: allowed)


class IndexContract(Generic[QueryT]):
    """What every follower of the catalog keeps to.

    A subclass for a vector index embeds with `vector_of`, whose length is that of `WORDS`.
    """

    def open(self, folder: Path, *, content: str = "a") -> Index[QueryT]:
        """The index of a folder, or of that name; `content` distinguishes analysers, or models."""
        raise NotImplementedError

    def ask(self, text: str) -> QueryT:
        """The query for a text."""
        raise NotImplementedError

    def change(
        self,
        revision: int,
        added: dict[int, str] | None = None,
        removed: Iterable[int] = (),
        *,
        since: int | None = None,
    ) -> Change:
        """A change to this revision, from the one before it unless `since` says otherwise."""
        entries = (entry_of(row, text, vector_of(text)) for row, text in (added or {}).items())
        before = revision - 1 if since is None else since
        return Change(since=before, revision=revision, removed=tuple(removed), added=entries)

    def found(self, index: Index[QueryT], text: str, k: int = 10, rows: Sequence[int] | None = None) -> list[Candidate]:
        """What the index finds."""
        return index.search(self.ask(text), k=k, scope=scope_of(rows))

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """A folder that does not exist yet."""
        return tmp_path / "deep" / "索引 index"

    @pytest.fixture
    def index(self, folder: Path) -> Iterator[Index[QueryT]]:
        """An index with three rows at revision 1."""
        index = self.open(folder)
        index.apply(self.change(1, {1: "turbine valve", 2: "turbine reservoir reservoir", 5: "gate 年假 valve"}))
        yield index
        index.close()

    def test_a_new_index_is_empty(self, folder: Path) -> None:
        """Looking at an index that is not there finds nothing, however often it is done."""
        for _ in range(2):
            index = self.open(folder)
            assert (index.revision, index.rows().tolist(), self.found(index, "turbine")) == (0, [], [])
            index.close()

    def test_finds_the_best_first(self, index: Index[QueryT]) -> None:
        """The row that says most of what was asked comes first, with the highest score."""
        hits = self.found(index, "turbine reservoir")
        assert hits[0].row == 2
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        assert self.found(index, "年假")[0].row == 5
        assert index.revision == 1
        assert index.rows().tolist() == [1, 2, 5]

    def test_cuts_at_k(self, index: Index[QueryT]) -> None:
        """More than there is gives what there is; nothing asked for gives nothing."""
        assert len(self.found(index, "turbine valve", k=2)) == 2
        assert 0 < len(self.found(index, "turbine valve", k=1000)) <= 3
        assert self.found(index, "turbine", k=0) == []

    def test_applying_twice_is_applying_once(self, index: Index[QueryT]) -> None:
        """A replay after a crash changes nothing, whether of the last change or of all."""
        changes = [(2, {6: "pump turbine"}, (1,)), (3, {7: "pump"}, (6,))]
        for revision, added, removed in changes:
            index.apply(self.change(revision, added, removed))
        before = index.rows().tolist(), self.found(index, "pump turbine")
        index.apply(self.change(3, {7: "pump"}, (6,)))
        index.apply(self.change(2, {6: "pump turbine"}, (1,)))
        assert (index.rows().tolist(), self.found(index, "pump turbine")) == before
        assert index.rows().tolist() == [2, 5, 7]
        assert index.revision == 3

    def test_a_row_is_replaced_and_removed(self, index: Index[QueryT]) -> None:
        """A row is never found by what it held before."""
        index.apply(self.change(2, {1: "pump pump"}, (5, 99)))
        assert index.rows().tolist() == [1, 2]
        assert self.found(index, "pump")[0].row == 1
        assert 5 not in [hit.row for hit in self.found(index, "gate 年假 valve")]

    def test_a_row_may_be_removed_and_added_by_one_change(self, index: Index[QueryT]) -> None:
        """Removals come first."""
        index.apply(self.change(2, {1: "pump"}, (1,)))
        assert index.rows().tolist() == [1, 2, 5]

    def test_a_change_that_only_raises_the_revision(self, index: Index[QueryT]) -> None:
        """A revision without chunks is a revision."""
        index.apply(self.change(2))
        assert (index.revision, index.rows().tolist()) == (2, [1, 2, 5])

    def test_everything_may_go_and_come_again(self, index: Index[QueryT]) -> None:
        """An index that became empty is as good as a new one."""
        index.apply(self.change(2, removed=(1, 2, 5)))
        assert (index.rows().tolist(), self.found(index, "turbine")) == ([], [])
        index.apply(self.change(3, {8: "turbine"}))
        assert [hit.row for hit in self.found(index, "turbine")] == [8]

    def test_a_gap_between_changes_is_refused(self, index: Index[QueryT]) -> None:
        """An index never claims a revision whose changes it missed."""
        with pytest.raises(IndexingError, match="is at revision 1"):
            index.apply(self.change(3, {9: "pump"}, since=2))
        assert index.revision == 1

    def test_a_stream_that_breaks_leaves_the_index_as_it_was(self, index: Index[QueryT]) -> None:
        """The error of the stream comes through, and the next change can be applied."""

        def broken() -> Iterator[Entry]:
            yield entry_of(9, "pump", vector_of("pump"))
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            index.apply(Change(since=1, revision=2, removed=(1,), added=broken()))
        assert (index.revision, index.rows().tolist()) == (1, [1, 2, 5])
        index.apply(self.change(2, {9: "pump"}, (1,)))
        assert index.rows().tolist() == [2, 5, 9]

    def test_the_scope_is_applied_before_the_cut(self, folder: Path) -> None:
        """A filter never empties a page: the best of the allowed rows are found, however low they rank."""
        index = self.open(folder)
        index.apply(self.change(1, {row: "turbine " * (1 + row % 7) + "valve" for row in range(300)}))
        everything = self.found(index, "turbine valve", k=300)
        assert len(everything) == 300
        for rows in ([], [299], list(range(0, 300, 50)), list(range(100, 300)), [*range(299), 5000]):
            wanted = [hit for hit in everything if hit.row in set(rows)][:5]
            assert self.found(index, "turbine valve", k=5, rows=rows) == wanted
        index.close()

    def test_equal_scores_come_in_row_order(self, folder: Path) -> None:
        """The order is total, whatever the order and the number of changes that brought the rows."""
        index = self.open(folder)
        index.apply(self.change(1, dict.fromkeys(range(50, 90), "turbine valve")))
        index.apply(self.change(2, dict.fromkeys(range(100, 140), "turbine valve")))
        index.apply(self.change(3, dict.fromkeys(range(50), "turbine valve"), (60, 70)))
        rows = [hit.row for hit in self.found(index, "turbine", k=30)]
        assert rows == list(range(30))
        assert [hit.row for hit in self.found(index, "turbine", k=12, rows=range(45, 130))] == list(range(45, 57))
        index.close()

    def test_what_was_applied_is_there_after_opening_again(self, index: Index[QueryT], folder: Path) -> None:
        """Rows, revision, scores."""
        index.apply(self.change(2, {9: "pump valve"}, (1,)))
        again = self.open(folder)
        assert (again.revision, again.rows().tolist()) == (2, [2, 5, 9])
        assert self.found(again, "pump valve") == self.found(index, "pump valve")
        again.close()

    def test_readers_see_what_a_writer_wrote(self, index: Index[QueryT], folder: Path) -> None:
        """At the next search, without a signal, through many changes."""
        readers = [self.open(folder), self.open(folder)]
        for revision in range(2, 12):
            index.apply(self.change(revision, {revision + 10: "pump " * revision}, (revision + 9,)))
            for reader in readers:
                assert reader.revision == revision
                assert self.found(reader, "pump")[0].row == revision + 10
                assert reader.rows().tolist() == [1, 2, 5, revision + 10]
        for reader in readers:
            reader.close()

    def test_what_was_written_is_proved(self, index: Index[QueryT]) -> None:
        """An index that can check itself finds no flaw in what it was given, and names what it was not given."""
        if not isinstance(index, Verifiable):
            pytest.skip("the index does not offer it")
        index.apply(self.change(2, {6: "pump"}, (5,)))
        texts = {1: "turbine valve", 2: "turbine reservoir reservoir", 6: "pump"}
        held = [entry_of(row, text, vector_of(text)) for row, text in texts.items()]
        assert index.verify(held) == []
        changed = [entry_of(2, "gate", vector_of("gate")) if entry.row == 2 else entry for entry in held]
        assert [flaw.rows for flaw in index.verify(changed)] == [(2,)]

    @pytest.mark.usefixtures("index")
    def test_other_content_is_not_mixed_in(self, folder: Path) -> None:
        """Another analyser, or model, means a rebuild."""
        with pytest.raises(DamagedIndex, match="build it anew"):
            assert self.open(folder, content="b").revision
        assert self.open(folder).revision == 1


class FolderIndexContract(IndexContract[QueryT]):
    """What an index keeps to that has its files in a folder."""

    def test_looking_at_a_new_index_writes_nothing(self, folder: Path) -> None:
        """It leaves no trace."""
        index = self.open(folder)
        assert (index.revision, index.rows().tolist(), self.found(index, "turbine")) == (0, [], [])
        assert not folder.exists()
        index.close()

    def test_a_folder_set_aside_is_an_empty_index(self, index: Index[QueryT], folder: Path) -> None:
        """An open reader notices as well, and the index can be rebuilt in its place."""
        folder.rename(folder.with_name("aside"))
        assert (index.revision, index.rows().tolist(), self.found(index, "turbine")) == (0, [], [])
        index.apply(self.change(1, {3: "turbine"}))
        assert [hit.row for hit in self.found(self.open(folder), "turbine")] == [3]

    @pytest.mark.usefixtures("index")
    def test_data_without_manifest_is_overtaken(self, folder: Path) -> None:
        """After a crash between data and manifest the change is applied again."""
        (folder / "manifest.json").unlink()
        again = self.open(folder)
        assert again.revision == 0
        again.apply(self.change(1, {1: "turbine valve", 2: "pump"}))
        assert {1, 2} <= set(again.rows().tolist())
        assert len(again.rows()) == len(set(again.rows().tolist()))

    @pytest.mark.parametrize("damage", ["empty", "half", "noise", "gone"])
    def test_damaged_files_are_reported(self, index: Index[QueryT], folder: Path, damage: str) -> None:
        """Whatever happened to a file: either the index says that it is damaged, or it does not need the file."""
        index.apply(self.change(2, {9: "pump valve"}, (1,)))
        index.close()
        whole = folder.with_name("whole")
        folder.rename(whole)
        reported = 0
        for file in sorted(path.relative_to(whole) for path in whole.rglob("*") if path.is_file()):
            shutil.copytree(whole, folder)
            _damage(folder / file, damage)
            try:
                again = self.open(folder)
                self.found(again, "turbine valve")
                again.rows()
                again.close()
            except DamagedIndex:
                reported += 1
            shutil.rmtree(folder)
        assert reported


def _damage(path: Path, how: str) -> None:
    data = path.read_bytes()
    if how == "gone":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "half":
        path.write_bytes(data[: len(data) // 2])
    else:
        noise = np.random.default_rng(len(data)).integers(0, 256, len(data), np.uint8)
        path.write_bytes(noise.tobytes())
