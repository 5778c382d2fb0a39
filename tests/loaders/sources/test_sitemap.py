import gzip
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from penstock.errors import SourceError
from penstock.loaders import LoaderOptions, Sandbox, SitemapLister
from penstock.loaders.plain import sitemap_xml
from penstock.loaders.plain.sitemap_xml import SitemapLoader
from penstock.loaders.sources import sitemap
from penstock.loaders.sources.sitemap import changed
from penstock.model import Extraction, Failure, Listed, Source
from penstock.testing.doubles.website import Website, fetching

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


class Here:
    """Reads sitemaps in this process, as the sandbox does in another."""

    def parse(self, source: Source, path: Path) -> Extraction | Failure:
        try:
            with path.open("rb") as data:
                return SitemapLoader().load(source, data)
        except SourceError as error:
            return Failure(
                uri=source.uri, stage="parse", kind=type(error).__name__, message=str(error), retryable=error.retryable
            )


def sandbox(seconds: float = 60) -> Sandbox:
    return Sandbox(options=LoaderOptions(), seconds=seconds, memory_mib=512, text_mib=8, workers=1)


def urlset(*entries: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><urlset {SPACE}>{"".join(entries)}</urlset>'


def page(address: str, lastmod: str = "") -> str:
    return f"<url><loc>{address}</loc>{lastmod and f'<lastmod>{lastmod}</lastmod>'}</url>"


def index(*addresses: str) -> str:
    inner = "".join(f"<sitemap><loc>{address}</loc></sitemap>" for address in addresses)
    return f"<sitemapindex {SPACE}>{inner}</sitemapindex>"


def lister_of(site: Website, path: str = "/sitemap.xml", **options: Any) -> SitemapLister:
    return SitemapLister(site.url(path), partial(fetching, **options), lambda: nullcontext(Here()), clock=lambda: NOW)


def split(lister: SitemapLister) -> tuple[list[str], list[str]]:
    """Addresses of pages, and messages of failures."""
    found = list(lister.list())
    return [listed.uri for listed in found if isinstance(listed, Listed)], [
        failure.message for failure in found if isinstance(failure, Failure)
    ]


def test_pages_and_when_they_were_changed(site: Website) -> None:
    site.pages["/sitemap.xml"] = urlset(
        page("https://example.org/a", "2026-03-01T08:00:00+08:00"),
        page("\n  https://example.org/年假?x=1&amp;y=2\n"),
        page("https://example.org/a", "2026-04-01"),
        page("/b"),
    )
    lister = lister_of(site)
    named_by = site.url("/sitemap.xml")
    assert list(lister.list()) == [
        Listed(uri="https://example.org/a", modified=datetime(2026, 3, 1, tzinfo=UTC), named_by=named_by),
        Listed(uri="https://example.org/年假?x=1&y=2", named_by=named_by),
        Listed(uri=site.url("/b"), named_by=named_by),
    ]
    assert lister.complete()
    assert lister.covers("https://example.org/a")
    assert not lister.covers("https://example.org/c")


@pytest.mark.parametrize(
    ("lastmod", "moment"),
    [
        pytest.param("2026-03-01T08:00:00Z", datetime(2026, 3, 1, 8, tzinfo=UTC), id="second"),
        pytest.param("2026-03-01T08:00+08:00", datetime(2026, 3, 1, tzinfo=UTC), id="minute"),
        pytest.param("2026-03-01T08:00:00.5", datetime(2026, 3, 1, 8, 0, 0, 500000, tzinfo=UTC), id="no zone: UTC"),
        pytest.param("2026-11-18", datetime(2026, 11, 18, tzinfo=UTC), id="a day that is over"),
        pytest.param("2026-11-20", None, id="a day that is not over everywhere"),
        pytest.param("2026-11-21", None, id="today"),
        pytest.param("2026-11-22T00:00:00Z", None, id="the future"),
        pytest.param("2026-03", None, id="a month"),
        pytest.param("2026", None, id="a year"),
        pytest.param("", None, id="nothing"),
        pytest.param("yesterday", None, id="no date"),
        pytest.param("9999-12-31", None, id="the last day"),
        pytest.param("0001-01-01T00:00:00+14:00", None, id="before the first day"),
    ],
)
def test_only_a_date_that_separates_two_changes_counts(lastmod: str, moment: datetime | None) -> None:
    assert changed(lastmod, NOW) == moment


def test_an_index_of_sitemaps_plain_and_packed(site: Website) -> None:
    site.pages["/sitemap.xml"] = index(site.url("/one.xml"), site.url("/two.xml.gz"), site.url("/inner.xml"))
    site.pages["/one.xml"] = urlset(page("https://example.org/1"))
    site.pages["/two.xml.gz"] = gzip.compress(urlset(page("https://example.org/2")).encode())
    site.pages["/inner.xml"] = index(site.url("/three.xml"), site.url("/sitemap.xml"))
    site.pages["/three.xml"] = urlset(page("https://example.org/3"))
    lister = lister_of(site)
    assert split(lister) == ([f"https://example.org/{n}" for n in (1, 2, 3)], [])
    assert lister.complete()
    assert len(site.asked) == 5  # the circle is walked once


def test_alternates_pictures_and_videos_are_no_pages(site: Website) -> None:
    site.pages["/sitemap.xml"] = urlset(
        '<url><loc>https://example.org/a</loc><x:link xmlns:x="http://www.w3.org/1999/xhtml" rel="alternate" '
        'hreflang="de" href="https://example.org/de"/><i:image xmlns:i="http://www.google.com/schemas/sitemap-image/1.1">'
        "<i:loc>https://example.org/a.png</i:loc></i:image></url>"
    )
    assert split(lister_of(site)) == (["https://example.org/a"], [])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("<html><body>moved</body></html>", "no sitemap", id="a page"),
        pytest.param("https://example.org/a\n", "damaged", id="a list"),
        pytest.param("", "damaged", id="nothing"),
        pytest.param(urlset(page("https://example.org/1"))[:-20], "damaged", id="cut off"),
        pytest.param(gzip.compress(urlset().encode())[:-9], "damaged", id="packed and cut off"),
        pytest.param(b"\x1f\x8b\x08nothing", "damaged", id="no gzip"),
        pytest.param(urlset("<url><lastmod>2026-01-01</lastmod></url>"), "without an address", id="no address"),
        pytest.param(urlset(page("https://example.org/" + "a" * 9000)), "too long", id="long address"),
        pytest.param(urlset(page("ftp://example.org/a")), "no web address", id="another scheme"),
        pytest.param(urlset(page("https://me:secret@example.org/a")), "password", id="a password"),
        pytest.param(404, "no such page", id="gone"),
        pytest.param(500, "500", id="server at fault"),
    ],
)
def test_a_sitemap_that_cannot_be_read_is_incomplete(site: Website, content: str | bytes | int, message: str) -> None:
    site.pages["/sitemap.xml"] = content
    lister = lister_of(site)
    _, (reported,) = split(lister)
    assert message in reported
    assert site.url("/sitemap.xml") in reported
    assert not lister.complete()
    assert lister.covers("https://example.org/whatever")
    assert not lister.covers("file:///whatever")


def test_what_stood_before_the_damage_is_listed(site: Website) -> None:
    pages = [page(f"https://example.org/{number}") for number in range(2000)]
    site.pages["/sitemap.xml"] = urlset(*pages)[:-2000]
    found, failures = split(lister_of(site))
    assert found
    assert len(failures) == 1


def test_one_sitemap_of_an_index_that_is_gone_keeps_the_others(site: Website) -> None:
    site.pages["/sitemap.xml"] = index(site.url("/gone.xml"), site.url("/one.xml"))
    site.pages["/one.xml"] = urlset(page("https://example.org/1"))
    lister = lister_of(site)
    found, failures = split(lister)
    assert found == ["https://example.org/1"]
    assert len(failures) == 1
    assert not lister.complete()


def test_entities_neither_grow_nor_read_files(site: Website) -> None:
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    for entity in ("e11", "file"):
        site.pages["/sitemap.xml"] = (
            f'<!DOCTYPE urlset [<!ENTITY e0 "lol">{bomb}<!ENTITY file SYSTEM "file:///etc/hostname">]>'
            f"<urlset>{page(f'https://example.org/&{entity};')}</urlset>"
        )
        found, failures = split(lister_of(site))
        assert (found, len(failures)) == ([], 1)


def test_private_addresses_are_refused_also_below_an_index(site: Website) -> None:
    site.pages["/sitemap.xml"] = index("http://169.254.169.254/latest")
    lister = lister_of(site, allow_private=False)
    _, (message,) = split(lister)
    assert "not an address of the public internet" in message
    assert site.asked == []


def test_limits_on_size_number_and_depth(site: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemap_xml, "MOST_BYTES", 3000)
    site.pages["/sitemap.xml"] = gzip.compress(urlset(*(page("https://example.org/a") for _ in range(99))).encode())
    assert "MiB that a sitemap may have" in split(lister_of(site))[1][0]
    monkeypatch.undo()
    monkeypatch.setattr(sitemap, "MOST_PAGES", 2)
    site.pages["/sitemap.xml"] = urlset(*(page(f"https://example.org/{n}") for n in range(5)))
    found, failures = split(lister_of(site))
    assert (len(found), len(failures)) == (2, 1)
    monkeypatch.setattr(sitemap, "MOST_SITEMAPS", 2)
    site.pages["/sitemap.xml"] = index(*(site.url(f"/{n}.xml") for n in range(4)))
    site.pages.update({f"/{n}.xml": urlset() for n in range(4)})
    lister = lister_of(site)
    assert len(split(lister)[1]) == 1
    assert not lister.complete()
    monkeypatch.undo()
    for level in range(5):
        site.pages[f"/level{level}.xml"] = index(site.url(f"/level{level + 1}.xml"))
    assert "below more than 3 indexes" in split(lister_of(site, "/level0.xml"))[1][0]


def test_sitemaps_are_read_in_the_sandbox_and_not_here(site: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("XML of a stranger was read in this process")

    monkeypatch.setattr(etree, "iterparse", refuse)
    monkeypatch.setattr(SitemapLoader, "load", refuse)
    site.pages["/sitemap.xml"] = index(site.url("/one.xml"), site.url("/two.xml"), site.url("/three.xml"))
    site.pages["/one.xml"] = urlset(page("https://example.org/1"))
    site.pages["/two.xml"] = urlset(page("https://example.org/2"))[:-12]
    site.pages["/three.xml"] = "<html/>"
    lister = SitemapLister(site.url("/sitemap.xml"), fetching, sandbox, clock=lambda: NOW)
    found, (damaged, outside) = split(lister)
    assert found[0] == "https://example.org/1"
    assert "damaged" in damaged
    assert "no sitemap" in outside
    assert not lister.complete()


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "page\thttps://a.example/",
        "page\thttps://a.example/\t\t",
        f"page\t{'a' * 20000}\t",
        "page\tfile:///a\t",
    ],
)
def test_what_a_taken_over_reader_says_is_no_page(site: Website, text: str) -> None:
    class TakenOver:
        def parse(self, source: Source, path: Path) -> Extraction:
            return Extraction(title="", text=text, blocks=())

    site.pages["/sitemap.xml"] = urlset()
    lister = SitemapLister(site.url("/sitemap.xml"), fetching, lambda: nullcontext(TakenOver()))
    found, failures = split(lister)
    assert (found, len(failures)) == ([], 1)
    assert not lister.complete()
