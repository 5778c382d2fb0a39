"""Keeping indexes in step with the catalog: opening them, replaying what they miss, setting damaged ones aside."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

from penstock.catalog import Collection
from penstock.errors import DamagedIndex, IndexingError
from penstock.model import Candidate, Scope
from penstock.ports import Float32Array, Index

QueryT = TypeVar("QueryT")


class Follower(Generic[QueryT]):
    """One index of a collection, and the folder that it can be rebuilt in at any time."""

    def __init__(self, collection: Collection, folder: Path, make: Callable[[Path], Index[QueryT]]) -> None:
        self._collection = collection
        self._folder = folder
        self._make = make
        self._index: Index[QueryT] | None = None
        self._damage: DamagedIndex | None = None

    @property
    def index(self) -> Index[QueryT]:
        """The index as it stands on disk.

        Raises:
            DamagedIndex: its files cannot be read, or a search found them damaged; `catch_up` rebuilds it.
        """
        if self._damage:
            raise self._damage
        if self._index is None:
            self._index = self._make(self._folder)
        return self._index

    @property
    def revision(self) -> int:
        """The revision at which the index stands.

        Raises:
            DamagedIndex: its files cannot be read; `catch_up` rebuilds it.
        """
        return self.index.revision

    def search(self, query: QueryT, *, k: int, scope: Scope) -> list[Candidate]:
        """What the index finds.

        Raises:
            DamagedIndex: its files cannot be read; `catch_up` rebuilds it.
        """
        try:
            return self.index.search(query, k=k, scope=scope)
        except DamagedIndex as error:
            self._damage = error  # some damage shows in the files that a search reads, and not when they are opened
            raise

    @property
    def is_behind(self) -> bool:
        """Whether the index does not stand at the catalog's revision, or cannot be read."""
        try:
            return self.revision != self._collection.revision()
        except DamagedIndex:
            return True

    def catch_up(self) -> None:
        """Replays what the index misses. Only the writer calls this.

        An index that is damaged, or that stands ahead of a catalog that was put back from an older copy, is set aside
        and built anew.

        Raises:
            IndexingError: the index cannot be written.
        """
        newest = self._collection.revision()
        try:
            index = self.index
            since = index.revision
        except DamagedIndex:
            index, since = self.rebuild(), 0
        if since > newest:
            index, since = self.rebuild(), 0
        if since < newest:
            index.apply(self._collection.change(since, vectors=index.wants_vectors))

    def rebuild(self) -> Index[QueryT]:
        """An empty index in place of the present one, whose folder is renamed and never deleted.

        Raises:
            IndexingError: the folder cannot be renamed.
        """
        self.close()
        if self._folder.exists():
            stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
            try:
                self._folder.rename(self._folder.with_name(f"{self._folder.name}.aside-{stamp}"))
            except OSError as error:
                raise IndexingError(f"{str(self._folder)!r} cannot be set aside: {error.strerror}") from error
        return self.index

    def close(self) -> None:
        """Lets go of the index's files."""
        self._damage = None
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
            return min(self.keyword.revision, self.vector.revision) > 0
        except DamagedIndex:
            return False

    def catch_up(self) -> None:
        """Brings both to the catalog's revision.

        Raises:
            IndexingError: one of them cannot be written.
        """
        self.keyword.catch_up()
        self.vector.catch_up()

    def counts(self) -> tuple[int, int]:
        """Chunks in the keyword index and in the vector index."""
        return len(self.keyword.index.rows()), len(self.vector.index.rows())

    def close(self) -> None:
        """Lets go of the files of both."""
        self.keyword.close()
        self.vector.close()
