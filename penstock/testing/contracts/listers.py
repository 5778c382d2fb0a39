"""The contract of `Lister` as a suite to subclass."""

import re
from datetime import timedelta

import pytest

from penstock.model import Failure, Listed
from penstock.ports import Lister

URI = re.compile(r"[a-z][a-z0-9+.-]*:[^\s\x00-\x1f\x7f\ud800-\udfff]+( [^\s\x00-\x1f\x7f\ud800-\udfff]+)*")
"""A scheme in lower case, then characters that may be shown and stored; a path may hold single spaces."""
AWKWARD_URIS = ("", "file:///", "http://", "%", "file:///\ud800", "https://example.org/" + "a" * 10_000, "\x00")
LEFT_OUT = "ExcludedSource"
"""The kind of failure for what a setting leaves out: the listing covers it, as it covers what is gone."""


class ListerContract:
    """What every lister must do: subclass it and give the fixtures `lister` and `elsewhere`, and `broken` if it can be.

    `lister` lists one source or more, all that there are; `broken` cannot list all of them.
    """

    @pytest.fixture
    def elsewhere(self) -> str:
        """A URI of which the listing does not speak."""
        return "https://elsewhere.example/page"

    @pytest.fixture
    def broken(self) -> Lister | None:
        """A lister of the same kind that cannot see everything; None where nothing can keep it from that."""
        return None

    def test_lists_sources_once_and_speaks_for_them(self, lister: Lister) -> None:
        """Each by a URI of its own that can be stored and shown; the listing covers what it lists."""
        found = list(lister.list())
        assert found
        assert all(isinstance(listed, Listed) for listed in found)
        uris = [listed.uri for listed in found]
        assert len(set(uris)) == len(uris)
        assert all(URI.fullmatch(uri) for uri in uris)
        assert lister.complete()
        assert all(lister.covers(uri) for uri in uris)

    def test_says_what_can_be_compared(self, lister: Lister) -> None:
        """Sizes are none or bytes, dates are none or UTC."""
        for listed in lister.list():
            assert isinstance(listed, Listed)
            assert listed.size is None or listed.size >= 0
            assert listed.modified is None or listed.modified.utcoffset() == timedelta(0)

    def test_lists_the_same_again(self, lister: Lister) -> None:
        """In the same order, also after a listing that was left in the middle."""
        before = list(lister.list())
        assert next(iter(lister.list())) == before[0]
        assert list(lister.list()) == before
        assert lister.complete()

    def test_does_not_speak_for_what_lies_elsewhere(self, lister: Lister, elsewhere: str) -> None:
        """What it covers and did not list is removed: so it covers nothing of others, and is no guess."""
        assert list(lister.list())
        assert not lister.covers(elsewhere)
        assert not any(lister.covers(uri) for uri in AWKWARD_URIS)

    def test_what_could_not_be_listed_is_not_taken_for_gone(self, broken: Lister | None) -> None:
        """It is a failure of discovery that says why, and the listing is incomplete or does not speak for it."""
        if broken is None:
            pytest.skip("nothing keeps such a lister from seeing everything")
        failures = [failure for failure in broken.list() if isinstance(failure, Failure)]
        complete = broken.complete()
        assert failures or not complete
        for failure in failures:
            assert failure.stage == "discover"
            assert failure.uri
            assert failure.kind.isidentifier()
            assert failure.message.strip()
            assert failure.kind == LEFT_OUT or not (complete and broken.covers(failure.uri))
