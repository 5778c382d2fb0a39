"""Access of a new source for which nobody named readers: never more readers than what it comes from has.

In this order: the access last given to its address or to a folder above it; the access it had before it was removed;
the access of its neighbours, where none was given to those either; the access of the same bytes elsewhere; everybody.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

from penstock.catalog import Collection
from penstock.catalog.commit.addresses import folders_of, last_given
from penstock.model import EVERYBODY, Access, narrowest
from penstock.ports import Lister

PAGE = 1000
"""Sources below a folder that are looked at together."""
UNKNOWN = (
    "it is not known who may see it: nobody said, and its neighbours have no reader in common; ingest it again with "
    "--access or --everybody, or set access of its entry in penstock.toml"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inherited:
    """Who may see a source that is new."""

    access: Access | None = EVERYBODY
    """None where that is not known: then the source is not ingested."""
    decided: bool = False
    """Whether that is final; else exact copies of the source elsewhere count too."""


NOTHING_SAID = Inherited()
Neighbours = Callable[[str], Inherited]
"""What a source inherits from its neighbours, by its URI."""


def no_neighbours(_uri: str) -> Inherited:
    """Nothing is inherited from neighbours."""
    return NOTHING_SAID


class Inheritance:
    """The stored access of the addresses of some sources, and of removed sources among them."""

    def __init__(self, collection: Collection, uris: Sequence[str], *, restricts: bool | None = None) -> None:
        """`restricts`: whether the collection hid anything from anybody before the run; by default it is asked now."""
        self._given = collection.given(uris)
        self._removed = collection.access_of_removed(uris)
        self._restricts = collection.restricts() if restricts is None else restricts

    def of(self, uri: str, *, tried: Access, beside: Inherited) -> Inherited:
        """What a new source inherits; `tried` is from when it could not be read, `beside` from its neighbours."""
        given = last_given(uri, self._given)
        if given is not None:
            return Inherited(access=given.access, decided=True)
        if uri in self._removed:
            return Inherited(access=self._removed[uri], decided=True)
        if tried:
            return Inherited(access=tried, decided=True)
        return beside if self._restricts else replace(beside, decided=True)


def neighbours_of(collection: Collection, address: str, lister: Lister) -> Neighbours:
    """What is inherited below an address from present sources whose addresses were given no access.

    Such sources are in catalogs written before the access of addresses was stored; they come from lists, sitemaps,
    programs and renamed folders. They are read when the first new source asks.
    """
    folder = next(iter(folders_of(address)), "") if lister.covers(address) else address
    if not folder.startswith("file:"):
        return no_neighbours
    return _Around(collection, address, folder).of


def named_by(collection: Collection, address: str) -> Neighbours:
    """What the pages of a list or a sitemap inherit: the access last given to the list itself."""
    given = last_given(address, collection.given([address]))
    if given is None:
        return no_neighbours
    inherited = Inherited(access=given.access, decided=True)
    return lambda _uri: inherited


class _Around:
    """The sources below a folder, as they were when this was made."""

    def __init__(self, collection: Collection, address: str, folder: str) -> None:
        self._collection = collection
        self._address = address
        self._folder = folder
        self._revision = collection.revision()

    def of(self, uri: str) -> Inherited:
        return _nearest(self._direct, self._folder, uri) if self._direct else NOTHING_SAID

    @cached_property
    def _direct(self) -> Mapping[str, set[Access]]:
        """Access of sources directly in each folder that were given none; empty where everybody sees all of them."""
        collection = self._collection
        if not collection.restricts() or last_given(self._address, collection.given([self._address])):
            return {}
        direct: dict[str, set[Access]] = defaultdict(set)
        below = collection.access_below(self._folder, at=self._revision)
        while page := dict(islice(below, PAGE)):
            given = collection.given(list(page))
            for uri, access in page.items():
                if last_given(uri, given) is None:
                    direct[next(iter(folders_of(uri)))].add(access)
        return direct if any(any(several) for several in direct.values()) else {}


def _nearest(direct: Mapping[str, set[Access]], root: str, uri: str) -> Inherited:
    """The readers that all sources in the nearest folder with any share; where none has any, all below the root."""
    near: Iterable[Access] = (access for several in direct.values() for access in several)
    for folder in folders_of(uri):
        if folder in direct:
            near = direct[folder]
        if folder in direct or folder == root:
            break
    access = narrowest(near)
    return Inherited(access=access, decided=access != EVERYBODY)


def access_of_copies(copies: Sequence[Access]) -> Access:
    """Access of a source whose bytes are in the collection already: all readers of the copies, and nobody else.

    >>> sorted(access_of_copies([frozenset({"ann"}), frozenset({"bob"})])), access_of_copies([])
    (['ann', 'bob'], frozenset())
    """
    return EVERYBODY if EVERYBODY in copies else frozenset[str]().union(*copies)
