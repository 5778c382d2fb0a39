"""Which sources are there? The listing of an address: a file, a folder, a web page, or what is no longer there."""

import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.errors import AddressRefused, FetchError, SourceError
from penstock.loaders.sources.addresses import is_file, is_web, path_of, shown, uri_of, web_uri
from penstock.loaders.sources.failures import discover_failure
from penstock.loaders.sources.files import SECONDS, FileLister
from penstock.loaders.sources.folders import FolderLister, Links
from penstock.loaders.sources.opening import is_of_kernel
from penstock.loaders.sources.waiting import Stalled, within
from penstock.model import Failure, Listed
from penstock.urls import scheme_of

if TYPE_CHECKING:  # the ports bring numpy, which neither a worker nor a command line needs at its start
    from penstock.ports import Lister


class UrlLister:
    """Lists web addresses that were named one by one; whether they still answer shows when they are fetched."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._uris = tuple(dict.fromkeys(web_uri(address) for address in addresses))

    def list(self) -> Iterator[Listed | Failure]:
        """See `Lister`."""
        for uri in self._uris:
            yield Listed(uri=uri)

    def complete(self) -> bool:
        """See `Lister`."""
        return True

    def covers(self, uri: str) -> bool:
        """The addresses themselves."""
        return uri in self._uris


class MissingLister:
    """Represents a path that is no longer there: lists nothing, completely, so that what was below it is removed."""

    def __init__(self, path: Path) -> None:
        self._uri = uri_of(path)

    def list(self) -> Iterator[Listed | Failure]:
        """See `Lister`."""
        return iter(())

    def complete(self) -> bool:
        """See `Lister`."""
        return True

    def covers(self, uri: str) -> bool:
        """The path, and everything below it were it a folder."""
        return uri == self._uri or uri.startswith(self._uri.rstrip("/") + "/")


class UnlistedPath:
    """Represents a path that is not there but should be, such as a drive that is not mounted: an incomplete listing."""

    def __init__(self, path: Path, error: SourceError) -> None:
        self._inner = MissingLister(path)
        self._failure = discover_failure(uri_of(path), str(error), error)

    def list(self) -> Iterator[Listed | Failure]:
        """See `Lister`."""
        yield self._failure

    def complete(self) -> bool:
        """See `Lister`."""
        return False

    def covers(self, uri: str) -> bool:
        """The path, and everything below it were it a folder."""
        return self._inner.covers(uri)


def lister_for(
    address: str,
    *,
    missing_ok: bool = False,
    include: Iterable[str] = (),
    exclude: Iterable[str] = (),
    links: Links = "inside",
    seconds: float = SECONDS,
) -> "Lister":
    """The listing of a path, a `file://` URI or a web address.

    Args:
        address: what a person typed; `~` is the home folder.
        missing_ok: whether a path that is not there is an empty, complete listing, so that sources below it that are
            still known get removed; else it is an error.
        include: patterns such as `*.pdf` or `handbook/*`; of a folder, only what one of them fits is listed.
        exclude: patterns of what is left out of a folder.
        links: which links in a folder are followed; the address itself may be one.
        seconds: how long a file or folder may take to answer.

    Raises:
        FetchError: the path is not there, cannot be looked at, is neither file nor folder, or is made up by the kernel.
        AddressRefused: the address is of a scheme that is not read, or no address at all.
    """
    if is_web(address):
        return UrlLister([address])
    path = _path(address)
    try:
        status = within(seconds, path.stat, name=f"looking at {path}")
    except (FileNotFoundError, NotADirectoryError) as error:
        if missing_ok:
            return MissingLister(path)
        raise FetchError(f"there is no file or folder {shown(uri_of(path))!r}; check the path") from error
    except (OSError, ValueError, Stalled) as error:
        reason = getattr(error, "strerror", "") or str(error)
        raise FetchError(f"{shown(uri_of(path))!r} cannot be looked at: {reason}") from error
    if is_of_kernel(status):
        raise FetchError(f"{shown(uri_of(path))!r} holds no documents: the kernel makes up what is in it")
    if stat.S_ISDIR(status.st_mode):
        return FolderLister(path, include=include, exclude=exclude, links=links, seconds=seconds)
    if stat.S_ISREG(status.st_mode):
        return FileLister(path, seconds=seconds)
    raise FetchError(f"{shown(uri_of(path))!r} is neither a file nor a folder")


def _path(address: str) -> Path:
    if is_file(address):
        return path_of(address)
    if scheme := scheme_of(address):
        raise AddressRefused(
            f"{shown(address)!r}: {scheme!r} addresses are not read; give a path, file://, http:// or https://"
        )
    return Path(address).expanduser()
