"""Between a commit of tantivy and the manifest that records it, and after a change that failed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.errors import DamagedIndex
from penstock.indexers.manifest import Manifest, ManifestFile
from penstock.indexers.tantivy import TantivyIndex
from penstock.model import Change, Entry
from penstock.pipelines.indexing.storage import InFolder
from penstock.testing.contracts.indexes import entry_of


class Words:
    fingerprint = "words"

    def tokens(self, text: str) -> list[str]:
        return text.split()

    def query_tokens(self, text: str) -> list[str]:
        return text.split()


class Died(BaseException):
    """The end of a process, for as long as a test goes on."""


def opened(folder: Path) -> TantivyIndex:
    return TantivyIndex(folder, analyser=Words())


def change(revision: int, row: int, *removed: int) -> Change:
    return Change(since=revision - 1, revision=revision, removed=removed, added=[entry_of(row, "turbine")])


def dies_before_it_is_reported(folder: Path, made: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    """Applies the change up to the last step, the manifest that records its revision."""
    write = ManifestFile.write

    def dying(self: ManifestFile, manifest: Manifest) -> None:
        if manifest.revision == made.revision:
            raise Died
        write(self, manifest)

    with monkeypatch.context() as patched:
        patched.setattr(ManifestFile, "write", dying)
        with pytest.raises(Died):
            opened(folder).apply(made)


def test_a_search_gets_the_revision_that_the_data_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that comes between the two sees all of the new revision, and gets its number."""
    opened(tmp_path).apply(change(1, 1))
    reader = opened(tmp_path)
    dies_before_it_is_reported(tmp_path, change(2, 2, 1), monkeypatch)
    fresh = opened(tmp_path)
    kept = InFolder(tmp_path, opened)
    assert (kept.visible_revision(fresh), fresh.revision, fresh.rows().tolist()) == (2, 1, [2])
    assert (kept.visible_revision(reader), reader.rows().tolist()) == (2, [2])
    fresh.apply(change(2, 2, 1))
    assert (kept.visible_revision(fresh), fresh.revision, fresh.rows().tolist()) == (2, 2, [2])


def test_a_change_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    """Also for who opens the folder afterwards: nothing came, and nothing went."""

    def broken() -> Iterator[Entry]:
        yield entry_of(9, "turbine")
        raise KeyboardInterrupt

    opened(tmp_path).apply(change(1, 1))
    with pytest.raises(KeyboardInterrupt):
        opened(tmp_path).apply(Change(since=1, revision=2, removed=(1,), added=broken()))
    assert (opened(tmp_path).revision, opened(tmp_path).rows().tolist()) == (1, [1])


def test_a_list_of_files_that_nobody_announced_is_damage(tmp_path: Path) -> None:
    opened(tmp_path).apply(change(1, 1))
    path = tmp_path / "segments" / "meta.json"
    path.write_text(path.read_text("utf-8").replace('"opstamp": ', '"opstamp": 1'), "utf-8")
    with pytest.raises(DamagedIndex, match="checksum"):
        opened(tmp_path)
