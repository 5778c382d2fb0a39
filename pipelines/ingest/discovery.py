"""One look at all listings of a run: what is there, each source once, and which known sources are gone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from penstock.catalog.commit.cursors import Cursor
from penstock.errors import ExcludedSource, SettingsError
from penstock.loaders import shown
from penstock.model import EVERYBODY, Access, Failure, Listed, Removed, narrowest, readers
from penstock.pipelines.access.inheriting import Inherited, Neighbours, no_neighbours
from penstock.pipelines.ingest.lookups import Known
from penstock.pipelines.ingest.outcomes import is_left_out
from penstock.pipelines.ingest.reading import KEEP, FoundSource, Marks
from penstock.pipelines.ingest.removal import Removal, guarded, is_gone
from penstock.ports import Lister
from penstock.settings import FIRST_DECIDES
from penstock.urls import scheme_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A lister, and what is attached to every source that it lists."""

    lister: Lister
    marks: Marks = KEEP
    address: str = ""
    """What is listed, as a URI: a path, a list of addresses or a sitemap; empty for addresses one by one."""
    beside: Neighbours = no_neighbours
    """Who may see a new source by those around it, where nobody says."""
    name: str = ""
    """What a person calls it."""
    within: Access | None = EVERYBODY
    """Who may see at most a source of which the listing says who may: what the run says, or else an earlier one."""
    mark: str = ""
    """As of `Cursor`; only listings of connectors have one."""
    goes_on: bool = False
    """Whether it began at a cursor: what is missing from it need not be gone."""

    @property
    def is_partial(self) -> bool:
        """After it was listed: whether it went on from a cursor and gave what changed."""
        return self.goes_on and not self.lister.complete()


class Discovery:
    """What the listings of one run show; used once.

    A source that several of them list belongs to the first; its readers are those of the first that names any. As
    `owner`, the listings are all that there is: a known source that none of them lists is gone, whatever it came from,
    as soon as all of them are known to be whole. Unless `ordered`, listings that name different readers may not list
    the same source.
    """

    def __init__(
        self, listings: Sequence[Listing], *, owner: bool = False, ordered: bool = True, since: int | None = None
    ) -> None:
        """`since` is the collection's revision before the listings began."""
        self._listings = listings
        self._owner = owner
        self._ordered = ordered
        self._since = since
        several = {listing.marks.access for listing in listings}
        self._compared = len(several) > 1 and (not ordered or None in several)
        self._seen: dict[str, Listing] = {}
        self._naming: dict[str, Listing] = {}
        """The first listing that names readers of a source, where an earlier one lists it and names none."""
        self._failed: set[int] = set()
        """Listings of which not everything could be listed, by their number."""
        self._left_out: dict[str, Failure] = {}
        self._gone: set[str] = set()
        """URIs that a listing says are gone."""
        self._closed: set[str] = set()
        """URIs of sources that nobody may see."""
        self._cursors: dict[int, str] = {}

    @property
    def given(self) -> tuple[tuple[str, Access], ...]:
        """What the run is told of addresses: who may see what lies there."""
        told = ((one.address, one.marks.access) for one in self._listings if one.address)
        return tuple((address, access) for address, access in told if access is not None)

    def found(self) -> Iterator[FoundSource | Failure]:
        """Sources and what could not be listed, streamed; last what is left out, unless another listing names it.

        Raises:
            SettingsError: a source is listed for different readers; that shows with the call, before the first source.
        """
        return map(self._permitted, map(self._named, list(self._listed())) if self._compared else self._listed())

    def _listed(self) -> Iterator[FoundSource | Failure]:
        for number, listing in enumerate(self._listings):
            for one in listing.lister.list():
                if isinstance(one, Failure) and is_left_out(one):
                    self._left_out.setdefault(one.uri, one)
                    continue
                if isinstance(one, Failure):
                    self._failed.add(number)
                    yield one
                    continue
                self._cursors[number] = one.cursor or self._cursors.get(number, "")
                if isinstance(one, Removed):
                    self._gone.add(one.uri)
                elif one.uri not in self._seen:
                    self._seen[one.uri] = listing
                    yield FoundSource(listed=one, marks=listing.marks, address=listing.address)
                elif self._compared and listing.marks.access is not None:
                    self._compare(one.uri, listing)
        yield from (failure for uri, failure in self._left_out.items() if uri not in self._seen)

    def _compare(self, uri: str, listing: Listing) -> None:
        first = self._naming.get(uri, self._seen[uri])
        if first.marks.access is None:
            self._naming[uri] = listing
        elif not self._ordered:
            _check_same_readers(uri, first, listing)

    def _named(self, one: FoundSource | Failure) -> FoundSource | Failure:
        """A source for the readers that some listing names, if one does."""
        if isinstance(one, Failure) or one.listed.uri not in self._naming:
            return one
        listing = self._naming[one.listed.uri]
        return replace(one, marks=replace(one.marks, access=listing.marks.access), address=listing.address)

    def _permitted(self, one: FoundSource | Failure) -> FoundSource | Failure:
        """A source with the labels and the readers that its listing says: never more of these than the listing says."""
        if isinstance(one, Failure) or (one.listed.labels is None and one.listed.access is None):
            return one
        listed, marks = one.listed, one.marks
        if listed.labels is not None:
            marks = replace(marks, labels={**listed.labels, **(marks.labels or {})})
        if listed.access is None:
            return replace(one, marks=marks)
        within = self._seen[listed.uri].within if marks.access is None else marks.access
        access = _narrowed(listed, within)
        if access is None:
            self._closed.add(listed.uri)
            return _closed(listed, within)
        # Without its address: what is remembered of that is what the run was told, and not what one source says.
        return replace(one, marks=replace(marks, access=access), address="")

    @property
    def cursors(self) -> tuple[Cursor, ...]:
        """After `found` ended: where the next listings may go on, of those that did not fail."""
        return tuple(
            Cursor(address=one.address, text=text, mark=one.mark)
            for number, one in enumerate(self._listings)
            if one.mark and number not in self._failed and (one.goes_on or one.lister.complete())
            if (text := self._cursors.get(number, ""))
        )

    def beside(self, found: FoundSource) -> Inherited:
        """What a source that was found inherits from those around it, should it be new."""
        return self._seen[found.listed.uri].beside(found.listed.uri)

    def removal(self, known: Known, *, share: float) -> Removal:
        """After `found` ended: the known sources that are gone, if so many may go at once."""
        listers = [listing.lister for listing in self._listings]
        partial = [
            one.lister for number, one in enumerate(self._listings) if one.is_partial and number not in self._failed
        ]
        whole = all(lister.complete() or lister in partial for lister in listers)
        owns = self._owner and whole and not self._failed
        told = known.among(sorted(self._gone - set(self._seen)))
        left_out: list[str] = known.among(sorted(self._closed))
        behind: list[str] = []

        def missing() -> Iterator[str]:
            for uri in known.uris(None if owns else self._spoken_for()):
                if uri in self._seen or uri in self._gone:
                    continue
                if uri in self._left_out:
                    left_out.append(uri)
                if self._is_behind(uri):
                    behind.append(uri)
                elif uri in self._left_out:
                    continue
                elif is_gone(uri, listers) or (owns and not any(lister.covers(uri) for lister in partial)):
                    yield uri

        remark = "" if whole else "a listing was incomplete: sources that are missing from it were not removed"
        if self._owner and self._failed:
            remark = (
                "not everything could be listed: sources that no entry lists any more stay, except those that a "
                "complete listing speaks for"
            )
        removal = guarded(chain(told, missing()), known=known.count, share=share, remarks=(remark,) if remark else ())
        return replace(removal, left_out=tuple(left_out), behind=tuple(behind), since=self._since)

    def _spoken_for(self) -> list[str]:
        """Where known sources may lie that are gone: below what was listed whole, and where something was left out.

        An address that was itself listed is a file or a page, and nothing lies below it; of lists and sitemaps, all
        that they speak for was listed.
        """
        whole = [one for one in self._listings if one.lister.complete()]
        listed = [one.address for one in whole if not one.mark and one.address not in self._seen]
        schemes = [f"{scheme_of(one.address)}://" for one in whole if one.mark]  # its lister says what it speaks for
        return [address for address in (*listed, *schemes, *self._left_out) if address]

    def _is_behind(self, uri: str) -> bool:
        return bool(self._left_out) and any(parent in self._left_out for parent in _parents(uri))


def _parents(uri: str) -> Iterator[str]:
    """The folders that a URI lies in, from the innermost."""
    while (end := uri.rfind("/")) > 0:
        uri = uri[:end]
        yield uri


def _narrowed(listed: Listed, within: Access | None) -> Access | None:
    """Who may see a source by its listing and by what the run, or an earlier one, said; None where nobody may."""
    if listed.access == "everybody":
        return within
    return narrowest([listed.access or None, within])


def _closed(listed: Listed, within: Access | None) -> Failure:
    told = "names nobody who may see it"
    if listed.access:
        told = f"lets only {readers(frozenset(listed.access))} see it, and here only "
        told += f"{readers(within)} may" if within else "readers may of whom it is not known who they are"
    message = f"nobody may see it: its source {told}"
    return Failure(uri=listed.uri, stage="discover", kind=ExcludedSource.__name__, message=message, retryable=False)


def _check_same_readers(uri: str, first: Listing, second: Listing) -> None:
    one, other = first.marks.access, second.marks.access
    if one is None or other is None or one == other:
        return
    raise SettingsError(
        f"{shown(uri)!r} is listed by {first.name}, for {readers(one)}, and by {second.name}, for {readers(other)}; "
        f"leave it out of one of them (exclude), or set {FIRST_DECIDES}"
    )
