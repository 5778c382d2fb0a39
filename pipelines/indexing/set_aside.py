"""How a new index takes the place of one, which is set aside: kept for a look at what happened."""

import logging
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from penstock.errors import IndexingError
from penstock.files import sync_folder
from penstock.pipelines.indexing.exchanging import exchange

log = logging.getLogger(__name__)

MARK = ".aside-"
"""Stands between the name of an index's folder and the time at which it was set aside."""
BUILDING = ".building"
"""Ends the name of the folder in which a new index is built beside the one that is searched."""
KEPT = 3
"""The newest folders of each index that are kept: all of it can be built from the catalog, and disks fill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """What lies set aside: how many folders, and how many bytes in them."""

    folders: int
    bytes: int


def put_in_place(new: Path, folder: Path) -> None:
    """Puts a folder in the place of another one, which is set aside: in one step, wherever the system has one for it.

    Raises:
        IndexingError: the folders cannot be renamed.
    """
    aside = _aside(folder)
    try:
        if folder.exists():
            new.rename(aside)  # where the present one is to lie: they change places
            if exchange(aside, folder):
                _leave_the_newest(folder)
                sync_folder(folder.parent)
                return
            aside.rename(new)
            set_aside(folder)  # for a moment there is none: who looks then finds nothing
        new.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise IndexingError(f"{str(new)!r} cannot be put in its place: {error.strerror}") from error


def set_aside(folder: Path) -> None:
    """Renames the folder of an index; of what was set aside before, the newest stay and the others go.

    Raises:
        IndexingError: the folder cannot be renamed.
    """
    try:
        folder.rename(_aside(folder))
    except OSError as error:
        raise IndexingError(f"{str(folder)!r} cannot be set aside: {error.strerror}") from error
    _leave_the_newest(folder)


def _aside(folder: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    return folder.with_name(f"{folder.name}{MARK}{stamp}")


def _leave_the_newest(folder: Path) -> None:
    log.info("set aside: what stood at %s", folder)
    for old in sorted(folder.parent.glob(f"{folder.name}{MARK}*"))[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)  # what cannot be deleted is tried again the next time


@dataclass(frozen=True, slots=True, kw_only=True)
class AsideFolder:
    """One folder that was set aside."""

    path: Path
    bytes: int


def folders_aside(place: Path) -> tuple[AsideFolder, ...]:
    """The folders that lie set aside in the folder of a collection's indexes, oldest first."""
    found = sorted(place.glob(f"*{MARK}*"), key=lambda folder: folder.name.rpartition(MARK)[2])
    return tuple(AsideFolder(path=folder, bytes=size_of(folder)) for folder in found)


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(_size(file) for file in folder.rglob("*"))


def lying_aside(place: Path) -> Aside:
    """What lies set aside in the folder of a collection's indexes."""
    folders = folders_aside(place)
    return Aside(folders=len(folders), bytes=sum(folder.bytes for folder in folders))


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size if path.is_file() else 0
    except OSError:  # it went meanwhile
        return 0
