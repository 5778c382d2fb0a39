"""Web pages by address: limited in size and time, never into a private network, read again only if changed."""

import hashlib
import logging
import ssl
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import format_datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from penstock import retries
from penstock.errors import AddressRefused, FetchError, LimitExceeded, SourceError, TransientFetchError
from penstock.loaders.detection.decoding import decode_text
from penstock.loaders.sources.addresses import is_web, shown, web_uri
from penstock.loaders.sources.failures import too_large
from penstock.loaders.sources.web.connecting import CheckedBackend, Deadline
from penstock.loaders.sources.web.courtesy import ROBOTS_BYTES, Courtesy
from penstock.loaders.sources.web.networks import Network
from penstock.loaders.sources.web.resolving import AllowedAddresses, Resolve, resolved
from penstock.loaders.sources.web.unpacking import Unpacker
from penstock.model import Fetched, Listed, Source

if TYPE_CHECKING:
    import httpcore

log = logging.getLogger(__name__)

TOTAL_FACTOR = 10
"""One fetch, redirects and retries apart, may take this many times the time-out of a single read."""
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
REDIRECTS = frozenset((301, 302, 303, 307, 308))
MOST_ROBOTS_BYTES = 4 * 1024 * 1024
"""A robots.txt of more is not read; of a smaller one, `ROBOTS_BYTES` count."""
WORDS_SHOWN = 200
"""Characters of a server's own words that an error shows."""
PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))
"""Answers after which it is worth asking again."""


class _Later(TransientFetchError):
    """A transient fault after which the server said when to come back."""

    seconds: float | None = None


class _Refused(FetchError):
    """The server answered, and will not give the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Response:
    """The head of an answer, and its body as it arrives."""

    status: int
    reason: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Iterable[bytes]


class WebFetcher:
    """Fetches http and https addresses into temporary files.

    Each address, also every one that a redirect leads to, is resolved here, looked at, and then connected to as the
    very number that was looked at, so that a name cannot change its meaning in between. This machine, its link and its
    cloud are read where they are named themselves (and allowed), and never because another page leads there. Pages that
    a list or sitemap names are read with `courtesy`. Nothing is taken from the environment: no proxies, no `.netrc`;
    cookies are neither kept nor sent.
    """

    def __init__(
        self,
        *,
        max_bytes: int,
        timeout_seconds: float = 30,
        attempts: int = 3,
        redirects: int = 5,
        allow_private: bool = False,
        allow_networks: Iterable[Network] = (),
        user_agent: str = "Penstock",
        courtesy: Courtesy | None = None,
        total_seconds: float | None = None,
        sleep: Callable[[float], None] = time.sleep,
        resolve: Resolve = resolved,
    ) -> None:
        self._max_bytes = max_bytes
        self._timeout = timeout_seconds
        self._total = total_seconds or TOTAL_FACTOR * timeout_seconds
        self._attempts = attempts
        self._redirects = redirects
        self._allowed = AllowedAddresses(allow_private=allow_private, networks=tuple(allow_networks))
        self._courtesy = courtesy
        self._user_agent = user_agent
        self._sleep = sleep
        self._resolve = resolve

    @contextmanager
    def fetch(self, listed: Listed, known: Source | None) -> Iterator[Fetched | None]:
        """See `Fetcher`.

        Raises:
            AddressRefused: the address, or one that it redirects to, is private or of another scheme.
            ExcludedSource: a list or sitemap names the page, and the robots.txt of its site closes it.
            FetchError: the page is gone, needs a login, or redirects without end.
            TransientFetchError: the server did not answer, or said to come back later, at every attempt.
            LimitExceeded: the page is too large or too slow.
        """
        with tempfile.TemporaryDirectory(prefix="penstock-web-") as folder:
            named_by = listed.named_by if is_web(listed.named_by) else listed.uri
            courtesy = self._courtesy if listed.named_by else None
            try:
                fetched = self._with_retries(listed.uri, known, Path(folder) / "body", _host(named_by), courtesy)
            except _Refused as error:
                raise FetchError(str(error)) from error
            yield fetched

    def _with_retries(
        self, uri: str, known: Source | None, path: Path, named: str, courtesy: Courtesy | None
    ) -> Fetched | None:
        for attempt in range(1, self._attempts + 1):
            try:
                return self._followed(uri, known, path, named, courtesy)
            except TransientFetchError as error:
                pause = _pause(error, attempt)
                if attempt == self._attempts or pause > LONGEST_PAUSE_SECONDS:
                    raise TransientFetchError(f"{error} ({attempt} of {self._attempts} attempts)") from error
                log.warning("in %.1f s it is tried again (%d of %d): %s", pause, attempt + 1, self._attempts, error)
                self._sleep(pause)
        raise AssertionError("attempts are 1 or more")

    def _followed(
        self, uri: str, known: Source | None, path: Path, named: str, courtesy: Courtesy | None
    ) -> Fetched | None:
        """The answer behind all redirects; `named` is the host that a user, a list or a sitemap named."""
        deadline = Deadline(uri=shown(uri), seconds=self._total, at=time.monotonic() + self._total)
        asked = web_uri(uri)
        for _ in range(self._redirects + 1):
            with ExitStack() as turn:
                if courtesy:
                    waited = turn.enter_context(courtesy.visit(asked, partial(self._robots, named=named)))
                    deadline = replace(deadline, at=deadline.at + waited)
                answer = turn.enter_context(self._answer(asked, deadline, known, near=_host(asked) == named))
                if answer.status not in REDIRECTS or "location" not in answer.headers:
                    return self._taken(shown(uri), answer, known, path)
                asked = _next(asked, answer.headers["location"])
        raise FetchError(f"{shown(uri)!r} redirects more than {self._redirects} times (PENSTOCK_WEB__REDIRECTS)")

    def _robots(self, uri: str, *, named: str) -> str:
        """The text of a robots.txt; empty where the site has none, or keeps it to itself, which closes nothing."""
        reader = copy(self)
        reader._max_bytes = MOST_ROBOTS_BYTES
        with tempfile.TemporaryDirectory(prefix="penstock-web-") as folder:
            body = Path(folder) / "body"
            try:
                reader._with_retries(uri, None, body, named, None)
            except _Refused:
                return ""
            except LimitExceeded as error:
                raise LimitExceeded(f"{shown(uri)!r} is too large or too slow to say which pages are closed") from error
            with body.open("rb") as file:
                return decode_text(file.read(ROBOTS_BYTES), "utf-8")

    @contextmanager
    def _answer(self, uri: str, deadline: Deadline, known: Source | None, *, near: bool) -> Iterator[_Response]:
        """The head of the answer to one request, and its body as a stream; the connection serves this request only."""
        import httpcore

        backend = CheckedBackend(deadline, allowed=self._allowed, near=near, resolve=self._resolve)
        extensions = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), self._timeout)}
        url, host = _wire_url(uri)
        try:
            with (
                httpcore.ConnectionPool(ssl_context=_trust(), network_backend=backend) as pool,
                pool.stream(
                    "GET", url, headers=[("Host", host), *self._headers(known)], extensions=extensions
                ) as response,
            ):
                yield _Response(
                    status=response.status,
                    reason=response.extensions.get("reason_phrase", b"").decode("latin-1"),
                    headers={
                        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
                    },
                    body=response.iter_stream(),
                )
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            deadline.cut(None)  # the time-out of the last step was cut short by it: then that is the reason
            raise _translated(shown(uri), error) from error

    def _headers(self, known: Source | None) -> Iterator[tuple[str, str]]:
        yield "User-Agent", self._user_agent
        yield "Accept", "text/html,*/*;q=0.8"
        yield "Accept-Encoding", "gzip, deflate"
        if known and known.etag:
            yield "If-None-Match", known.etag
        if known and known.modified:
            yield "If-Modified-Since", format_datetime(known.modified.astimezone(UTC), usegmt=True)

    def _taken(self, uri: str, answer: _Response, known: Source | None, path: Path) -> Fetched | None:
        if answer.status == 304 and known:
            return None
        _check_status(uri, answer)
        sha, size = hashlib.sha256(), 0
        with path.open("wb") as file:
            for piece in self._body(uri, answer):
                size += len(piece)
                sha.update(piece)
                file.write(piece)
        return Fetched(
            path=path,
            sha256=sha.hexdigest(),
            size=size,
            modified=retries.http_date(answer.headers.get("last-modified", "")),
            etag=answer.headers.get("etag", ""),
            declared_type=answer.headers.get("content-type", ""),
        )

    def _body(self, uri: str, answer: _Response) -> Iterator[bytes]:
        if int(answer.headers.get("content-length", "0")) > self._max_bytes:
            raise too_large(uri, self._max_bytes)
        unpacker = Unpacker(uri, _words(answer.headers.get("content-encoding", "")))
        size = 0
        for packed in answer.body:
            for piece in unpacker.pieces(packed):
                size += len(piece)
                if size > self._max_bytes:
                    raise too_large(uri, self._max_bytes)
                yield piece
        unpacker.finish()


@cache
def _trust() -> ssl.SSLContext:
    import httpx

    return httpx.create_ssl_context(trust_env=False)


def _wire_url(uri: str) -> tuple["httpcore.URL", str]:
    """The address as it goes over the wire (names in Punycode, paths percent-encoded), and the `Host` header."""
    import httpcore
    import httpx

    try:
        url = httpx.URL(uri)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise AddressRefused(f"{shown(uri)!r} is no web address: {error}") from error
    wire = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    return wire, url.netloc.decode("ascii")


def _host(uri: str) -> str:
    """Host and port, as a tidy address has them."""
    return urlsplit(web_uri(uri)).netloc


def _next(asked: str, location: str) -> str:
    target = urljoin(asked, location)
    if not is_web(target):
        target = _words(shown(target))
        raise AddressRefused(f"{shown(asked)!r} redirects to {target!r}, which is neither http nor https")
    return web_uri(target)


def _check_status(uri: str, answer: _Response) -> None:
    if 200 <= answer.status < 300:
        return
    problem = f"{uri!r} answered {answer.status} {_words(answer.reason)}".rstrip()
    if answer.status in PASSING:
        later = _Later(problem)
        later.seconds = retries.asked_pause(answer.headers.get("retry-after", ""))
        raise later
    if answer.status in (404, 410):
        raise _Refused(f"{problem}: there is no such page")
    raise _Refused(f"{problem}: it needs a login or refuses us" if answer.status in (401, 403, 407, 451) else problem)


def _pause(error: TransientFetchError, attempt: int) -> float:
    """Seconds until the next attempt: what the server asked for, else longer each time."""
    if isinstance(error, _Later) and error.seconds is not None:
        return error.seconds
    return retries.pause(attempt, first=FIRST_PAUSE_SECONDS, longest=LONGEST_PAUSE_SECONDS / 2)


def _is_about_trust(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _translated(uri: str, error: Exception) -> SourceError:
    reason = f"{type(error).__name__}: {error}".rstrip(": ")
    if _is_about_trust(error):
        return FetchError(f"the certificate of {uri!r} cannot be trusted: {error}")
    return TransientFetchError(f"{uri!r} could not be fetched: {_words(reason)}")


def _words(text: str) -> str:
    return text if len(text) <= WORDS_SHOWN else f"{text[:WORDS_SHOWN]}..."
