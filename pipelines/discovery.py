"""One look at all listings of a run: what is there, each source once, and which known sources are gone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from penstock.model import Failure
from penstock.pipelines.reading import KEEP, Before, Found, Marks
from penstock.pipelines.removal import Removal, gone, guarded
from penstock.ports import Lister


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A lister, and what is attached to every source that it lists."""

    lister: Lister
    marks: Marks = KEEP


class Discovery:
    """What the listings of one run show; used once.

    A source that several of them list belongs to the first. As `owner`, the listings are all that there is: a known
    source that none of them lists is gone, whatever it came from, as soon as all of them are known to be whole.
    """

    def __init__(self, listings: Sequence[Listing], *, owner: bool = False) -> None:
        self._listings = listings
        self._owner = owner
        self._seen: set[str] = set()
        self._failed = False

    def found(self) -> Iterator[Found | Failure]:
        """Sources and what could not be listed, streamed."""
        for listing in self._listings:
            for one in listing.lister.list():
                if isinstance(one, Failure):
                    self._failed = True
                    yield one
                elif one.uri not in self._seen:
                    self._seen.add(one.uri)
                    yield Found(listed=one, marks=listing.marks)

    def removal(self, before: Mapping[str, Before], *, share: float) -> Removal:
        """After `found` ended: the known sources that are gone, if so many may go at once."""
        listers = [listing.lister for listing in self._listings]
        missing = [uri for uri in before if uri not in self._seen]
        whole = all(lister.complete() for lister in listers)
        if not (self._owner and whole and not self._failed):
            missing = gone(missing, listers)
        remark = "" if whole else "a listing was incomplete: sources that are missing from it were not removed"
        if self._owner and self._failed:
            remark = (
                "not everything could be listed: sources that no entry lists any more stay, except those that a "
                "complete listing speaks for"
            )
        return guarded(missing, known=len(before), share=share, remarks=(remark,) if remark else ())
