import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import AddressRefused, FetchError, LimitExceeded, TransientFetchError
from penstock.loaders.sources import files
from penstock.loaders.sources.addresses import uri_of
from penstock.loaders.sources.fetching import fetcher_for
from penstock.loaders.sources.files import LocalFetcher, modified_of
from penstock.loaders.sources.web.pages import WebFetcher
from penstock.model import Listed, Source


def listed(path: Path) -> Listed:
    return Listed(uri=uri_of(path))


def known(path: Path) -> Source:
    status = path.stat()
    return Source(
        uri=uri_of(path),
        media_type="text/plain",
        sha256="",
        size=status.st_size,
        modified=modified_of(status),
        labels={},
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "年假 100%.txt"
    path.write_bytes(b"ten days" * 200_000)
    return path


FETCHER = LocalFetcher(max_bytes=10_000_000)


def test_a_file_is_hashed_where_it_lies(file: Path) -> None:
    with FETCHER.fetch(listed(file), None) as fetched:
        assert fetched is not None
        assert fetched.path.samefile(file)
        assert fetched.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
        assert (fetched.size, fetched.modified) == (1_600_000, modified_of(file.stat()))
    assert file.exists()


def test_a_known_file_is_not_read_again(file: Path) -> None:
    source = known(file)
    with FETCHER.fetch(listed(file), source) as fetched:
        assert fetched is None
    os.utime(file, ns=(0, file.stat().st_mtime_ns + 1000))
    with FETCHER.fetch(listed(file), source) as fetched:
        assert fetched is not None


def test_a_file_that_is_too_large_names_the_setting(file: Path) -> None:
    with (
        pytest.raises(LimitExceeded, match="PENSTOCK_LIMITS__SOURCE_MIB"),
        LocalFetcher(max_bytes=1_599_999).fetch(listed(file), None),
    ):
        pass


def test_a_file_that_outgrows_the_limit_while_it_is_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_check_unchanged", lambda *_: None)
    fetcher = LocalFetcher(max_bytes=1_600_000)
    steps: list[None] = []
    status = file.stat()
    with file.open("ab") as more:
        more.write(b"!")
    with file.open("rb") as data, pytest.raises(LimitExceeded):
        fetcher._fetched(uri_of(file), data, status, steps)


def test_a_file_that_changes_while_it_is_used_is_read_again_later(file: Path) -> None:
    with pytest.raises(TransientFetchError, match="while it was read"), FETCHER.fetch(listed(file), None):
        file.write_text("other")


def test_a_file_that_is_removed_while_it_is_used_is_gone(file: Path) -> None:
    with pytest.raises(FetchError, match="gone"), FETCHER.fetch(listed(file), None):
        file.unlink()


def test_an_error_of_the_user_of_the_bytes_stays_what_it_is(file: Path) -> None:
    with pytest.raises(ZeroDivisionError), FETCHER.fetch(listed(file), None):
        raise ZeroDivisionError


def test_a_missing_file_is_gone(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="gone"), FETCHER.fetch(listed(tmp_path / "no.txt"), None):
        pass


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    if kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(FetchError, match="regular"), FETCHER.fetch(listed(path), None):
        pass


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        pytest.param(PermissionError(13, "Permission denied"), FetchError, id="forbidden"),
        pytest.param(OSError(5, "Input/output error"), TransientFetchError, id="disk"),
    ],
)
def test_faults_of_the_system_are_distinguished(
    file: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, kind: type
) -> None:
    def refuse(*args: Any) -> int:
        raise error

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(Exception, match=error.strerror) as caught, FETCHER.fetch(listed(file), None):
        pass
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("uri", "kind"),
    [("file:///a", LocalFetcher), ("http://example.org/", WebFetcher), ("https://example.org/", WebFetcher)],
)
def test_the_scheme_picks_the_fetcher(uri: str, kind: type) -> None:
    settings: dict[str, Any] = {
        "source_mib": 1,
        "read_seconds": 1,
        "timeout_seconds": 1,
        "attempts": 1,
        "redirects": 1,
        "allow_private": False,
        "user_agent": "x",
    }
    assert type(fetcher_for(uri, **settings)) is kind
    with pytest.raises(AddressRefused, match="ftp"):
        fetcher_for("ftp://example.org/", **settings)
