"""Folders that workers write in: one a worker, locked while its parent lives, and removed after it."""

import fcntl
import logging
import os
import shutil
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

PREFIX = "penstock-parse-"


class WorkFolder:
    """A new folder for one worker. Its lock ends with this process, however that ends.

    Raises:
        OSError: on creation, when no folder can be made.
    """

    def __init__(self) -> None:
        self.path, lock = _made()
        self._remove = weakref.finalize(self, _removed, self.path, lock)

    def remove(self) -> None:
        """Removes the folder and all in it."""
        self._remove()


def remove_abandoned() -> None:
    """Removes the folders of this user whose processes are gone: a process that was killed could not do it.

    Only what no process has locked; links and what belongs to others are left alone.
    """
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX) and (lock := _abandoned(entry.path)) is not None:
                _removed(entry.path, lock)
                log.info("removed what a process that is gone had left: %s", entry.path)


def _made() -> tuple[str, int]:
    """A folder and the descriptor that holds its lock."""
    while True:
        path = tempfile.mkdtemp(prefix=PREFIX)
        try:
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:  # another process took it for abandoned, before it was even opened here
            continue
        with suppress(OSError):  # a file system without locks: then nobody can take the folder for abandoned
            fcntl.flock(lock, fcntl.LOCK_EX)
        if Path(path).is_dir():
            return path, lock
        os.close(lock)  # the same, before it was locked


def _abandoned(path: str) -> int | None:
    """A descriptor that holds the lock of a folder; None where it is in use, or no folder of this user."""
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if os.fstat(folder).st_uid == os.geteuid():
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return folder
    except OSError:
        pass
    os.close(folder)
    return None


def _removed(path: str, lock: int) -> None:
    with suppress(RecursionError):  # thousands of folders in one another: left to the next start, or to a person
        shutil.rmtree(path, ignore_errors=True)
    os.close(lock)
