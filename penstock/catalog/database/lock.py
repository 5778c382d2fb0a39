"""One writer a collection: a lock that the kernel holds, so that a killed process leaves none behind."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from penstock.errors import CatalogError, CollectionLocked


@contextmanager
def writing(folder: Path, collection: str, *, timeout: float = 0) -> Iterator[None]:
    """Keeps other writers of the collection out while the context is open; waits `timeout` seconds for it.

    Raises:
        CollectionLocked: another process, or another thread of this one, is writing; names the process.
        CatalogError: the lock file cannot be written.
    """
    from filelock import FileLock, Timeout  # here: only writers need it

    lock = FileLock(folder / f"{collection}.lock", thread_local=False)
    # The holder writes its number beside the lock, not into it: older releases of filelock empty a file that
    # they fail to lock.
    holder = folder / f"{collection}.writer"
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)  # the indexes in it hold what the documents say
        lock.acquire(timeout=timeout)
    except Timeout as error:
        raise CollectionLocked(
            f"process {_holder(holder)} is writing to collection {collection!r}; run again when it has finished"
        ) from error
    except OSError as error:
        raise CatalogError(f"collection {collection!r} cannot be locked in {str(folder)!r}: {error}") from error
    try:
        with suppress(OSError):  # it is a courtesy to people; on a full disk a search may still mend its indexes
            holder.write_text(str(os.getpid()), encoding="ascii")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:  # it has the lock and has not yet said so, or has just finished
        return "unknown"
