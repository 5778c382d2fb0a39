"""Who may see a new source of which nobody said who may: never more readers than those of what it comes from.

In this order: what was said last of its address or of a folder above it; who could see it before it was gone; who may
see its neighbours, where nothing was said of those either; who may see the same bytes elsewhere; everybody.
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
    """None where that is not known: then it stays out."""
    decided: bool = False
    """Whether that holds whatever the source says; else exact copies of it elsewhere count too."""


NOTHING_SAID = Inherited()
Neighbours = Callable[[str], Inherited]
"""What a source inherits from those around it, by its URI."""


def no_neighbours(_uri: str) -> Inherited:
    """Nothing is inherited from neighbours."""
    return NOTHING_SAID


class Inheritance:
    """What the catalog remembers of the addresses of some sources, and of those among them that are gone."""

    def __init__(self, collection: Collection, uris: Sequence[str], *, restricts: bool | None = None) -> None:
        """`restricts` is what the collection said of that before the run; by default it is asked now."""
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
    """What is inherited below an address from sources of which nothing is remembered, as they are now.

    Those are of catalogs that were written before addresses were remembered, of lists, sitemaps and programs, and
    what came from renamed folders. They are looked at when the first new source asks.
    """
    folder = next(iter(folders_of(address)), "") if lister.covers(address) else address
    if not folder.startswith("file:"):
        return no_neighbours
    return _Around(collection, address, folder).of


def named_by(collection: Collection, address: str) -> Neighbours:
    """What is inherited by the pages of a list or a sitemap: what was said last of the list itself."""
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
        """Who sees what lies right in each folder, of that of which nothing was said; empty where all see all of it."""
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
    """The readers in common of those in the nearest folder that has any; at last, of all below the root."""
    near: Iterable[Access] = (access for several in direct.values() for access in several)
    for folder in folders_of(uri):
        if folder in direct:
            near = direct[folder]
        if folder in direct or folder == root:
            break
    access = narrowest(near)
    return Inherited(access=access, decided=access != EVERYBODY)


def access_of_copies(copies: Sequence[Access]) -> Access:
    """Who sees bytes that are elsewhere already: one more source of them shows them to nobody else.

    >>> sorted(access_of_copies([frozenset({"ann"}), frozenset({"bob"})])), access_of_copies([])
    (['ann', 'bob'], frozenset())
    """
    return EVERYBODY if EVERYBODY in copies else frozenset[str]().union(*copies)
