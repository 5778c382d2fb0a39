"""Files that are whole or not there: written beside their place, made safe on disk, and put in it."""

import contextlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

UNFINISHED = ".unfinished"
"""How the name of a file ends that has not taken its place yet."""
_OURS = re.compile(r"\..*-[0-9a-f]{16}\.unfinished", re.DOTALL)
ABANDONED_SECONDS = 3600.0
"""An unfinished file to which nothing was written for so long belongs to a process that was killed."""


@contextmanager
def replacing(path: Path, *, private: bool = False) -> Iterator[BinaryIO]:
    """A file to be written, which takes its place at the path when the context ends, safe on disk.

    A file that was there stays until then, and for good where writing fails. Several processes may write the same path:
    the last one wins, and nobody sees a mixture. Only the owner may read a private file, from its first byte on.

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path.parent)
    beside = path.with_name(f".{path.name}-{secrets.token_hex(8)}{UNFINISHED}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        sync_folder(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def write_durably(path: Path, data: bytes, *, private: bool = False) -> None:
    """Puts the data at the path, safe on disk when it returns; see `replacing`.

    Raises:
        OSError: the file cannot be written.
    """
    with replacing(path, private=private) as file:
        file.write(data)


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


def _sweep(folder: Path) -> None:
    """Takes away what killed processes left; a file that cannot be removed is left for next time."""
    with contextlib.suppress(OSError):
        for path in folder.glob(f".*{UNFINISHED}"):
            ours = _OURS.fullmatch(path.name)  # the folder may be anybody's, such as one that is exported to
            if ours and time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                path.unlink(missing_ok=True)
