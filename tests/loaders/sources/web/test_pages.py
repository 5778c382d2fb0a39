import gzip
import hashlib
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpcore
import pytest

from penstock.errors import AddressRefused, FetchError, LimitExceeded, SourceError, TransientFetchError
from penstock.loaders.sources.web.pages import WebFetcher
from penstock.model import Fetched, Listed, Source

Answer = Callable[[BaseHTTPRequestHandler, int], None]
PAGE = "<p>年假可以结转。</p>".encode()


class Site(ThreadingHTTPServer):
    """A real server: `pages` maps a path to a function of how often it was requested before."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.stopped = threading.Event()

    def uri(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server_address[1]}{path}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what is tested here."""


class Handler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        before = sum(path == self.path for path, _ in self.server.asked)
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        self.server.pages[self.path](self, before)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.stopped.set()
        server.shutdown()
        thread.join()


def reply(status: int = 200, body: bytes = PAGE, **headers: str) -> Answer:
    def send(handler: BaseHTTPRequestHandler, before: int) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return send


def in_turn(*answers: Answer) -> Answer:
    return lambda handler, before: answers[min(before, len(answers) - 1)](handler, before)


def fetcher(**options: Any) -> WebFetcher:
    return WebFetcher(
        **{"max_bytes": 100_000, "timeout_seconds": 5, "allow_private": True, "sleep": no_sleep, **options}
    )


def no_sleep(seconds: float) -> None:
    pass


def get(uri: str, known: Source | None = None, **options: Any) -> AbstractContextManager[Fetched | None]:
    return fetcher(**options).fetch(Listed(uri=uri), known)


@contextmanager
def fetched(uri: str, **options: Any) -> Iterator[Fetched]:
    with get(uri, **options) as page:
        assert page is not None
        yield page


def fails(uri: str, **options: Any) -> SourceError:
    with pytest.raises(SourceError) as caught, get(uri, **options):
        pass
    return caught.value


def test_a_page_is_fetched_with_what_its_server_says(site: Site) -> None:
    site.pages["/a"] = reply(
        Content_Type="text/html; charset=gbk", ETag='"7"', Last_Modified="Wed, 21 Oct 2015 07:28:00 GMT"
    )
    with fetched(site.uri("/a#part")) as page:
        assert page.path.read_bytes() == PAGE
        assert page.sha256 == hashlib.sha256(PAGE).hexdigest()
        assert (page.size, page.etag, page.declared_type) == (len(PAGE), '"7"', "text/html; charset=gbk")
        assert page.modified == datetime(2015, 10, 21, 7, 28, tzinfo=UTC)
    assert not page.path.exists()


def test_the_request_says_who_asks_and_nothing_of_the_environment(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    site.pages["/年"] = site.pages["/%E5%B9%B4"] = in_turn(reply(302, b"", Location="/b", Set_Cookie="a=b"))
    site.pages["/b"] = reply()
    with fetched(site.uri("/年", "localhost"), user_agent="Penstock/9"):
        pass
    assert [path for path, _ in site.asked] == ["/%E5%B9%B4", "/b"]
    for _, headers in site.asked:
        assert headers["user-agent"] == "Penstock/9"
        assert headers["host"].startswith("localhost:")
        assert "cookie" not in headers
        assert "authorization" not in headers


def test_a_known_page_is_only_asked_for_if_changed(site: Site) -> None:
    site.pages["/a"] = reply(304, b"")
    known = Source(
        uri=site.uri("/a"),
        media_type="text/html",
        sha256="",
        size=1,
        etag='"7"',
        modified=datetime(2015, 10, 21, 7, 28, tzinfo=UTC),
        labels={},
    )
    with get(site.uri("/a"), known) as page:
        assert page is None
    assert site.asked[0][1]["if-none-match"] == '"7"'
    assert site.asked[0][1]["if-modified-since"] == "Wed, 21 Oct 2015 07:28:00 GMT"


def test_not_modified_without_a_question_is_an_error(site: Site) -> None:
    site.pages["/a"] = reply(304, b"")
    assert "304" in str(fails(site.uri("/a")))


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        pytest.param(404, FetchError, "no such page", id="not found"),
        pytest.param(410, FetchError, "no such page", id="gone"),
        pytest.param(403, FetchError, "login", id="forbidden"),
        pytest.param(400, FetchError, "400", id="bad request"),
        pytest.param(302, FetchError, "302", id="redirect to nowhere"),
        pytest.param(503, TransientFetchError, "3 of 3 attempts", id="overloaded for good"),
    ],
)
def test_an_answer_that_is_no_page_says_so(site: Site, status: int, kind: type, message: str) -> None:
    site.pages["/a"] = reply(status, b"no")
    error = fails(site.uri("/a"))
    assert type(error) is kind
    assert message in str(error)


LONG = "x" * 10_000


def wordy(head: bytes) -> Answer:
    def send(handler: BaseHTTPRequestHandler, before: int) -> None:
        handler.connection.sendall(head)

    return send


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(f"HTTP/1.1 404 {LONG}\r\nContent-Length: 0\r\n\r\n", id="reason"),
        pytest.param(f"HTTP/1.1 503 {LONG}\r\nContent-Length: 0\r\n\r\n", id="reason of a passing fault"),
        pytest.param(f"HTTP/1.1 302 Found\r\nLocation: gopher://{LONG}\r\nContent-Length: 0\r\n\r\n", id="redirect"),
        pytest.param(f"HTTP/1.1 200 OK\r\nContent-Encoding: {LONG}\r\nContent-Length: 0\r\n\r\n", id="encoding"),
        pytest.param(f"{LONG}\r\n\r\n", id="no HTTP"),
    ],
)
def test_a_server_has_200_characters_of_an_error(site: Site, head: str) -> None:
    site.pages["/a"] = wordy(head.encode())
    message = str(fails(site.uri("/a")))
    assert 100 < message.count("x") <= 200
    assert len(message) < 400


def test_a_passing_fault_is_tried_again_when_the_server_says(site: Site) -> None:
    pauses: list[float] = []
    site.pages["/a"] = in_turn(reply(429, b"", Retry_After="7"), reply(503, b""), reply())
    with fetched(site.uri("/a"), sleep=pauses.append) as page:
        assert page.size == len(PAGE)
    assert pauses[0] == 7
    assert 0.5 <= pauses[1] <= 1.5


@pytest.mark.parametrize("when", ["86400", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_a_server_that_asks_for_hours_is_not_waited_for(site: Site, when: str) -> None:
    site.pages["/a"] = reply(503, b"", Retry_After=when)
    assert fails(site.uri("/a"), sleep=pytest.fail).retryable
    assert len(site.asked) == 1


@pytest.mark.parametrize("when", ["Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:00 -0000"])
def test_a_retry_date_that_is_past_means_now(site: Site, when: str) -> None:
    pauses: list[float] = []
    site.pages["/a"] = in_turn(reply(503, b"", Retry_After=when), reply())
    with fetched(site.uri("/a"), sleep=pauses.append):
        assert pauses == [0]


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("\xb2", id="a-superscript-digit"),
        pytest.param("soon", id="a-word"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 -1200", id="a-date-beyond-all-dates"),
    ],
)
def test_headers_that_nobody_can_read_are_as_if_not_there(site: Site, header: str) -> None:
    site.pages["/a"] = in_turn(reply(503, Retry_After=header), reply(Last_Modified=header))
    with fetched(site.uri("/a")) as page:
        assert page.modified is None


def test_a_connection_that_breaks_is_tried_again(site: Site) -> None:
    site.pages["/a"] = in_turn(reply(Content_Length="9999"), lambda handler, _: handler.connection.close(), reply())
    with fetched(site.uri("/a")) as page:
        assert page.path.read_bytes() == PAGE


def test_nobody_answering_is_transient() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    assert fails(f"http://127.0.0.1:{port}/").retryable


def test_the_next_address_of_a_host_is_tried(site: Site) -> None:
    site.pages["/a"] = reply()
    # Nothing listens on the first one.
    with fetched(site.uri("/a", "two.example"), resolve=lambda host, port: ["127.0.0.9", "127.0.0.1"]) as page:
        assert page.size == len(PAGE)
    assert site.asked[0][1]["host"].startswith("two.example:")


def test_redirects_are_followed_to_their_end(site: Site) -> None:
    for status, here, there in ((301, "/1", "2"), (302, "/2", site.uri("/3")), (307, "/3", "/4"), (308, "/4", "/5")):
        site.pages[here] = reply(status, b"", Location=there)
    site.pages["/5"] = reply()
    with fetched(site.uri("/1")) as page:
        assert page.path.read_bytes() == PAGE
    assert "more than 3 times" in str(fails(site.uri("/1"), redirects=3))


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("http://inner.example/", id="private"),
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("http://user:pw@out.example/", id="password"),
        pytest.param("ftp://out.example/", id="scheme"),
    ],
)
def test_a_redirect_does_not_lead_where_an_address_may_not(
    site: Site, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages["/a"] = reply(302, b"", Location=target)

    def resolve(host: str, port: int) -> list[str]:
        return {"out.example": ["127.0.0.1"], "inner.example": ["10.0.0.1"]}[host]

    # The server of this test is on loopback, so the first hop alone has to count as public.
    monkeypatch.setattr("penstock.loaders.sources.web.resolving.is_allowed", lambda address, _: address == "127.0.0.1")
    error = fails(site.uri("/a", "out.example"), allow_private=False, resolve=resolve)
    assert type(error) is AddressRefused
    assert [path for path, _ in site.asked] == ["/a"]


def test_private_addresses_are_refused_unless_allowed(site: Site) -> None:
    site.pages["/a"] = reply()
    for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1"):
        error = fails(site.uri("/a", host), allow_private=False)
        assert type(error) is AddressRefused, host
        assert "PENSTOCK_WEB__ALLOW_NETWORKS" in str(error)
    assert not site.asked


def test_a_name_is_resolved_once_and_the_checked_address_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    connected: list[str] = []

    def connect(self: Any, host: str, *args: Any) -> Any:
        connected.append(host)
        raise httpcore.ConnectError("out of reach")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    fails("http://rebind.example/", allow_private=False, attempts=1, resolve=lambda host, port: next(answers))
    assert connected == ["93.184.216.34"]


def test_a_body_larger_than_allowed_is_refused(site: Site) -> None:
    def endless(handler: BaseHTTPRequestHandler, before: int) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not handler.server.stopped.is_set():  # type: ignore[attr-defined] # the server is a Site
            handler.wfile.write(b"x" * 65536)

    site.pages["/endless"] = endless
    site.pages["/declared"] = reply(Content_Length="100001")
    site.pages["/bomb"] = reply(body=gzip.compress(bytes(50_000_000)), Content_Encoding="gzip")
    for path in ("/endless", "/declared", "/bomb"):
        error = fails(site.uri(path))
        assert type(error) is LimitExceeded
        assert "PENSTOCK_LIMITS__SOURCE_MIB" in str(error)


@pytest.mark.parametrize("head", [b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.0 200 OK\r\nX-Slow: "], ids=["body", "head"])
def test_a_dripping_answer_ends_at_the_total_limit(site: Site, head: bytes) -> None:
    def drip(handler: BaseHTTPRequestHandler, before: int) -> None:
        handler.wfile.write(head)
        while not handler.server.stopped.wait(0.05):  # type: ignore[attr-defined] # the server is a Site
            handler.wfile.write(b"x")

    site.pages["/a"] = drip
    start = time.monotonic()
    error = fails(site.uri("/a"), total_seconds=0.4)
    assert type(error) is LimitExceeded
    assert "0.4 seconds" in str(error)
    assert time.monotonic() - start < 30  # the trickle would last for minutes


def test_a_server_that_says_nothing_is_left(site: Site) -> None:
    site.pages["/a"] = lambda handler, _: handler.server.stopped.wait(3)  # type: ignore[attr-defined] # a Site
    error = fails(site.uri("/a"), timeout_seconds=0.1, attempts=1)
    assert type(error) is TransientFetchError
    assert "Timeout" in str(error)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        pytest.param("gzip", gzip.compress(PAGE), id="gzip"),
        pytest.param("x-gzip", gzip.compress(PAGE[:9]) + gzip.compress(PAGE[9:]), id="two members"),
        pytest.param("gzip", gzip.compress(PAGE) + bytes(8), id="padded"),
        pytest.param("deflate", zlib.compress(PAGE), id="deflate"),
        pytest.param("deflate", raw_deflate(PAGE), id="raw deflate"),
        pytest.param("identity", PAGE, id="identity"),
    ],
)
def test_compressed_bodies_are_unpacked(site: Site, encoding: str, body: bytes) -> None:
    site.pages["/a"] = reply(body=body, Content_Encoding=encoding)
    with fetched(site.uri("/a")) as page:
        assert page.path.read_bytes() == PAGE


def test_a_large_compressed_body_is_unpacked_whole(site: Site) -> None:
    whole = bytes(5_000_000) + PAGE
    site.pages["/a"] = reply(body=gzip.compress(whole), Content_Encoding="gzip")
    with fetched(site.uri("/a"), max_bytes=len(whole)) as page:
        assert page.sha256 == hashlib.sha256(whole).hexdigest()


@pytest.mark.parametrize(
    ("encoding", "body", "kind"),
    [
        pytest.param("br", PAGE, FetchError, id="not asked for"),
        pytest.param("gzip", PAGE, FetchError, id="not gzip"),
        pytest.param("gzip", gzip.compress(PAGE)[:-9], TransientFetchError, id="cut off"),
    ],
)
def test_a_body_that_cannot_be_unpacked_says_so(site: Site, encoding: str, body: bytes, kind: type) -> None:
    site.pages["/a"] = reply(body=body, Content_Encoding=encoding)
    assert type(fails(site.uri("/a"))) is kind


def test_a_certificate_that_nobody_vouches_for_is_not_tried_again(site: Site) -> None:
    # A plain server gives no certificate at all: a passing protocol fault, not one of trust.
    assert fails(site.uri("/a").replace("http:", "https:"), attempts=1).retryable


def test_an_address_that_is_none_is_refused() -> None:
    assert type(fails("http://exa mple.org:x/")) is AddressRefused
    assert type(fails("http://\ud800.example/")) is AddressRefused
