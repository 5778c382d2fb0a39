"""Replaces an index by a new one; the old one is moved away and kept, so that its damage can be examined."""

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
"""In the name of a folder that was moved away: between the index's name and the time."""
BUILDING = ".building"
"""Ends the name of the folder in which a new index is built beside the live one."""
KEPT = 3
"""How many folders of each index are kept: indexes can be rebuilt from the catalog, and disks fill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """How many folders were moved away, and their bytes."""

    folders: int
    bytes: int


def put_in_place(new: Path, folder: Path) -> None:
    """Replaces a folder by a new one and moves the old one away: in one step, where the system supports that.

    Raises:
        IndexingError: the folders cannot be renamed.
    """
    aside = _aside(folder)
    try:
        if folder.exists():
            new.rename(aside)  # the name that the old folder gets when they are exchanged
            if exchange(aside, folder):
                _leave_the_newest(folder)
                sync_folder(folder.parent)
                return
            aside.rename(new)
            set_aside(folder)  # for a moment there is no folder: a search then finds no index
        new.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise IndexingError(f"{str(new)!r} cannot be put in its place: {error.strerror}") from error


def set_aside(folder: Path) -> None:
    """Moves the folder of an index away; the newest `KEPT` such folders stay, older ones are deleted.

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
    log.info("set aside: the old index %s", folder)
    for old in sorted(folder.parent.glob(f"{folder.name}{MARK}*"))[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)  # folders that cannot be deleted are tried again the next time


@dataclass(frozen=True, slots=True, kw_only=True)
class AsideFolder:
    """A folder that was moved away."""

    path: Path
    bytes: int


def folders_aside(place: Path) -> tuple[AsideFolder, ...]:
    """The folders that were moved away in the folder of a collection's indexes, oldest first."""
    found = sorted(place.glob(f"*{MARK}*"), key=lambda folder: folder.name.rpartition(MARK)[2])
    return tuple(AsideFolder(path=folder, bytes=size_of(folder)) for folder in found)


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(_size(file) for file in folder.rglob("*"))


def lying_aside(place: Path) -> Aside:
    """Number and size of the folders that were moved away in the folder of a collection's indexes."""
    folders = folders_aside(place)
    return Aside(folders=len(folders), bytes=sum(folder.bytes for folder in folders))


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size if path.is_file() else 0
    except OSError:  # deleted meanwhile
        return 0
