"""The bytes of a source: files are read where they lie, web pages by `web.py`."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from penstock.errors import AddressRefused, FetchError, LimitExceeded, SourceError, TransientFetchError
from penstock.loaders.addresses import is_file, is_web, path_of, shown
from penstock.loaders.listing import modified_of
from penstock.model import Fetched, Listed, Source

if TYPE_CHECKING:  # the ports bring numpy, which neither a worker nor a command line needs at its start
    from penstock.ports import Fetcher

BLOCK_BYTES = 1024 * 1024
MIB = 1024 * 1024
_PASSING = frozenset((errno.EIO, errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ESTALE, errno.ETIMEDOUT, errno.EBUSY))
"""Faults of disks, network shares and crowded machines that may be gone at the next try."""


def too_large(uri: str, max_bytes: int) -> LimitExceeded:
    """The refusal of a source that is larger than allowed."""
    return LimitExceeded(
        f"{shown(uri)!r} is larger than the {max_bytes / MIB:g} MiB that one source may have; "
        "raise limits.source_mib (PENSTOCK_LIMITS__SOURCE_MIB) to read it"
    )


class LocalFetcher:
    """Reads files of this machine; nothing is copied.

    A file whose size and time of modification are the known ones is not read. When the context closes, the file is
    looked at once more: if it was written to or replaced meanwhile, what was read of it may be neither the old nor the
    new content, and `TransientFetchError` says so.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes

    @contextmanager
    def fetch(self, listed: Listed, known: Source | None) -> Iterator[Fetched | None]:
        """See `Fetcher`.

        Raises:
            FetchError: the file is gone, may not be read, or is no regular file.
            TransientFetchError: the file changed while it was read, or its disk failed.
            LimitExceeded: the file is too large.
        """
        path = path_of(listed.uri)
        try:
            # Without O_NONBLOCK, opening a named pipe would wait for somebody to write into it.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb", buffering=0) as file:
                before = os.fstat(file.fileno())
                if _is_known(before, known):
                    yield None
                    return
                fetched = self._fetched(listed.uri, file, before)
                _check_unchanged(listed.uri, before)
        except OSError as error:
            raise _translated(listed.uri, error) from error
        yield fetched
        _check_unchanged(listed.uri, before)

    def _fetched(self, uri: str, file: BinaryIO, status: os.stat_result) -> Fetched:
        if not stat.S_ISREG(status.st_mode):
            raise FetchError(f"{shown(uri)!r} is not a regular file but a folder, pipe or device")
        if status.st_size > self._max_bytes:
            raise too_large(uri, self._max_bytes)
        sha, size = hashlib.sha256(), 0
        while block := file.read(BLOCK_BYTES):
            size += len(block)
            if size > self._max_bytes:  # it grows
                raise too_large(uri, self._max_bytes)
            sha.update(block)
        return Fetched(path=path_of(uri), sha256=sha.hexdigest(), size=size, modified=modified_of(status))


def fetcher_for(
    uri: str,
    *,
    source_mib: int,
    timeout_seconds: float,
    attempts: int,
    redirects: int,
    allow_private: bool,
    user_agent: str,
) -> "Fetcher":
    """The fetcher for a URI; building one costs nothing.

    Raises:
        AddressRefused: the scheme is neither file, http nor https.
    """
    if is_file(uri):
        return LocalFetcher(max_bytes=source_mib * MIB)
    if is_web(uri):
        from penstock.loaders.web import WebFetcher

        return WebFetcher(
            max_bytes=source_mib * MIB,
            timeout_seconds=timeout_seconds,
            attempts=attempts,
            redirects=redirects,
            allow_private=allow_private,
            user_agent=user_agent,
        )
    raise AddressRefused(f"{uri!r} is neither file://, http:// nor https://")


def _is_known(status: os.stat_result, known: Source | None) -> bool:
    return (
        known is not None
        and stat.S_ISREG(status.st_mode)
        and (known.size, known.modified) == (status.st_size, modified_of(status))
    )


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
