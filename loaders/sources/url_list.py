"""Lists of web addresses, one a line, in a file or on the web."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.errors import AddressRefused, LimitExceeded, SourceError
from penstock.loaders.detection.decoding import decode_text
from penstock.loaders.sources.addresses import is_web, shown, uri_of, web_uri
from penstock.loaders.sources.failures import discover_failure
from penstock.model import Failure, Listed

if TYPE_CHECKING:  # the ports bring numpy, which neither a worker nor a command line needs at its start
    from penstock.ports import Fetcher

MOST_BYTES = 64 * 1024 * 1024
"""Of one list: it is read as a whole."""
MOST_ADDRESSES = 1_000_000
"""Most addresses of one listing; a list of more is incomplete."""
BAD_LINES_TOLD = 20
"""Lines that are reported as no address, at most; a file with more of them is no list of addresses."""
_REMARK = re.compile(r"(^|\s)#.*")


class UrlListLister:
    """Lists the web addresses in a file or at a web address; `#` begins a remark, blank lines mean nothing.

    A list that cannot be had, or in which a line is no address, is incomplete. It speaks for what it names; an
    incomplete one for every web address, because nobody knows what else it would have named.
    """

    def __init__(self, address: str, fetcher_for: "Callable[[str], Fetcher]") -> None:
        self._uri = web_uri(address) if is_web(address) else uri_of(Path(address).expanduser())
        self._fetcher_for = fetcher_for
        self._named: set[str] = set()
        self._complete = False

    def list(self) -> Iterator[Listed | Failure]:
        """See `Lister`."""
        self._named, self._complete = set(), False
        try:
            text = self._text()
        except SourceError as error:
            yield discover_failure(self._uri, f"the list {shown(self._uri)!r} cannot be read: {error}", error)
            return
        bad = 0
        for number, line in enumerate(text.splitlines(), start=1):
            found = self._found(number, _REMARK.sub("", line).strip())
            if isinstance(found, Failure):
                bad += 1
            if found:
                yield found
            if bad == BAD_LINES_TOLD or len(self._named) > MOST_ADDRESSES:
                yield discover_failure(self._uri, f"the rest of {shown(self._uri)!r} was not looked at: is it a list?")
                return
        self._complete = not bad

    def complete(self) -> bool:
        """See `Lister`."""
        return self._complete

    def covers(self, uri: str) -> bool:
        """The addresses that it names."""
        return uri in self._named if self._complete else is_web(uri)

    def _text(self) -> str:
        with self._fetcher_for(self._uri).fetch(Listed(uri=self._uri), None) as fetched:
            if fetched is None:
                raise AssertionError(f"{self._uri}: called unchanged, but never read")
            if fetched.size > MOST_BYTES:
                raise LimitExceeded(f"it is larger than the {MOST_BYTES >> 20} MiB that a list may have")
            return decode_text(fetched.path.read_bytes())

    def _found(self, number: int, line: str) -> Listed | Failure | None:
        place = f"line {number} of {shown(self._uri)!r}"
        if not line:
            return None
        if not is_web(line) or re.search(r"\s", line):
            return discover_failure(f"{self._uri}#{number}", f"{place} is no web address: {shown(line[:100])!r}")
        try:
            uri = web_uri(line)
        except AddressRefused as error:
            return discover_failure(f"{self._uri}#{number}", f"{place}: {error}", error)
        if uri in self._named:
            return None
        self._named.add(uri)
        return Listed(uri=uri, named_by=self._uri)
