"""Files of this machine: listed by their path, and read where they lie."""

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, TypeVar

from penstock.errors import FetchError, SourceError, TransientFetchError
from penstock.loaders.sources.addresses import path_of, shown, uri_of
from penstock.loaders.sources.failures import discover_failure, too_large
from penstock.loaders.sources.opening import open_regular, path_of_descriptor
from penstock.loaders.sources.waiting import Stalled, within
from penstock.model import Failure, Fetched, Listed, Source

T = TypeVar("T")
BLOCK_BYTES = 1024 * 1024
_PASSING = frozenset((errno.EIO, errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ESTALE, errno.ETIMEDOUT, errno.EBUSY))
"""Faults of disks, network shares and crowded machines that may be gone at the next try."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECONDS = 60.0
"""How long a file or folder may take to answer where nobody says otherwise."""


def modified_of(status: os.stat_result) -> datetime:
    """When a file was last written, UTC, to the microsecond and without rounding through a float."""
    return EPOCH + timedelta(microseconds=status.st_mtime_ns // 1000)


def listed_file(path: str, status: os.stat_result, *, below: str = "") -> Listed:
    """A file as its folder knows it; `below` is where it must really be when it is opened."""
    return Listed(uri=uri_of(path), size=status.st_size, modified=modified_of(status), below=below)


class FileLister:
    """Lists one file, named by its path; a file that is gone by then is missing from a complete listing.

    Links are followed: whoever names a file means what is behind it.
    """

    def __init__(self, path: Path, *, seconds: float = SECONDS) -> None:
        self._path = os.path.abspath(path)  # noqa: PTH100 - Path.absolute keeps `..`
        self._seconds = seconds
        self._seen = False

    def list(self) -> Iterator[Listed | Failure]:
        """See `Lister`."""
        self._seen = True
        try:
            status = within(self._seconds, lambda: os.stat(self._path), name=f"looking at {self._path}")  # noqa: PTH116
        except (FileNotFoundError, NotADirectoryError):
            return
        except (OSError, Stalled) as error:
            self._seen = False
            uri = uri_of(self._path)
            reason = error.strerror if isinstance(error, OSError) else error
            yield discover_failure(uri, f"{shown(uri)!r} cannot be looked at: {reason}")
            return
        if stat.S_ISREG(status.st_mode):
            yield listed_file(self._path, status)

    def complete(self) -> bool:
        """See `Lister`."""
        return self._seen

    def covers(self, uri: str) -> bool:
        """The file's own URI."""
        return uri == uri_of(self._path)


@dataclass(slots=True, kw_only=True)
class _Open:
    """A file that is being read."""

    file: BinaryIO
    before: os.stat_result
    fetched: Fetched | None = None


class LocalFetcher:
    """Reads files of this machine; nothing is copied.

    What is given is the path of the open descriptor, so that what is sniffed and parsed is the file that was looked at
    and hashed, whatever comes in the place of its name. A file from which nothing comes for `stall_seconds` costs
    itself alone: the thread that waits for it is abandoned.

    A file whose size and time of modification are the known ones is not read. When the context closes, the file is
    looked at once more: if it was written to or replaced meanwhile, what was read of it may be neither the old nor the
    new content, and `TransientFetchError` says so.
    """

    def __init__(self, *, max_bytes: int, stall_seconds: float = SECONDS) -> None:
        self._max_bytes = max_bytes
        self._stall_seconds = stall_seconds

    @contextmanager
    def fetch(self, listed: Listed, known: Source | None) -> Iterator[Fetched | None]:
        """See `Fetcher`.

        Raises:
            FetchError: the file is gone, may not be read, or is no regular file.
            TransientFetchError: the file changed while it was read, its disk failed, or nothing came for too long.
            ExcludedSource: a link came in the place of the listed file.
            LimitExceeded: the file is too large.
        """
        steps: list[None] = []
        open_file = self._waited(listed.uri, lambda: self._read(listed, known, steps), lambda: len(steps))
        with open_file.file:
            yield open_file.fetched
            if open_file.fetched:
                self._waited(listed.uri, lambda: _check_unchanged(listed.uri, open_file.before))

    def _waited(self, uri: str, call: Callable[[], T], steps: Callable[[], int] = lambda: 0) -> T:
        try:
            return within(self._stall_seconds, call, name=f"reading {uri}", steps=steps)
        except Stalled as error:
            raise TransientFetchError(
                f"{shown(uri)!r} cannot be read: nothing came from it for {self._stall_seconds:g} seconds; check the "
                "disk or network share that it is on, or raise limits.read_seconds (PENSTOCK_LIMITS__READ_SECONDS)"
            ) from error
        except OSError as error:
            raise _translated(uri, error) from error

    def _read(self, listed: Listed, known: Source | None, steps: list[None]) -> _Open:
        file = os.fdopen(open_regular(path_of(listed.uri), below=listed.below), "rb", buffering=0)
        try:
            before = os.fstat(file.fileno())
            steps.append(None)
            if _is_known(before, known):
                return _Open(file=file, before=before)
            fetched = self._fetched(listed.uri, file, before, steps)
            _check_unchanged(listed.uri, before)
            return _Open(file=file, before=before, fetched=fetched)
        except BaseException:
            file.close()
            raise

    def _fetched(self, uri: str, file: BinaryIO, status: os.stat_result, steps: list[None]) -> Fetched:
        if status.st_size > self._max_bytes:
            raise too_large(uri, self._max_bytes)
        sha, size = hashlib.sha256(), 0
        while block := file.read(BLOCK_BYTES):
            steps.append(None)
            size += len(block)
            if size > self._max_bytes:  # it grows
                raise too_large(uri, self._max_bytes)
            sha.update(block)
        return Fetched(
            path=path_of_descriptor(file.fileno()), sha256=sha.hexdigest(), size=size, modified=modified_of(status)
        )


def _is_known(status: os.stat_result, known: Source | None) -> bool:
    return known is not None and (known.size, known.modified) == (status.st_size, modified_of(status))


def _check_unchanged(uri: str, before: os.stat_result) -> None:
    try:
        now = path_of(uri).stat()
    except OSError as error:
        raise _translated(uri, error) from error
    if _version(now) != _version(before):
        raise TransientFetchError(f"{shown(uri)!r} was written to while it was read; read it again when it is finished")


def _version(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _translated(uri: str, error: OSError) -> SourceError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return FetchError(f"{shown(uri)!r} is gone: it was removed or renamed after it was listed")
    kind = TransientFetchError if error.errno in _PASSING else FetchError
    return kind(f"{shown(uri)!r} cannot be read: {error.strerror or error}")
