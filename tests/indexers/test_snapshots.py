"""A reader that meets a writer in the middle of its work."""

from pathlib import Path

import pytest

from penstock.errors import DamagedIndex
from penstock.indexers.manifest import Manifest, ManifestFile
from penstock.indexers.snapshots import Snapshots


def manifest_in(folder: Path) -> ManifestFile:
    file = ManifestFile(folder, kind="k", version=1, built_for="b")
    file.write(Manifest(revision=1, entries=0))
    return file


def test_data_that_went_while_it_was_read_is_read_from_the_next_manifest(tmp_path: Path) -> None:
    file = manifest_in(tmp_path)

    def load(manifest: Manifest, before: int) -> int:
        if manifest.revision == 1:
            file.write(Manifest(revision=2, entries=0))
            raise DamagedIndex("the file is gone")
        return before + manifest.revision

    newest = Snapshots(file, load, 40).newest()
    assert (newest.revision, newest.data) == (2, 42)


def test_data_that_is_gone_for_good_is_damage(tmp_path: Path) -> None:
    def load(manifest: Manifest, before: int) -> int:
        raise DamagedIndex(f"no data of revision {manifest.revision}, {before}")

    with pytest.raises(DamagedIndex, match="no data of revision 1"):
        Snapshots(manifest_in(tmp_path), load, 0)


def test_an_index_that_is_set_aside_while_it_is_opened_is_empty(tmp_path: Path) -> None:
    file = manifest_in(tmp_path)

    def load(manifest: Manifest, before: int) -> int:
        file.path.unlink()
        raise DamagedIndex("set aside")

    assert Snapshots(file, load, 7).newest().data == 7


def test_what_was_put_is_not_loaded(tmp_path: Path) -> None:
    file = manifest_in(tmp_path)
    loaded: list[int] = []

    def load(manifest: Manifest, before: int) -> int:
        loaded.append(manifest.revision)
        return before

    snapshots = Snapshots(file, load, 0)
    file.write(Manifest(revision=2, entries=0))
    snapshots.put(2, 5)
    assert (snapshots.newest().data, snapshots.newest().revision, loaded) == (5, 2, [1])
    snapshots.forget()
    assert snapshots.newest().data == 0
    assert loaded == [1, 2]
