"""Sources that a connector of another distribution lists and brings: looked through before it is believed."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from penstock.errors import AddressRefused, FetchError, PenstockError, SourceError
from penstock.loaders.sources.addresses import shown
from penstock.loaders.sources.failures import discover_failure, too_large
from penstock.model import Failure, Fetched, Listed, Removed, Source
from penstock.urls import scheme_of

if TYPE_CHECKING:  # the ports bring numpy, which neither a worker nor a command line needs at its start
    from penstock.ports import Fetcher, Lister

BLOCK_BYTES = 1024 * 1024


class ConnectedLister:
    """A connector's listing of an address, made when it is listed.

    What is of another scheme would be brought by another fetcher, such as a file of this machine: it is refused. A
    listing that breaks off, or of which something was refused, is incomplete.
    """

    def __init__(self, address: str, make: "Callable[[], Lister]") -> None:
        self._address = address
        self._make = make
        self._inner: Lister | None = None
        self._ended = self._refused = False

    def list(self) -> Iterator[Listed | Removed | Failure]:
        """See `Lister`."""
        try:
            self._inner = self._make()
            for item in self._inner.list():
                yield self._checked(item)
            self._ended = True
        except SourceError as error:
            yield self._failure(self._address, f"{shown(self._address)!r} cannot be listed: {error}", error)
        except PenstockError:
            raise  # a setting: every other source of this run would fail the same way
        except Exception as error:  # noqa: BLE001 - the code of others; the other listings of the run are not at fault
            trouble = f"{shown(self._address)!r} cannot be listed: its connector failed ({type(error).__name__})"
            yield self._failure(self._address, trouble)

    def complete(self) -> bool:
        """See `Lister`."""
        return self._ended and not self._refused and self._inner is not None and self._inner.complete()

    def covers(self, uri: str) -> bool:
        """What its connector says, of its own scheme; before it is listed, nothing."""
        return self._inner is not None and self._is_own(uri) and self._inner.covers(uri)

    def _is_own(self, uri: str) -> bool:
        return scheme_of(uri) == scheme_of(self._address)

    def _checked(self, item: Any) -> Listed | Removed | Failure:
        if isinstance(item, Failure):
            return item
        if not isinstance(item, Listed | Removed) or not isinstance(cast(Any, item.uri), str):
            return self._failure(self._address, f"the connector of {shown(self._address)!r} lists what is no source")
        if not self._is_own(item.uri):
            return self._failure(item.uri, f"{shown(item.uri)!r} is not of the scheme of {shown(self._address)!r}")
        if not all(isinstance(text, str) for text in (item.cursor, getattr(item, "version", ""))):
            return self._failure(item.uri, f"the cursor or the version at {shown(item.uri)!r} is no text")
        return item if isinstance(item, Removed) else self._with_marks(item)

    def _with_marks(self, listed: Listed) -> Listed | Failure:
        if listed.labels is not None and not all(map(_is_label, listed.labels.items())):
            return self._failure(listed.uri, f"a label of {shown(listed.uri)!r} is neither a text nor a number")
        names = cast(Any, listed.access)
        if names is None or names == "everybody":
            return listed
        if isinstance(names, str) or not all(isinstance(name, str) and name.strip() for name in names):
            return self._failure(listed.uri, f"the access of {shown(listed.uri)!r} is no set of names")
        return replace(listed, access=frozenset(names))

    def _failure(self, uri: str, message: str, error: SourceError | None = None) -> Failure:
        self._refused = True
        return discover_failure(uri, message, error or AddressRefused(message))


def _is_label(named: tuple[Any, Any]) -> bool:
    name, value = named
    return isinstance(name, str) and isinstance(value, str | int | float) and not isinstance(value, bool)


class ConnectedFetcher:
    """A connector's fetcher, within the limits; size and hash are those of the bytes, whatever it says."""

    def __init__(self, fetcher: "Fetcher", *, max_bytes: int) -> None:
        self._inner = fetcher
        self._max_bytes = max_bytes

    @contextmanager
    def fetch(self, listed: Listed, known: Source | None) -> Iterator[Fetched | None]:
        """See `Fetcher`.

        Raises:
            SourceError: as the connector says.
            LimitExceeded: the source is too large.
        """
        with self._inner.fetch(listed, known) as fetched:
            if fetched is None and known is None:
                raise FetchError(f"{shown(listed.uri)!r} was never read, and its connector says that it is unchanged")
            yield None if fetched is None else self._measured(listed.uri, fetched)

    def _measured(self, uri: str, fetched: Fetched) -> Fetched:
        sha, size = hashlib.sha256(), 0
        with fetched.path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                size += len(block)
                if size > self._max_bytes:
                    raise too_large(uri, self._max_bytes)
                sha.update(block)
        return replace(fetched, sha256=sha.hexdigest(), size=size)


def fetched_bytes(
    data: bytes, *, declared_type: str = "", modified: datetime | None = None
) -> AbstractContextManager[Fetched]:
    """What a `Fetcher` gives of bytes that it has in memory; they lie in a file as long as the context is open."""
    return _in_a_file(data, declared_type, modified)


@contextmanager
def _in_a_file(data: bytes, declared_type: str, modified: datetime | None) -> Iterator[Fetched]:
    with tempfile.TemporaryDirectory(prefix="penstock-") as folder:
        path = Path(folder) / "source"
        path.write_bytes(data)
        sha256 = hashlib.sha256(data).hexdigest()
        yield Fetched(path=path, sha256=sha256, size=len(data), modified=modified, declared_type=declared_type)
