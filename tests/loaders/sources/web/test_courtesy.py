"""How sites are treated that a list or a sitemap names pages of, on real servers on loopback."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import AddressRefused, ExcludedSource, FetchError, SourceError, TransientFetchError
from penstock.loaders.sources.web.courtesy import LONGEST_PAUSE_SECONDS, Courtesy
from penstock.loaders.sources.web.pages import WebFetcher
from penstock.model import Listed
from penstock.testing.doubles.website import Website
from tests.examples import examples

LIST = "https://lists.example/links.txt"


class Clock:
    """Time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += seconds

    def read(self) -> float:
        return self.now


@pytest.fixture
def site(site: Website) -> Website:
    site.pages.update({"/a": "<p>a</p>", "/b": "<p>b</p>"})
    return site


def fetcher(clock: Clock | None = None, *, robots: bool = True, pause: float = 0, **options: Any) -> WebFetcher:
    clock = clock or Clock()
    agent = "Penstock/0.1 (+mailto:ann@example.org)"
    courtesy = Courtesy(robots=robots, pause_seconds=pause, user_agent=agent, sleep=clock.sleep, clock=clock.read)
    plain = {"max_bytes": 100_000, "timeout_seconds": 5, "allow_private": True, "attempts": 1, "sleep": clock.sleep}
    return WebFetcher(**{**plain, **options}, user_agent=agent, courtesy=courtesy)


def read(reader: WebFetcher, uri: str, named_by: str = "file:///links.txt") -> str:
    with reader.fetch(Listed(uri=uri, named_by=named_by), None) as fetched:
        assert fetched
        return fetched.path.read_text()


def test_a_page_that_robots_txt_closes_is_left_out(site: Website) -> None:
    site.pages["/robots.txt"] = "User-agent: *\nDisallow: /private\nAllow: /private/open\n"
    site.pages.update({"/private/x": "x", "/private/open/y": "y"})
    reader = fetcher()
    assert read(reader, site.url("/a")) == "<p>a</p>"
    assert read(reader, site.url("/private/open/y")) == "y"
    with pytest.raises(ExcludedSource, match=r"robots\.txt.*PENSTOCK_WEB__ROBOTS"):
        read(reader, site.url("/private/x"))
    assert "/private/x" not in site.asked
    assert site.asked.count("/robots.txt") == 1


@pytest.mark.parametrize(
    ("robots", "closed"),
    [
        pytest.param("User-agent: penstock\nDisallow: /a", True, id="our name"),
        pytest.param("User-agent: Googlebot\nDisallow: /", False, id="another's name"),
        pytest.param("User-agent: *\nDisallow: /\n\nUser-agent: Penstock\nAllow: /", False, id="ours before all"),
        pytest.param("User-agent: *\nDisallow: /*a$", True, id="wild card"),
        pytest.param("\ufeffUser-agent: *\r\nDisallow: /a\r\n", True, id="byte order mark"),
        pytest.param("<html>no such page</html>", False, id="a page in its place"),
        pytest.param("", False, id="empty"),
        pytest.param(404, False, id="none"),
        pytest.param(403, False, id="kept to itself"),
        pytest.param("User-agent: *\nDisallow: /" + "*a" * 20_000 + "b\nDisallow: /a", True, id="endless wild cards"),
        pytest.param("#" * 600_000 + "\nUser-agent: *\nDisallow: /", False, id="what comes after the limit"),
    ],
)
def test_what_a_robots_txt_says(site: Website, robots: str | int, closed: bool) -> None:
    site.pages["/robots.txt"] = robots
    if closed:
        with pytest.raises(ExcludedSource):
            read(fetcher(max_bytes=10_000_000), site.url("/a"))
    else:
        assert read(fetcher(max_bytes=10_000_000), site.url("/a"))


def test_a_robots_txt_that_cannot_be_had_closes_for_now(site: Website) -> None:
    site.pages["/robots.txt"] = 503
    reader = fetcher()
    with pytest.raises(TransientFetchError, match="503"):
        read(reader, site.url("/a"))
    site.pages["/robots.txt"] = 404
    assert read(reader, site.url("/a"))


def test_a_page_that_is_named_itself_is_read_without_asking(site: Website) -> None:
    site.pages["/robots.txt"] = "User-agent: *\nDisallow: /"
    clock = Clock()
    reader = fetcher(clock, pause=5)
    for _ in range(2):
        assert read(reader, site.url("/a"), named_by="")
    assert (site.asked, clock.slept) == (["/a", "/a"], [])


def test_robots_txt_need_not_be_asked(site: Website) -> None:
    site.pages["/robots.txt"] = "User-agent: *\nDisallow: /"
    assert read(fetcher(robots=False), site.url("/a"))
    assert site.asked == ["/a"]


@pytest.mark.parametrize(
    ("robots", "pause"),
    [
        pytest.param("", 2.0, id="ours"),
        pytest.param("User-agent: *\nCrawl-delay: 7", 7.0, id="theirs"),
        pytest.param("User-agent: *\nCrawl-delay: 0.5", 2.0, id="theirs is shorter"),
        pytest.param("User-agent: *\nCrawl-delay: 86400", LONGEST_PAUSE_SECONDS, id="theirs is too long"),
        pytest.param("User-agent: *\nCrawl-delay: inf", 2.0, id="no number"),
    ],
)
def test_a_pause_between_two_requests_to_a_host(site: Website, robots: str, pause: float) -> None:
    site.pages["/robots.txt"] = robots
    clock = Clock()
    reader = fetcher(clock, pause=2)
    read(reader, site.url("/a"))
    read(reader, site.url("/b"))
    assert clock.slept == [pause, pause]
    with Website() as another:
        another.pages["/c"] = "c"
        read(reader, another.url("/c"))
    assert clock.slept == [pause, pause, 2.0]  # between its robots.txt and its page


def test_one_request_to_a_host_at_a_time(site: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    open_now, most, lock = 0, 0, threading.Lock()
    answer = Website._answer

    def counted(self: Website, request: BaseHTTPRequestHandler) -> None:
        nonlocal open_now, most
        with lock:
            open_now += 1
            most = max(most, open_now)
        time.sleep(0.05)
        answer(self, request)
        with lock:
            open_now -= 1

    monkeypatch.setattr(Website, "_answer", counted)
    reader = fetcher()
    with ThreadPoolExecutor(6) as pool:
        assert len(list(pool.map(lambda _: read(reader, site.url("/a")), range(6)))) == 6
    assert most == 1
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: read(reader, site.url("/a"), named_by=""), range(6)))
    assert most > 1


def test_waiting_for_the_turn_is_not_counted_against_the_page(site: Website) -> None:
    courtesy = Courtesy(robots=False, pause_seconds=0, user_agent="Penstock/0.1")
    slow = WebFetcher(max_bytes=1000, allow_private=True, attempts=1, total_seconds=1.5, courtesy=courtesy)
    with ThreadPoolExecutor(1) as pool:
        with courtesy.visit(site.url("/a"), lambda _: ""):
            page = pool.submit(read, slow, site.url("/a"))
            time.sleep(1.8)
        assert page.result(10) == "<p>a</p>"


def test_a_page_of_a_list_leads_to_this_machine_only_where_the_list_lies_there(site: Website) -> None:
    with pytest.raises(AddressRefused, match="another page"):
        read(fetcher(), site.url("/a"), named_by=LIST)
    assert site.asked == []  # not even for its robots.txt
    assert read(fetcher(), site.url("/a"), named_by=site.url("/sitemap.xml"))
    assert read(fetcher(), site.url("/a"), named_by="file:///home/ann/links.txt")


@pytest.mark.parametrize("named_by", ["", "file:///links.txt"])
def test_no_redirect_leads_to_another_place_on_this_machine(site: Website, named_by: str) -> None:
    with Website() as inner:
        inner.pages["/secret"] = "secret"
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
            site.pages["/go"] = 302
            site.headers["/go"] = {"Location": inner.url("/secret").replace("127.0.0.1", host)}
            with pytest.raises(AddressRefused, match="another page"):
                read(fetcher(robots=False), site.url("/go"), named_by)
        assert inner.asked == []
        with pytest.raises(AddressRefused, match="another page"):
            read(fetcher(), site.url("/go"), named_by)
        assert inner.asked == []
    site.headers["/go"] = {"Location": "/a"}
    assert read(fetcher(robots=False), site.url("/go"), named_by) == "<p>a</p>"


def test_secrets_of_addresses_are_in_no_message(site: Website) -> None:
    site.pages["/robots.txt"] = "User-agent: *\nDisallow: /closed"
    site.pages.update({"/go?token=zebra": 302, "/late?token=zebra": 503})
    site.headers["/go?token=zebra"] = {"Location": "ftp://ann:zebra@example.org/?sig=zebra"}
    for path in ("/gone?pass%77ord=zebra", "/late?token=zebra", "/go?token=zebra", "/closed?api_key=zebra"):
        with pytest.raises(SourceError) as caught:
            read(fetcher(), site.url(path))
        assert "***" in str(caught.value)
        assert "zebra" not in str(caught.value)
    with pytest.raises(FetchError) as caught:
        read(fetcher(max_bytes=1), site.url("/gone?key=zebra"), named_by="")
    assert "zebra" not in str(caught.value)


@settings(max_examples=examples(50))
@given(st.text(max_size=300))
def test_any_robots_txt_can_be_read(text: str) -> None:
    courtesy = Courtesy(robots=True, pause_seconds=0, user_agent="Penstock/0.1")
    try:
        with courtesy.visit("https://example.org/a", lambda _: text):
            pass
    except ExcludedSource:
        pass
