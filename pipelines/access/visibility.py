"""A collection as a reader sees it: hidden sources look as if they did not exist."""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from penstock.catalog import Collection, Quarantined, StoredDocument
from penstock.errors import UnknownName, UsageError
from penstock.loaders import address_of, as_shown, is_connected, shown, uri_of
from penstock.model import Access, Filter, may_see

PAGE = 500
"""Sources that are looked up together."""
NAMED = 20
"""Known sources that the error about an unknown name lists."""


def principals_of(given: Iterable[str] | None) -> frozenset[str] | None:
    """Principals by name, one or several; None where nobody is named, which differs from naming no principals."""
    return None if given is None else frozenset([given] if isinstance(given, str) else given)


def access_of(given: Iterable[str] | None) -> Access | None:
    """Who may see what is ingested; None where that is not given.

    Raises:
        UsageError: a name is blank, as an unset variable of a script is.
    """
    access = principals_of(given)
    if access is not None and not all(name.strip() for name in access):
        raise UsageError(
            "the name of a principal in access is blank; for what everybody may see: --everybody, in Python access=()"
        )
    return access


class View:
    """What a reader sees of a collection; None as principals restricts nothing."""

    def __init__(self, collection: Collection, principals: frozenset[str] | None, *, names: bool = True) -> None:
        """Without `names`, errors list no known sources."""
        self.collection = collection
        self.principals = principals
        self.where = Filter(principals=principals)
        self._names = names

    def document(self, wanted: str) -> StoredDocument:
        """A document by id (or its unique beginning), URI, path, or shown address, where no other is shown the same.

        Raises:
            UnknownName: there is none, or none that the reader sees: both look the same.
            UsageError: several ids begin so.
        """
        for name in (wanted, uri_of(wanted)):
            if found := self.collection.document(name, where=self.where):
                return found
        for uri in as_shown((known.source.uri for known in self.collection.sources(where=self.where)), wanted):
            if found := self.collection.document(uri, where=self.where):
                return found
        raise UnknownName("document", shown(wanted), self._known())

    def below(self, address: str) -> list[str]:
        """URIs of the sources at an address and, were it a folder, below it; also of those that could not be read.

        Raises:
            UnknownName: there is none, or none that the reader sees: both look the same.
        """
        named = [address] if self.collection.known(address) or self.collection.quarantined(address) else []
        folder = address_of(address) if is_connected(address) else uri_of(address)
        below = sorted({*self._seen(named), *self._seen(self.collection.known_uris([folder]))})
        below = below or as_shown(self._seen(self.collection.known_uris()), address)
        if not below:
            raise UnknownName("source", shown(address), self._known())
        return below

    def _seen(self, uris: Iterable[str]) -> Iterator[str]:
        """Those of known sources that the reader sees, by their access when they were last read, else last tried."""
        uris = iter(uris)
        while page := list(islice(uris, PAGE)):
            if self.principals is None:
                yield from page
                continue
            access = {failed.source.uri: failed.source.access for failed in self.collection.quarantine(page)}
            access.update((uri, known.source.access) for uri, known in self.collection.known_map(page).items())
            yield from (uri for uri in page if uri in access and may_see(access[uri], self.principals))

    def quarantine(self) -> tuple[Quarantined, ...]:
        """Sources that could not be read, which the reader sees both as tried and, if so, as read before."""
        kept = self.collection.quarantine()
        if self.principals is None:
            return kept
        known = self.collection.known_map([failed.source.uri for failed in kept])
        return tuple(
            failed
            for failed in kept
            if may_see(failed.source.access, self.principals)
            and (failed.source.uri not in known or may_see(known[failed.source.uri].source.access, self.principals))
        )

    def rows(self) -> NDArray[np.int64] | None:
        """Rows of the chunks that the reader sees, sorted, shape (n,), int64; None where the reader sees all."""
        if not self._names and self.principals is None:
            return np.empty(0, np.int64)
        return self.collection.scope(self.where).rows()

    def _known(self) -> list[str]:
        if not self._names:
            return []
        sources = self.collection.sources(where=self.where)
        return [shown(known.source.uri) for known, _ in zip(sources, range(NAMED), strict=False)]
