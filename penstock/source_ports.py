"""The seams of sources, which `penstock.ports` lists with the others: what lists them, and what brings their bytes."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from penstock.model import Failure, Fetched, Listed, Removed, Source


class Lister(Protocol):
    """Says which sources exist below one address: a folder, a file, a list of URLs."""

    def list(self) -> Iterator[Listed | Removed | Failure]:
        """Every source found, streamed, each once; a place that could not be listed is a failure of stage `discover`.

        A source that is `Removed` is gone even if the listing is not complete.
        """
        ...

    def complete(self) -> bool:
        """After `list` ended: whether everything could be seen, so that what is missing is really gone.

        A listing that went on from a cursor, and saw only what changed since, is not complete.
        """
        ...

    def covers(self, uri: str) -> bool:
        """Whether this listing speaks for the URI: a known source that it covers and did not list was deleted."""
        ...


class Fetcher(Protocol):
    """Brings the bytes of a listed source to a local file."""

    def fetch(self, listed: Listed, known: Source | None) -> AbstractContextManager[Fetched | None]:
        """The bytes, for as long as the context is open; None when the origin says that they are still `known`.

        Raises:
            SourceError: the bytes cannot be had; the subclass says why and whether trying again can help.
        """
        ...


class Connector(Protocol):
    """Reads the sources of one scheme: what addresses such as `wiki://space` list, and what is behind each URI.

    Found by the scheme as the name of its entry point, in the group `penstock.sources`. Made with `max_bytes` (of one
    source), `timeout_seconds`, `attempts` and `user_agent`; once for each workspace, whose threads share it.
    """

    def lister(self, address: str, cursor: str) -> Lister:
        """The listing of an address. The URIs that it lists are of the same scheme.

        With a `cursor`, which an earlier listing of the address gave, it may list only what changed since, changes of
        labels and access among them. It may as well list everything.
        """
        ...

    def fetcher(self) -> Fetcher:
        """Brings the sources that were listed; asked once for each. Its own hashes and sizes are not needed."""
        ...
