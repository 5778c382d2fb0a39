"""The bytes of a source: files are read where they lie, web pages by `web.py`."""

import errno
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from penstock.errors import AddressRefused, FetchError, LimitExceeded, SourceError, TransientFetchError
from penstock.loaders.sources.addresses import is_file, is_web, path_of, shown
from penstock.loaders.sources.listing import SECONDS, modified_of
from penstock.loaders.sources.opening import open_regular, path_of_descriptor
from penstock.loaders.sources.waiting import Stalled, within
from penstock.model import Fetched, Listed, Source

if TYPE_CHECKING:  # the ports bring numpy, which neither a worker nor a command line needs at its start
    from penstock.loaders.sources.web.courtesy import Courtesy
    from penstock.loaders.sources.web.networks import Network
    from penstock.ports import Fetcher

T = TypeVar("T")
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


def fetcher_for(
    uri: str,
    *,
    source_mib: int,
    read_seconds: float,
    timeout_seconds: float,
    attempts: int,
    redirects: int,
    allow_private: bool,
    allow_networks: "Iterable[Network]" = (),
    user_agent: str,
    courtesy: "Courtesy | None" = None,
) -> "Fetcher":
    """The fetcher for a URI; building one costs nothing. `courtesy` is for pages that a list or sitemap names.

    Raises:
        AddressRefused: the scheme is neither file, http nor https.
    """
    if is_file(uri):
        return LocalFetcher(max_bytes=source_mib * MIB, stall_seconds=read_seconds)
    if is_web(uri):
        from penstock.loaders.sources.web.pages import WebFetcher

        return WebFetcher(
            max_bytes=source_mib * MIB,
            timeout_seconds=timeout_seconds,
            attempts=attempts,
            redirects=redirects,
            allow_private=allow_private,
            allow_networks=allow_networks,
            user_agent=user_agent,
            courtesy=courtesy,
        )
    raise AddressRefused(f"{shown(uri)!r} is neither file://, http:// nor https://")


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
