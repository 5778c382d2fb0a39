"""The contract of `Fetcher` as a suite to subclass."""

import hashlib
from collections.abc import Callable

import pytest

from penstock.errors import SourceError
from penstock.model import Fetched, Listed, Source
from penstock.ports import Fetcher


def known_of(listed: Listed, fetched: Fetched) -> Source:
    """The source as the catalog knows it after it was fetched."""
    return Source(
        uri=listed.uri,
        media_type="text/plain",
        sha256=fetched.sha256,
        size=fetched.size,
        modified=fetched.modified,
        etag=fetched.etag,
        labels={},
    )


def fetch(fetcher: Fetcher, listed: Listed) -> tuple[bytes, Source]:
    """The bytes of a source, and how it is known from then on."""
    with fetcher.fetch(listed, None) as fetched:
        assert fetched is not None, "it was never read, and is said to be unchanged"
        return fetched.path.read_bytes(), known_of(listed, fetched)


class FetcherContract:
    """What every fetcher must do: subclass it and give the fixtures `fetcher`, `listed`, `missing` and `write`.

    `listed` is a source that is there, `missing` one that is not; `write` puts other bytes in the place of the former.
    """

    def test_brings_the_bytes(self, fetcher: Fetcher, listed: Listed, write: Callable[[bytes], None]) -> None:
        """All of them, with their number and their hash, for empty and large sources as well."""
        for content in (b"", b"ten days", bytes(range(256)) * 2000):
            write(content)
            with fetcher.fetch(listed, None) as fetched:
                assert fetched is not None
                assert fetched.path.read_bytes() == content
                assert fetched.size == len(content)
                assert fetched.sha256 == hashlib.sha256(content).hexdigest()

    def test_bytes_stay_as_long_as_the_context(self, fetcher: Fetcher, listed: Listed) -> None:
        """A source may be fetched while it is read; to close the first takes nothing from the second."""
        expected, _ = fetch(fetcher, listed)
        with fetcher.fetch(listed, None) as outer:
            assert fetch(fetcher, listed)[0] == expected
            assert outer is not None
            assert outer.path.read_bytes() == expected

    def test_what_is_known_is_not_brought_again_unless_it_changed(
        self, fetcher: Fetcher, listed: Listed, write: Callable[[bytes], None]
    ) -> None:
        """None says that the bytes are the known ones; after a change it would be a lie."""
        before, known = fetch(fetcher, listed)
        with fetcher.fetch(listed, known) as fetched:
            assert fetched is None or fetched.path.read_bytes() == before
        write(before + b" and more")
        with fetcher.fetch(listed, known) as fetched:
            assert fetched is not None
            assert fetched.path.read_bytes() == before + b" and more"

    def test_what_is_not_there_is_reported(self, fetcher: Fetcher, missing: Listed) -> None:
        """As an error of this source, with a reason; the fetcher goes on."""
        for _ in range(2):
            with pytest.raises(SourceError, match=r"\w"), fetcher.fetch(missing, None):
                raise AssertionError("there is nothing to read")

    @pytest.mark.parametrize("uri", ["", "nowhere", "other://host/path", "file://\x00", "http://", "a:\ud800"])
    def test_an_address_that_is_none_is_reported(self, fetcher: Fetcher, uri: str) -> None:
        """Never by another error than that of a source."""
        with pytest.raises(SourceError), fetcher.fetch(Listed(uri=uri), None):
            raise AssertionError("there is nothing to read")

    def test_an_error_of_the_reader_comes_through(self, fetcher: Fetcher, listed: Listed) -> None:
        """What goes wrong while the bytes are read is neither swallowed nor given another name."""
        with pytest.raises(ZeroDivisionError), fetcher.fetch(listed, None):
            raise ZeroDivisionError
        assert fetch(fetcher, listed)
