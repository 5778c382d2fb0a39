"""Files that are whole or not there: written beside their place and renamed, read with their checksum."""

import contextlib
import errno
import os
import zlib
from pathlib import Path

from penstock.errors import DamagedIndex, IndexingError

DAMAGE = frozenset(
    number
    for name in ("ENOENT", "ENOTDIR", "EISDIR", "ENXIO", "EIO", "EBADMSG", "EINVAL", "EUCLEAN")
    if (number := getattr(errno, name, None))  # not every system has them all
)
"""Errors for which the file is to blame: it is not there, or the disk does not give it back. All others (no descriptor
or memory left, no permission, a server that does not answer) pass or are a person's to mend, and the file is well."""


def unreadable(what: str, error: OSError | MemoryError) -> IndexingError:
    """What to raise where files of an index could not be read: `DamagedIndex` only where they are to blame."""
    said = getattr(error, "strerror", None) or error or type(error).__name__
    if getattr(error, "errno", None) in DAMAGE:
        return DamagedIndex(f"{what}: {said}")
    return IndexingError(f"{what} now: {said or 'no memory is left'}; the index stays as it is")


def write_durably(path: Path, data: bytes) -> None:
    """Puts the data at the path, safe on disk when it returns; whatever stood there before stays until then.

    Raises:
        IndexingError: the file cannot be written.
    """
    beside = path.with_name(f"{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise IndexingError(
            f"{path} cannot be written: {error.strerror or error}; the index stays as it was"
        ) from error


def read_checked(path: Path, crc32: int) -> bytes:
    """The content of a file.

    Raises:
        DamagedIndex: it is not there, the disk does not give it back, or it is not what was written.
        IndexingError: it cannot be read now.
    """
    try:
        data = path.read_bytes()
    except (OSError, MemoryError) as error:
        raise unreadable(f"{path} cannot be read", error) from error
    if zlib.crc32(data) != crc32:
        raise DamagedIndex(f"{path} is not what was written: its checksum differs")
    return data


def remove_others(folder: Path, suffix: str, keep: set[str]) -> None:
    """Deletes files of that suffix that are not to be kept; one that cannot be deleted is left for next time."""
    for path in folder.glob(f"*{suffix}"):
        if path.name not in keep:
            with contextlib.suppress(OSError):
                path.unlink()


def sync_folder(folder: Path) -> None:
    """Makes the names of the folder's files safe on disk.

    Raises:
        OSError: the folder cannot be opened or synced.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
