"""Files of an index: written whole or not at all, read with their checksum; which error is raised on failure."""

import contextlib
import errno
import zlib
from pathlib import Path

from penstock import files
from penstock.errors import DamagedIndex, IndexingError

DAMAGE = frozenset(
    number
    for name in ("ENOENT", "ENOTDIR", "EISDIR", "ENXIO", "EIO", "EBADMSG", "EINVAL", "EUCLEAN")
    if (number := getattr(errno, name, None))  # not every system has them all
)
"""Errors for which the file is to blame: it is not there, or the disk does not give it back. All others (no descriptor
or memory left, no permission, a server that does not answer) pass or are a person's to mend, and the file is well."""


def unreadable(subject: str, error: OSError | MemoryError) -> IndexingError:
    """The error for files of an index that could not be read: `DamagedIndex` only where the files are to blame."""
    reason = getattr(error, "strerror", None) or error or type(error).__name__
    if getattr(error, "errno", None) in DAMAGE:
        return DamagedIndex(f"{subject}: {reason}")
    return IndexingError(f"{subject} now: {reason or 'no memory is left'}; the index stays as it is")


def write_durably(path: Path, data: bytes) -> None:
    """Puts the data at the path as `penstock.files.write_durably` does.

    Raises:
        IndexingError: the file cannot be written.
    """
    try:
        files.write_durably(path, data)
    except OSError as error:
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
    """Deletes files of that suffix except those to keep; one that cannot be deleted is left for next time."""
    for path in folder.glob(f"*{suffix}"):
        if path.name not in keep:
            with contextlib.suppress(OSError):
                path.unlink()
