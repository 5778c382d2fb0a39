"""How sites are treated whose pages a list or a sitemap names: one page at a time, and only what they leave open.

Source: RFC 9309 (robots.txt); `Crawl-delay` is not in it, but is what sites write.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from penstock.errors import ExcludedSource
from penstock.urls import without_secrets

if TYPE_CHECKING:
    from protego import Protego

Ask = Callable[[str], str]
"""Gives the text of the robots.txt at an address, empty where a site has none; raises `SourceError`."""

ROBOTS_BYTES = 500 * 1024
"""This much of a robots.txt counts; RFC 9309 wants at least that."""
LONGEST_PAUSE_SECONDS = 30.0
"""The longest pause: a site that wants longer ones gets these."""


@dataclass(slots=True)
class _Site:
    turn: threading.Lock = field(default_factory=threading.Lock)
    """Held by whoever talks to the site."""
    robots: "Protego | None" = None
    free_at: float = 0.0
    """By `time.monotonic`."""


class Courtesy:
    """One request at a time to a host, a pause between two, and no page that the host's robots.txt closes.

    It remembers each robots.txt as long as it lives: for one run. Safe to use from several threads.

    Args:
        robots: whether robots.txt is asked.
        pause_seconds: from the end of one request to the begin of the next; `Crawl-delay` may make it longer.
        user_agent: what requests say that they come from; its first word is the name that robots.txt knows.
    """

    def __init__(
        self,
        *,
        robots: bool,
        pause_seconds: float,
        user_agent: str,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._robots = robots
        self._pause_seconds = pause_seconds
        name = re.match(r"[A-Za-z_-]+", user_agent)
        self._name = name[0] if name else ""
        self._sleep = sleep
        self._clock = clock
        self._lock = threading.Lock()
        self._sites: dict[str, _Site] = {}

    @contextmanager
    def visit(self, uri: str, ask: Ask) -> Iterator[float]:
        """The turn of one request, which others wait for; gives the seconds that it had to wait itself.

        Raises:
            ExcludedSource: robots.txt asks not to read the page.
            SourceError: there is a robots.txt, but it cannot be had: nobody knows what it closes.
        """
        begun = self._clock()
        site = self._site(uri)
        with site.turn:
            if self._robots:
                self._check(site, uri, ask)
            self._rest(site)
            try:
                yield self._clock() - begun
            finally:
                site.free_at = self._clock() + self._pause(site)

    def _site(self, uri: str) -> _Site:
        parts = urlsplit(uri)
        with self._lock:
            return self._sites.setdefault(f"{parts.scheme}://{parts.netloc}", _Site())

    def _check(self, site: _Site, uri: str, ask: Ask) -> None:
        parts = urlsplit(uri)
        address = f"{parts.scheme}://{parts.netloc}/robots.txt"
        if uri == address:
            return
        if site.robots is None:
            from protego import Protego

            self._rest(site)
            site.robots = Protego.parse(ask(address))
            site.free_at = self._clock() + self._pause(site)
        if not site.robots.can_fetch(uri, self._name):
            raise ExcludedSource(
                f"{without_secrets(uri)!r} is closed to {self._name} by {address!r}, which is asked for pages that a "
                "list or sitemap names; name the page itself, or set web.robots = false (PENSTOCK_WEB__ROBOTS)"
            )

    def _rest(self, site: _Site) -> None:
        seconds = site.free_at - self._clock()
        if seconds > 0:
            self._sleep(seconds)

    def _pause(self, site: _Site) -> float:
        delay = site.robots.crawl_delay(self._name) if site.robots else None
        return max(self._pause_seconds, min(delay or 0.0, LONGEST_PAUSE_SECONDS))
