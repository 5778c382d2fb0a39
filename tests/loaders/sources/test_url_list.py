from functools import partial
from pathlib import Path

import pytest

from penstock.loaders import UrlListLister, uri_of
from penstock.loaders.sources import url_list
from penstock.model import Failure, Listed
from penstock.testing.doubles.website import Website, fetching


def lister_of(path: Path, content: bytes) -> UrlListLister:
    path.write_bytes(content)
    return UrlListLister(str(path), fetching)


def uris(lister: UrlListLister) -> list[str]:
    return [found.uri for found in lister.list() if isinstance(found, Listed)]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"https://example.org/a\nhttps://example.org/b\n", id="plain"),
        pytest.param(b"\xef\xbb\xbfhttps://example.org/a\r\nhttps://example.org/b", id="bom and crlf"),
        pytest.param("https://example.org/a\nhttps://example.org/b".encode("utf-16"), id="utf-16"),
        pytest.param(b"# pages\n\n  https://example.org/a  # the first\nhttps://example.org/b\n", id="remarks"),
        pytest.param(b"HTTPS://Example.org:443/a#top\nhttps://example.org/a\nhttps://example.org/b", id="named twice"),
    ],
)
def test_each_line_has_one_address(tmp_path: Path, content: bytes) -> None:
    lister = lister_of(tmp_path / "links.txt", content)
    assert uris(lister) == ["https://example.org/a", "https://example.org/b"]
    assert lister.complete()
    assert lister.covers("https://example.org/a")
    assert not lister.covers("https://example.org/elsewhere")


def test_an_empty_list_is_complete(tmp_path: Path) -> None:
    lister = lister_of(tmp_path / "links.txt", b"\n# nothing yet\n")
    assert (uris(lister), lister.complete()) == ([], True)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("example.org/page", "no web address", id="no scheme"),
        pytest.param("https://", "no host", id="no host"),
        pytest.param("https://me:secret@example.org/", "password", id="with a password"),
        pytest.param("https://example.org/a b", "no web address", id="white space inside"),
        pytest.param("<html>", "no web address", id="a page"),
    ],
)
def test_a_line_that_is_no_address_makes_the_list_incomplete(tmp_path: Path, line: str, message: str) -> None:
    lister = lister_of(tmp_path / "links.txt", f"https://example.org/a\n{line}\nhttps://example.org/b\n".encode())
    found = list(lister.list())
    (failure,) = [entry for entry in found if isinstance(entry, Failure)]
    assert failure.message.startswith(f"line 2 of '{tmp_path}/links.txt'")
    assert message in failure.message
    assert failure.uri == f"{uri_of(tmp_path / 'links.txt')}#2"
    assert len(found) == 3
    assert not lister.complete()
    assert lister.covers("https://example.org/whatever")  # nobody knows what else it would have named
    assert not lister.covers("file:///whatever")


def test_what_is_no_list_at_all_is_not_reported_line_by_line(tmp_path: Path) -> None:
    lister = lister_of(tmp_path / "links.txt", b"not an address\n" * 5000)
    found = list(lister.list())
    assert len(found) == url_list.BAD_LINES_TOLD + 1
    assert not lister.complete()


def test_more_than_a_list_may_hold_is_incomplete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(url_list, "MOST_ADDRESSES", 3)
    lister = lister_of(tmp_path / "links.txt", b"".join(b"https://example.org/%d\n" % n for n in range(9)))
    assert len(uris(lister)) == 4
    assert not lister.complete()


def test_a_list_that_is_too_large_is_incomplete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(url_list, "MOST_BYTES", 20)
    lister = lister_of(tmp_path / "links.txt", b"https://example.org/a\n")
    (failure,) = lister.list()
    assert isinstance(failure, Failure)
    assert failure.kind == "LimitExceeded"
    assert not lister.complete()


def test_a_list_on_the_web(site: Website) -> None:
    site.pages["/links.txt"] = "https://example.org/a\n"
    lister = UrlListLister(site.url("/links.txt"), fetching)
    assert uris(lister) == ["https://example.org/a"]
    assert lister.complete()
    site.pages["/links.txt"] = 503
    (failure,) = lister.list()
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.retryable, failure.stage) == ("TransientFetchError", True, "discover")
    assert not lister.complete()


def test_a_list_that_is_not_there_is_incomplete(tmp_path: Path) -> None:
    lister = UrlListLister(str(tmp_path / "nowhere.txt"), fetching)
    (failure,) = lister.list()
    assert isinstance(failure, Failure)
    assert "nowhere.txt" in failure.message
    assert not lister.complete()


def test_a_private_address_of_a_list_is_refused(site: Website) -> None:
    site.pages["/links.txt"] = "https://example.org/a\n"
    lister = UrlListLister(site.url("/links.txt"), partial(fetching, allow_private=False))
    (failure,) = lister.list()
    assert isinstance(failure, Failure)
    assert failure.kind == "AddressRefused"
    assert site.asked == []
