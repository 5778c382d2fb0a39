"""File locks, which the kernel releases when a process is killed: one writer for each collection and its indexes."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from penstock.errors import CatalogError, CollectionLocked

SECONDS_BETWEEN_TRIES = 0.01
"""Commits are short: a process that polls rarely may find the lock taken by another commit each time."""


def writing(folder: Path, collection: str, *, timeout: float = 0) -> AbstractContextManager[None]:
    """Keeps other writers of the collection out while the context is open; waits `timeout` seconds for it.

    Raises:
        CollectionLocked: another process, or another thread of this one, is writing; names the process.
        CatalogError: the lock file cannot be written.
    """
    return held(folder / f"{collection}.lock", f"is writing to collection {collection!r}", timeout=timeout)


@contextmanager
def held(path: Path, doing: str, *, timeout: float) -> Iterator[None]:
    """Holds the lock of a file while the context is open; `doing` says what its holder does. Waits `timeout` seconds.

    Raises:
        CollectionLocked: another process, or another thread of this one, holds it; names the process.
        CatalogError: the lock file cannot be written.
    """
    from filelock import FileLock, Timeout  # here: only writers need it

    lock = FileLock(path, thread_local=False, poll_interval=SECONDS_BETWEEN_TRIES)
    # The holder writes its number beside the lock, not into it: older releases of filelock empty a file that
    # they fail to lock.
    holder = path.with_name(f"{path.name.removesuffix('.lock')}.writer")
    try:
        _make(path.parent)
        lock.acquire(timeout=timeout)
    except Timeout as error:
        raise CollectionLocked(f"process {_holder(holder)} {doing}; run again when it has finished") from error
    except OSError as error:
        raise CatalogError(f"{str(path)!r} cannot be locked: {error}") from error
    try:
        with suppress(OSError):  # only for messages; on a full disk a search must still be able to rebuild its indexes
            holder.write_text(str(os.getpid()), encoding="ascii")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _make(folder: Path) -> None:
    """Makes the folder readable by its owner only, because the indexes in it contain text of documents."""
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:  # the holder has not written its number yet, or has just finished
        return "unknown"
