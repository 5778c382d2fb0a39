"""Keeping indexes in step with the catalog: opening them, replaying what they miss, setting damaged ones aside."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

from penstock.catalog import Collection
from penstock.errors import DamagedIndex
from penstock.ports import Float32Array, Index

QueryT = TypeVar("QueryT")


class Follower(Generic[QueryT]):
    """One index of a collection, and the folder that it can be rebuilt in at any time."""

    def __init__(self, collection: Collection, folder: Path, make: Callable[[Path], Index[QueryT]]) -> None:
        self._collection = collection
        self._folder = folder
        self._make = make
        self._index: Index[QueryT] | None = None

    @property
    def index(self) -> Index[QueryT]:
        """The index as it stands on disk.

        Raises:
            DamagedIndex: its files cannot be read; `catch_up` rebuilds it.
        """
        if self._index is None:
            self._index = self._make(self._folder)
        return self._index

    @property
    def is_behind(self) -> bool:
        """Whether the catalog has revisions that the index has not applied, or the index cannot be read."""
        try:
            return self.index.revision < self._collection.revision()
        except DamagedIndex:
            return True

    def catch_up(self) -> None:
        """Replays what the index misses; a damaged index is set aside and built anew. Only the writer calls this.

        Raises:
            IndexingError: the index cannot be written.
        """
        try:
            index = self.index
        except DamagedIndex:
            index = self.rebuild()
        since = index.revision
        if since < self._collection.revision():
            index.apply(self._collection.change(since, vectors=index.wants_vectors))

    def rebuild(self) -> Index[QueryT]:
        """An empty index in place of the present one, whose folder is renamed and never deleted."""
        self.close()
        if self._folder.exists():
            stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
            self._folder.rename(self._folder.with_name(f"{self._folder.name}.aside-{stamp}"))
        return self.index

    def close(self) -> None:
        """Lets go of the index's files."""
        if self._index is not None:
            self._index.close()
            self._index = None


class Followers:
    """The keyword index and the vector index of one collection."""

    def __init__(self, keyword: Follower[Sequence[str]], vector: Follower[Float32Array]) -> None:
        self.keyword = keyword
        self.vector = vector

    @property
    def are_behind(self) -> bool:
        """Whether a search would miss revisions of the catalog."""
        return self.keyword.is_behind or self.vector.is_behind

    @property
    def are_usable(self) -> bool:
        """Whether a search can be answered at all, if of an earlier revision."""
        try:
            return min(self.keyword.index.revision, self.vector.index.revision) > 0
        except DamagedIndex:
            return False

    def catch_up(self) -> None:
        """Brings both to the catalog's revision."""
        self.keyword.catch_up()
        self.vector.catch_up()

    def counts(self) -> tuple[int, int]:
        """Chunks in the keyword index and in the vector index."""
        return len(self.keyword.index.rows()), len(self.vector.index.rows())

    def close(self) -> None:
        """Lets go of the files of both."""
        self.keyword.close()
        self.vector.close()
