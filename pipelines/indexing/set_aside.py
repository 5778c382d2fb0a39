"""Indexes that were set aside: what stood in the place of one that was built anew, kept for a look at what happened."""

import logging
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from penstock.errors import IndexingError

log = logging.getLogger(__name__)

MARK = ".aside-"
"""Stands between the name of an index's folder and the time at which it was set aside."""
KEPT = 3
"""The newest folders of each index that are kept: all of it can be built from the catalog, and disks fill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """What lies set aside: how many folders, and how many bytes in them."""

    folders: int
    bytes: int


def set_aside(folder: Path) -> None:
    """Renames the folder of an index; of what was set aside before, the newest stay and the others go.

    Raises:
        IndexingError: the folder cannot be renamed.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    aside = folder.with_name(f"{folder.name}{MARK}{stamp}")
    try:
        folder.rename(aside)
    except OSError as error:
        raise IndexingError(f"{str(folder)!r} cannot be set aside: {error.strerror}") from error
    log.info("set aside: %s", aside)
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
