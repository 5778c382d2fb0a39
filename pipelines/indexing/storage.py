"""Where an index is stored, in a folder or on servers, and how a new index replaces it there."""

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
    """The folder of a collection's indexes, locks and record of rebuilds.

    It has the name that the collection was created with, so that renaming a collection is one write to the catalog.
    """
    return home / "collections" / f"{collection.origin}-{collection.uid}"


@runtime_checkable
class ShowsRevision(Protocol):
    """An index whose searches may see a later revision than its own."""

    @property
    def visible_revision(self) -> int:
        """The revision that searches see."""
        ...


@runtime_checkable
class Counting(Protocol):
    """An index that counts its rows without listing them."""

    def count(self) -> int:
        """How many rows it holds."""
        ...


class IndexPlace(Protocol[QueryT]):
    """Where one index is stored, and how it is opened and replaced there."""

    changes_places_itself: bool
    """Whether a new index replaces the present one as soon as it is filled, and not with `put_in_place`."""

    def open(self) -> Index[QueryT]:
        """Opens the stored index.

        Raises:
            DamagedIndex: it cannot be read; some indexes raise that with their first use.
        """
        ...

    def replacement(self) -> Index[QueryT]:
        """An empty index beside the present one; deletes an unfinished one.

        Raises:
            IndexingError: it cannot be made.
        """
        ...

    def put_in_place(self) -> None:
        """Replaces the present index by the complete new one.

        Raises:
            IndexingError: it cannot be replaced; the present one stays.
        """
        ...

    def mark(self) -> object:
        """A value that changes when a new index replaces the present one."""
        ...

    def visible_revision(self, index: Index[QueryT]) -> int:
        """The revision that searches see: later than the index's own while removed chunks are still being deleted."""
        ...

    def is_at(self, index: Index[QueryT], revision: int) -> bool:
        """Whether the opened index is at the revision, by a cheap check; its next search knows for certain."""
        ...

    def count(self, index: Index[QueryT]) -> int:
        """How many rows the opened index holds."""
        ...

    def rejected(self) -> Mapping[int, str]:
        """Rows that the index refused, so that searches do not find them, with the reasons."""
        ...


class InFolder(Generic[QueryT]):
    """An index in a folder, which is moved away when a new one, built in a folder beside it, replaces it."""

    changes_places_itself = False

    def __init__(self, folder: Path, make: Callable[[Path], Index[QueryT]]) -> None:
        self._folder = folder
        self._make = make

    def open(self) -> Index[QueryT]:
        """The index of the folder."""
        return self._make(self._folder)

    def replacement(self) -> Index[QueryT]:
        """An empty index in a folder beside the present one; deletes what a build that was killed left there.

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
        """Replaces the present folder by the new one; the old one is moved away.

        Raises:
            IndexingError: the folders cannot be renamed.
        """
        put_in_place(self._beside, self._folder)

    def mark(self) -> object:
        """The inode of the folder; None where there is no folder."""
        try:
            return self._folder.stat().st_ino
        except OSError:
            return None

    @property
    def _beside(self) -> Path:
        return self._folder.with_name(f"{self._folder.name}{BUILDING}")

    def visible_revision(self, index: Index[QueryT]) -> int:
        """The revision that searches see: while an index is written, that may already be the next one."""
        return index.visible_revision if isinstance(index, ShowsRevision) else index.revision

    def is_at(self, index: Index[QueryT], revision: int) -> bool:
        """Whether the index is at the revision: reads one file."""
        return index.revision == revision

    def count(self, index: Index[QueryT]) -> int:
        """How many rows it holds."""
        return index.count() if isinstance(index, Counting) else len(index.rows())

    def rejected(self) -> Mapping[int, str]:
        """Empty: an index in a folder refuses nothing."""
        return {}


class OnServers(Generic[QueryT]):
    """An index on servers, where a new index replaces the present one as soon as it is complete."""

    changes_places_itself = True

    def __init__(self, store: ServerIndex, index: Index[QueryT], anew: Callable[[], Index[QueryT]]) -> None:
        self._store = store
        self._index = index
        self._anew = anew

    def open(self) -> Index[QueryT]:
        """The index; its first use calls the servers."""
        return self._index

    def replacement(self) -> Index[QueryT]:
        """An empty index, which is not searched before it is filled."""
        return self._anew()

    def put_in_place(self) -> None:
        """Does nothing: the index replaced the old one when it was filled."""

    def mark(self) -> object:
        """Always the same: the index itself finds out which version is live."""
        return None

    def visible_revision(self, index: Index[QueryT]) -> int:
        """The revision that the servers report now."""
        del index
        return self._store.visible_revision

    def is_at(self, index: Index[QueryT], revision: int) -> bool:
        """Whether the last search saw that revision, or the servers report it now."""
        del index
        return self._store.is_at(revision)

    def count(self, index: Index[QueryT]) -> int:
        """How many rows it holds, as the servers count them."""
        del index
        return self._store.count()

    def rejected(self) -> Mapping[int, str]:
        """The rows that the servers refused."""
        return self._store.rejected()
