"""Finds the sources that a run shows to more readers: known ones than before, new ones than see their neighbours."""

from collections.abc import Mapping, Sequence
from functools import cached_property

from penstock.catalog import Collection, KnownSource, Upsert
from penstock.catalog.commit.addresses import folders_of
from penstock.loaders import shown
from penstock.model import Access, is_wider, lets_in

NAMED = 3
"""Sources that an attention line names; the count is always whole."""


class Widening:
    """Compares what a run is about to commit with the collection as it was before the run."""

    def __init__(self, collection: Collection, run: int) -> None:
        self._collection = collection
        self._run = run
        self._around: dict[str, Mapping[Access, int]] = {}
        self.opened: list[str] = []
        """URIs of known sources that more readers see than before."""
        self.exposed: list[str] = []
        """URIs of new sources that all readers of most of their neighbours see, and more."""

    def known(self, upserts: Sequence[Upsert]) -> Mapping[str, KnownSource]:
        """What the catalog holds of the sources before the upserts are committed; empty where everybody sees all."""
        return self._collection.known_map([upsert.source.uri for upsert in upserts]) if self._restricts else {}

    def look(self, upserts: Sequence[Upsert], known: Mapping[str, KnownSource]) -> None:
        """Notes which upserts show a source to more readers; `known` is what the catalog held of their sources."""
        for upsert in upserts if self._restricts else ():
            uri, access = upsert.source.uri, upsert.source.access
            before = known.get(uri)
            if before is None:
                if self._is_exposed(uri, access):
                    self.exposed.append(uri)
            elif lets_in(access, before.source.access):
                self.opened.append(uri)

    def _is_exposed(self, uri: str, access: Access) -> bool:
        folder = next(iter(folders_of(uri)), "")
        if folder and folder not in self._around:
            self._around[folder] = self._collection.access_in(folder, before_run=self._run)
        around = self._around.get(folder, {})
        return 2 * sum(count for readers, count in around.items() if is_wider(access, readers)) > sum(around.values())

    @cached_property
    def _restricts(self) -> bool:
        return self._collection.restricts()


def remarks(opened: Sequence[str], exposed: Sequence[str]) -> list[str]:
    """Lines for the report of the run; empty where nothing was shown to more readers."""
    lines = (
        (opened, "known sources are visible to more readers than before"),
        (exposed, "new sources are visible to more readers than their neighbours"),
    )
    return [f"{len(uris)} {change}: {_named(uris)}; --access narrows it again" for uris, change in lines if uris]


def _named(uris: Sequence[str]) -> str:
    named = ", ".join(map(shown, uris[:NAMED]))
    return f"{named} and {len(uris) - NAMED} more" if len(uris) > NAMED else named
