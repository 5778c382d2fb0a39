"""Sitemaps: the pages that a web site says it has, and when each was changed.

Source: https://www.sitemaps.org/protocol.html
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urljoin

from penstock.errors import AddressRefused, BrokenSource, FetchError, LimitExceeded, SourceError
from penstock.loaders.detection.kinds import SITEMAP
from penstock.loaders.sources.addresses import is_web, shown, web_uri
from penstock.loaders.sources.failures import discover_failure
from penstock.loaders.sources.sitemap_entries import Located, entries_of
from penstock.model import Extraction, Failure, Fetched, Listed, Source

if TYPE_CHECKING:  # the ports bring numpy, which neither a worker nor a command line needs at its start
    from penstock.ports import Fetcher


class SitemapParser(Protocol):
    """Reads a file where it can do no harm."""

    def parse(self, source: Source, path: Path) -> Extraction | Failure:
        """What the file says, or why it cannot be read."""
        ...


MOST_PAGES = 1_000_000
MOST_SITEMAPS = 2_000
DEEPEST = 3
"""Indexes below indexes; the protocol knows one level."""
LATEST_ZONE = timedelta(hours=14)
"""How long after it ended in UTC a date may still be today somewhere."""


def now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)


class SitemapLister:
    """Lists the pages of a sitemap, and of the sitemaps that an index names; alternates and pictures are no pages.

    A page whose `lastmod` is as before is taken to be unchanged. A date without a time counts only when its day is
    over everywhere, so that a second change on the same day is not missed. Whatever cannot be had or read makes the
    listing incomplete. It speaks for the pages that it names; an incomplete one for every web address.
    """

    def __init__(
        self,
        address: str,
        fetcher_for: "Callable[[str], Fetcher]",
        sandbox: Callable[[], AbstractContextManager[SitemapParser]],
        *,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """`sandbox` is opened for each listing; the XML of the sitemaps is read in it and nowhere else."""
        self._uri = web_uri(address)
        self._fetcher_for = fetcher_for
        self._sandbox = sandbox
        self._clock = clock
        self._named: set[str] = set()
        self._asked: set[str] = set()
        self._complete = self._full = False

    def list(self) -> Iterator[Listed | Failure]:
        """See `Lister`."""
        self._named, self._asked, self._complete, self._full = set(), set(), False, False
        whole = True
        with self._sandbox() as parser:
            for found in self._below(self._uri, DEEPEST, parser):
                whole = whole and isinstance(found, Listed)
                yield found
        self._complete = whole

    def complete(self) -> bool:
        """See `Lister`."""
        return self._complete

    def covers(self, uri: str) -> bool:
        """The pages that it names."""
        return uri in self._named if self._complete else is_web(uri)

    def _below(self, uri: str, depth: int, parser: SitemapParser) -> Iterator[Listed | Failure]:
        """Pages of one sitemap and of those that it names."""
        if uri in self._asked or self._full:
            return
        self._asked.add(uri)
        inner: list[str] = []
        try:
            self._check_limits(uri, depth)
            named_by = "" if uri == self._uri else self._uri
            with self._fetcher_for(uri).fetch(Listed(uri=uri, named_by=named_by), None) as fetched:
                read = _read(uri, fetched, parser)
            if isinstance(read, Failure):
                yield replace(
                    read, stage="discover", message=f"the sitemap {shown(uri)!r} cannot be read: {read.message}"
                )
                return
            for located in entries_of(uri, read):
                address = _address(uri, located)
                if located.is_sitemap:
                    inner.append(address)
                elif address not in self._named:
                    self._check_limits(uri, depth)
                    self._named.add(address)
                    lastmod = changed(located.lastmod, self._clock())
                    yield Listed(uri=address, modified=lastmod, named_by=self._uri)
        except SourceError as error:
            yield discover_failure(uri, f"the sitemap {shown(uri)!r} cannot be read: {error}", error)
        for address in inner:
            yield from self._below(address, depth - 1, parser)

    def _check_limits(self, uri: str, depth: int) -> None:
        if depth < 0:
            raise LimitExceeded(f"{shown(uri)!r} is below more than {DEEPEST} indexes")
        self._full = len(self._asked) > MOST_SITEMAPS or len(self._named) >= MOST_PAGES
        if self._full:
            raise LimitExceeded(f"more than {MOST_SITEMAPS} sitemaps or {MOST_PAGES} pages belong to it")


def _read(uri: str, fetched: Fetched | None, parser: SitemapParser) -> Extraction | Failure:
    if fetched is None:
        raise AssertionError(f"{uri}: called unchanged, but never read")
    source = Source(uri=uri, media_type=SITEMAP, sha256=fetched.sha256, size=fetched.size, labels={})
    return parser.parse(source, fetched.path)


def _address(sitemap: str, located: Located) -> str:
    address = urljoin(sitemap, located.address)
    if not is_web(address):
        raise BrokenSource(f"it names {shown(located.address[:100])!r}, which is no web address")
    try:
        return web_uri(address)
    except AddressRefused as error:
        raise FetchError(str(error)) from error


def changed(lastmod: str, at: datetime) -> datetime | None:
    """When a page was changed, UTC; None where the text is too coarse to distinguish two changes.

    >>> changed("2026-03-01T08:00:00+08:00", datetime(2026, 11, 1, tzinfo=UTC))
    datetime.datetime(2026, 3, 1, 0, 0, tzinfo=datetime.timezone.utc)
    >>> changed("2026-10-31", datetime(2026, 11, 1, tzinfo=UTC)) is None
    True
    """
    try:
        day = datetime.combine(date.fromisoformat(lastmod), time(), UTC)
        return day if day + timedelta(days=1) + LATEST_ZONE <= at else None
    except (ValueError, OverflowError):  # not a date alone
        pass
    try:
        moment = datetime.fromisoformat(lastmod)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment <= at else None
