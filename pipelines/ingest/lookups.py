"""Looks up the sources of a run in the catalog, in pages: the cost depends on the run, not on the collection."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from penstock.catalog import Collection
from penstock.model import EVERYBODY, Failure
from penstock.pipelines.access.inheriting import Inheritance, Inherited
from penstock.pipelines.ingest.outcomes import SourceOutcome
from penstock.pipelines.ingest.reading import FoundSource, KnownState, Reader

PAGE = 500
"""Listed sources that are looked up together."""
NEW = KnownState()
"""What is known of a source that the catalog does not hold."""
LookUp = Callable[[Sequence[FoundSource]], Mapping[str, KnownState]]
"""What is known of some listed sources, by URI; unknown ones are absent."""


def known_of(collection: Collection, uris: Sequence[str]) -> Mapping[str, KnownState]:
    """What the catalog holds of some sources, by URI."""
    before = {uri: KnownState(known=known) for uri, known in collection.known_map(uris).items()}
    for failed in collection.quarantine(uris):
        uri = failed.source.uri
        before[uri] = replace(before.get(uri, NEW), failed=failed)
    return before


class Known:
    """Looks up the sources of a collection for a run; knows none where there is no collection yet."""

    def __init__(self, collection: Collection | None) -> None:
        self._collection = collection

    def of(self, found: Sequence[FoundSource]) -> Mapping[str, KnownState]:
        """What is known of listed sources."""
        return known_of(self._collection, [source.listed.uri for source in found]) if self._collection else {}

    def uris(self, addresses: Sequence[str] | None) -> Iterator[str]:
        """URIs of known sources at these addresses and below, or of all, streamed."""
        if self._collection:
            yield from self._collection.known_uris(addresses)

    def among(self, uris: Sequence[str]) -> list[str]:
        """The URIs whose sources are known, in their order."""
        known = known_of(self._collection, uris) if self._collection and uris else {}
        return [uri for uri in uris if uri in known]

    def count(self) -> int:
        """How many sources are known."""
        return self._collection.known_count() if self._collection else 0


class Heirs:
    """The listed sources of a run: looks them up, finds the access that new ones inherit, and reads them."""

    def __init__(self, collection: Collection, beside: Callable[[FoundSource], Inherited], reader: Reader) -> None:
        """`beside` gives what a new source inherits from its neighbours."""
        self._collection = collection
        self._reader = reader
        self._beside = beside
        self._restricts = collection.restricts()
        """As it was before the run changed anything."""

    def settled(self, item: FoundSource, before: KnownState) -> SourceOutcome | None:
        """The outcome, where the listing alone decides it."""
        return self._reader.settled(item, before)

    def read(self, item: FoundSource, before: KnownState) -> SourceOutcome:
        """The outcome of a source, which is read if its listing does not decide that."""
        return self._reader.settled(item, before) or self._reader.read(item, before)

    def known(self, items: Sequence[FoundSource]) -> Mapping[str, KnownState]:
        """What is known of listed sources, and what new ones inherit."""
        found = items
        before = dict(known_of(self._collection, [source.listed.uri for source in found]))
        new = [source for source in found if inherits(source, before.get(source.listed.uri, NEW))]
        if new:
            uris = [source.listed.uri for source in new]
            inheritance = Inheritance(self._collection, uris, restricts=self._restricts)
            for uri, source in zip(uris, new, strict=True):
                failed = before.get(uri, NEW).failed
                tried = failed.source.access if failed else EVERYBODY
                inherited = inheritance.of(uri, tried=tried, beside=self._beside(source))
                before[uri] = KnownState(failed=failed, inherited=inherited)
        return before


def inherits(found: FoundSource, before: KnownState) -> bool:
    """Whether a source is new and its access is not given."""
    return before.known is None and found.marks.access is None


def looked_up(
    listed: Iterable[FoundSource | Failure], look_up: LookUp
) -> Iterator[tuple[FoundSource, KnownState] | Failure]:
    """The items of a listing in order, each source with what is known of it."""
    listed = iter(listed)
    while page := list(islice(listed, PAGE)):
        before = look_up([item for item in page if isinstance(item, FoundSource)])
        for item in page:
            yield item if isinstance(item, Failure) else (item, before.get(item.listed.uri, NEW))
