"""Where an index is kept, and how room is made there for a new one: in a folder, or on servers."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, Protocol, TypeVar, runtime_checkable

from penstock.catalog import Collection
from penstock.errors import IndexingError
from penstock.pipelines.indexing.set_aside import BUILDING, put_in_place
from penstock.ports import Index, ServerIndex

QueryT = TypeVar("QueryT")


def place_of(home: Path, collection: Collection) -> Path:
    """The folder in which the indexes of a collection are kept, and what is noted of them.

    It bears the name that the collection was made with, so that a collection is renamed by one write to the catalog.
    """
    return home / "collections" / f"{collection.origin}-{collection.uid}"


@runtime_checkable
class Telling(Protocol):
    """An index whose searches may see a later revision than the one that it is marked with."""

    @property
    def told(self) -> int:
        """The revision that searches see."""
        ...


@runtime_checkable
class Counting(Protocol):
    """An index that knows how many rows it holds without naming them."""

    def count(self) -> int:
        """How many rows it holds."""
        ...


class IndexPlace(Protocol[QueryT]):
    """Where one index is stored, and how it is opened and replaced there."""

    changes_places_itself: bool
    """Whether a new one takes the place of the present one as soon as it was filled, and not when it is told to."""

    def open(self) -> Index[QueryT]:
        """Opens the stored index.

        Raises:
            DamagedIndex: it cannot be read; or its first use says so.
        """
        ...

    def anew(self) -> Index[QueryT]:
        """An empty index beside the present one; what was begun there before is gone.

        Raises:
            IndexingError: no room can be made.
        """
        ...

    def put_in_place(self) -> None:
        """Puts what was built beside, and is whole, in the place of the present index.

        Raises:
            IndexingError: it cannot be put there; the present one stays.
        """
        ...

    def mark(self) -> object:
        """What is another one as soon as a new index has taken the place of the present one."""
        ...

    def told(self, index: Index[QueryT]) -> int:
        """The revision that searches of the opened index see: later than its own while what is gone is taken out."""
        ...

    def stands_at(self, index: Index[QueryT], revision: int) -> bool:
        """Whether the opened index stands at the revision, as far as can be told cheaply: its next search knows."""
        ...

    def count(self, index: Index[QueryT]) -> int:
        """How many rows the opened index holds."""
        ...

    def rejected(self) -> Mapping[int, str]:
        """Rows that are held and cannot be found, because the index would not take what they say, with the reasons."""
        ...


class InFolder(Generic[QueryT]):
    """An index in a folder, which is set aside when a new one, built in a folder beside it, takes its place."""

    changes_places_itself = False

    def __init__(self, folder: Path, make: Callable[[Path], Index[QueryT]]) -> None:
        self._folder = folder
        self._make = make

    def open(self) -> Index[QueryT]:
        """The index of the folder."""
        return self._make(self._folder)

    def anew(self) -> Index[QueryT]:
        """An empty index in a folder beside; what a process left there that died while it built is deleted.

        Raises:
            IndexingError: that cannot be deleted.
        """
        try:
            if self._beside.exists():
                shutil.rmtree(self._beside)
        except OSError as error:
            raise IndexingError(f"{str(self._beside)!r} cannot be deleted: {error.strerror}") from error
        return self._make(self._beside)

    def put_in_place(self) -> None:
        """Puts the folder that was built beside in the place of the present one, which is set aside.

        Raises:
            IndexingError: the folders cannot be renamed.
        """
        put_in_place(self._beside, self._folder)

    def mark(self) -> object:
        """The number of the folder; None where there is none."""
        try:
            return self._folder.stat().st_ino
        except OSError:
            return None

    @property
    def _beside(self) -> Path:
        return self._folder.with_name(f"{self._folder.name}{BUILDING}")

    def told(self, index: Index[QueryT]) -> int:
        """Its own revision, or what it says itself: one that is being written may show the next already."""
        return index.told if isinstance(index, Telling) else index.revision

    def stands_at(self, index: Index[QueryT], revision: int) -> bool:
        """Whether the index stands there: a look at one file."""
        return index.revision == revision

    def count(self, index: Index[QueryT]) -> int:
        """How many rows it holds."""
        return index.count() if isinstance(index, Counting) else len(index.rows())

    def rejected(self) -> Mapping[int, str]:
        """None: an index of ours takes everything."""
        return {}


class OnServers(Generic[QueryT]):
    """An index on servers, where a new one is built beside the present one and takes its place when it is complete."""

    changes_places_itself = True

    def __init__(self, store: ServerIndex, index: Index[QueryT], anew: Callable[[], Index[QueryT]]) -> None:
        self._store = store
        self._index = index
        self._anew = anew

    def open(self) -> Index[QueryT]:
        """The index; the servers are asked at its first use."""
        return self._index

    def anew(self) -> Index[QueryT]:
        """An empty index, which nobody searches before it is filled."""
        return self._anew()

    def put_in_place(self) -> None:
        """Nothing: it took its place when it was filled."""

    def mark(self) -> object:
        """Always the same: which version is live, the index finds out by itself."""
        return None

    def told(self, index: Index[QueryT]) -> int:
        """What the servers say now."""
        del index
        return self._store.told

    def stands_at(self, index: Index[QueryT], revision: int) -> bool:
        """Whether the last search saw it there, or the servers say so now."""
        del index
        return self._store.stands_at(revision)

    def count(self, index: Index[QueryT]) -> int:
        """How many rows it holds, as the servers count them."""
        del index
        return self._store.count()

    def rejected(self) -> Mapping[int, str]:
        """What the servers refused."""
        return self._store.rejected()
