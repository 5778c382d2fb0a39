"""Reads all listings of a run: gives each source once, and finds the known sources that are gone."""

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
    """A lister, and the labels and access of the sources that it lists."""

    lister: Lister
    marks: Marks = KEEP
    address: str = ""
    """What is listed, as a URI: a path, a list of addresses or a sitemap; empty for single addresses."""
    beside: Neighbours = no_neighbours
    """What a new source inherits from its neighbours, where its access is not given."""
    name: str = ""
    """Its name in messages."""
    within: Access | None = EVERYBODY
    """The widest access a source may get from its listing: given by the run, or else by an earlier run."""
    mark: str = ""
    """The mark of its `Cursor`; only listings of connectors have one."""
    goes_on: bool = False
    """Whether it started at a cursor: a source missing from it need not be gone."""

    @property
    def is_partial(self) -> bool:
        """After it was listed: whether it continued from a cursor and gave only what changed."""
        return self.goes_on and not self.lister.complete()


class Discovery:
    """What the listings of one run show; used once.

    A source that several of them list belongs to the first; its readers are those of the first that names any. With
    `owner`, the listings define the whole collection: a known source that none of them lists is gone, wherever it came
    from, once all of them are complete. Unless `ordered`, listings that name different readers may not list the same
    source.
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
        """URIs that a listing reports as removed."""
        self._closed: set[str] = set()
        """URIs of sources that nobody may see."""
        self._cursors: dict[int, str] = {}

    @property
    def given(self) -> tuple[tuple[str, Access], ...]:
        """The access that the run gives to addresses."""
        pairs = ((listing.address, listing.marks.access) for listing in self._listings if listing.address)
        return tuple((address, access) for address, access in pairs if access is not None)

    def found(self) -> Iterator[FoundSource | Failure]:
        """Streams sources and what could not be listed; last what is excluded, unless another listing has it.

        Raises:
            SettingsError: a source is listed for different readers; raised by the call, before the first source.
        """
        return map(self._permitted, map(self._named, list(self._listed())) if self._compared else self._listed())

    def _listed(self) -> Iterator[FoundSource | Failure]:
        for number, listing in enumerate(self._listings):
            for item in listing.lister.list():
                if isinstance(item, Failure) and is_left_out(item):
                    self._left_out.setdefault(item.uri, item)
                    continue
                if isinstance(item, Failure):
                    self._failed.add(number)
                    yield item
                    continue
                self._cursors[number] = item.cursor or self._cursors.get(number, "")
                if isinstance(item, Removed):
                    self._gone.add(item.uri)
                elif item.uri not in self._seen:
                    self._seen[item.uri] = listing
                    yield FoundSource(listed=item, marks=listing.marks, address=listing.address)
                elif self._compared and listing.marks.access is not None:
                    self._compare(item.uri, listing)
        yield from (failure for uri, failure in self._left_out.items() if uri not in self._seen)

    def _compare(self, uri: str, listing: Listing) -> None:
        first = self._naming.get(uri, self._seen[uri])
        if first.marks.access is None:
            self._naming[uri] = listing
        elif not self._ordered:
            _check_same_readers(uri, first, listing)

    def _named(self, found: FoundSource | Failure) -> FoundSource | Failure:
        """A source with the readers that a listing names, if any does."""
        if isinstance(found, Failure) or found.listed.uri not in self._naming:
            return found
        listing = self._naming[found.listed.uri]
        return replace(found, marks=replace(found.marks, access=listing.marks.access), address=listing.address)

    def _permitted(self, found: FoundSource | Failure) -> FoundSource | Failure:
        """A source with the labels and readers that the lister gives it: never more readers than `within` allows."""
        if isinstance(found, Failure) or (found.listed.labels is None and found.listed.access is None):
            return found
        listed, marks = found.listed, found.marks
        if listed.labels is not None:
            marks = replace(marks, labels={**listed.labels, **(marks.labels or {})})
        if listed.access is None:
            return replace(found, marks=marks)
        within = self._seen[listed.uri].within if marks.access is None else marks.access
        access = _narrowed(listed, within)
        if access is None:
            self._closed.add(listed.uri)
            return _closed(listed, within)
        # Without its address: the catalog stores the access that the run gives to it, not that of a single source.
        return replace(found, marks=replace(marks, access=access), address="")

    @property
    def cursors(self) -> tuple[Cursor, ...]:
        """After `found` ended: where the next listings may continue, of those that did not fail."""
        return tuple(
            Cursor(address=listing.address, text=text, mark=listing.mark)
            for number, listing in enumerate(self._listings)
            if listing.mark and number not in self._failed and (listing.goes_on or listing.lister.complete())
            if (text := self._cursors.get(number, ""))
        )

    def beside(self, found: FoundSource) -> Inherited:
        """What a found source inherits from its neighbours if it is new."""
        return self._seen[found.listed.uri].beside(found.listed.uri)

    def removal(self, known: Known, *, share: float) -> Removal:
        """After `found` ended: the known sources that are gone, unless they are more than `share` of all."""
        listers = [listing.lister for listing in self._listings]
        partial = [
            listing.lister
            for number, listing in enumerate(self._listings)
            if listing.is_partial and number not in self._failed
        ]
        whole = all(lister.complete() or lister in partial for lister in listers)
        owns = self._owner and whole and not self._failed
        reported = known.among(sorted(self._gone - set(self._seen)))
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
        removal = guarded(
            chain(reported, missing()), known=known.count, share=share, remarks=(remark,) if remark else ()
        )
        return replace(removal, left_out=tuple(left_out), behind=tuple(behind), since=self._since)

    def _spoken_for(self) -> list[str]:
        """Where known sources may be gone: below what was listed completely, and where something was excluded.

        An address that was itself listed is a file or a page, and nothing lies below it; lists and sitemaps listed
        all that they cover.
        """
        whole = [listing for listing in self._listings if listing.lister.complete()]
        listed = [listing.address for listing in whole if not listing.mark and listing.address not in self._seen]
        schemes = [
            f"{scheme_of(listing.address)}://" for listing in whole if listing.mark
        ]  # its lister says what it covers
        return [address for address in (*listed, *schemes, *self._left_out) if address]

    def _is_behind(self, uri: str) -> bool:
        return bool(self._left_out) and any(parent in self._left_out for parent in _parents(uri))


def _parents(uri: str) -> Iterator[str]:
    """The folders that contain a URI, innermost first."""
    while (end := uri.rfind("/")) > 0:
        uri = uri[:end]
        yield uri


def _narrowed(listed: Listed, within: Access | None) -> Access | None:
    """The access of a source: what both its listing and the run, or an earlier one, allow; None: nobody is left."""
    if listed.access == "everybody":
        return within
    return narrowest([listed.access or None, within])


def _closed(listed: Listed, within: Access | None) -> Failure:
    why = "names nobody who may see it"
    if listed.access:
        why = f"lets only {readers(frozenset(listed.access))} see it, and here only "
        why += f"{readers(within)} may" if within else "readers may of whom it is not known who they are"
    message = f"nobody may see it: its source {why}"
    return Failure(uri=listed.uri, stage="discover", kind=ExcludedSource.__name__, message=message, retryable=False)


def _check_same_readers(uri: str, first: Listing, second: Listing) -> None:
    first_access, second_access = first.marks.access, second.marks.access
    if first_access is None or second_access is None or first_access == second_access:
        return
    raise SettingsError(
        f"{shown(uri)!r} is listed by {first.name}, for {readers(first_access)}, and by {second.name}, "
        f"for {readers(second_access)}; leave it out of one of them (exclude), or set {FIRST_DECIDES}"
    )
