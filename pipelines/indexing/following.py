"""Keeping indexes in step with the catalog: opening them, replaying what they miss, setting damaged ones aside."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Generic, TypeVar

import numpy as np

from penstock.catalog import Collection
from penstock.errors import DamagedIndex, IndexingError, RevisionGone
from penstock.model import Candidate, Change, Scope
from penstock.pipelines.indexing.rebuilding import Rebuilds
from penstock.pipelines.indexing.storage import IndexPlace
from penstock.ports import Float32Array, Index, ServerIndex

log = logging.getLogger(__name__)

QueryT = TypeVar("QueryT")


class Follower(Generic[QueryT]):
    """One index of a collection, which can be built anew in its place at any time."""

    def __init__(self, collection: Collection, kept: IndexPlace[QueryT], rebuilds: Rebuilds) -> None:
        self._collection = collection
        self._kept = kept
        self._rebuilds = rebuilds
        self._refused: IndexingError | None = None
        self._index: Index[QueryT] | None = None
        self._damage: DamagedIndex | None = None

    @property
    def index(self) -> Index[QueryT]:
        """The index as it stands in its place.

        Raises:
            DamagedIndex: its files cannot be read, or a search found them damaged; `catch_up` rebuilds it.
        """
        if self._damage:
            raise self._damage
        if self._index is None:
            self._index = self._kept.open()
        return self._index

    @property
    def revision(self) -> int:
        """The revision at which the index is searched.

        Raises:
            DamagedIndex: its files cannot be read; `catch_up` rebuilds it.
        """
        return self._kept.told(self.index)

    def search(self, query: QueryT, *, k: int, scope: Scope) -> list[Candidate]:
        """What the index finds.

        Raises:
            DamagedIndex: its files cannot be read; `catch_up` rebuilds it.
            IndexingError: they cannot be read, and to rebuild it did not help.
        """
        try:
            return self.index.search(query, k=k, scope=scope)
        except DamagedIndex as error:
            refused, self._refused = self._refused, None
            if refused:
                raise refused from error
            self._damage = error  # some damage shows in the files that a search reads, and not when they are opened
            raise

    def newest(self) -> int:
        """The catalog's revision."""
        return self._collection.revision()

    @property
    def is_behind(self) -> bool:
        """Whether the index does not stand at the catalog's revision, or cannot be read."""
        try:
            return not self._kept.stands_at(self.index, self._collection.revision())
        except DamagedIndex:
            return True

    def catch_up(self, newest: int, *, insist: bool = False) -> None:
        """Replays what the index misses up to the revision `newest`. Only one process at a time calls this.

        An index that is damaged, or that stands ahead of a catalog that was put back from an older copy, is set aside
        and built anew: once an hour for the same cause, unless someone insists. One that stands at a revision that was
        compacted away gets all that is live, as one change.

        Raises:
            IndexingError: the index cannot be written, or was built anew for the same cause just before.
        """
        try:
            index = self.index
            since = index.revision
        except DamagedIndex as error:
            self._rebuild_for(str(error), newest, insist=insist)
            return
        if since > newest:
            cause = f"the index stands at revision {since}, ahead of the catalog at {newest}"
            self._rebuild_for(cause, newest, insist=insist)
        elif since < newest:
            try:
                change = self._collection.change(since, to=newest, vectors=index.wants_vectors)
            except RevisionGone:  # what became different since then is not known any more
                change = self._everything(index, since, newest)
            index.apply(change)

    def _everything(self, index: Index[QueryT], since: int, newest: int) -> Change:
        """All that is live, in place of all that the index holds; it is not damaged, so it stays where it is."""
        whole = self._collection.change(0, to=newest, vectors=index.wants_vectors)
        gone = np.setdiff1d(index.rows(), self._collection.live_rows(at=newest))
        return replace(whole, since=since, removed=tuple(gone.tolist()))

    def _rebuild_for(self, cause: str, revision: int, *, insist: bool) -> None:
        if not insist:
            try:
                self._rebuilds.begin(cause)
            except IndexingError as error:
                self.close()  # the next search looks at the files again: perhaps they can be read then
                self._refused = error
                raise
        log.warning("an index of %s is built anew: %s", self._collection.name, cause)
        self.rebuild(revision)

    def rebuild(self, revision: int | None = None) -> None:
        """Builds the index anew from the catalog; the present one is set aside or replaced, as its place has it.

        It stands at that revision then, or at the newest.

        Raises:
            IndexingError: the index cannot be written.
        """
        index = self.anew()
        try:
            index.apply(self._collection.change(0, to=revision, vectors=index.wants_vectors))
        finally:
            index.close()

    def anew(self) -> Index[QueryT]:
        """An empty index, to be filled in place of the present one.

        Raises:
            IndexingError: no room can be made for it.
        """
        self.close()
        return self._kept.anew()

    def count(self) -> int:
        """How many chunks the index holds."""
        return self._kept.count(self.index)

    def rejected(self) -> Mapping[int, str]:
        """Rows that cannot be found because the index refused what they say, with the reasons."""
        return self._kept.rejected()

    def close(self) -> None:
        """Lets go of the index's files."""
        self._damage = self._refused = None
        if self._index is not None:
            self._index.close()
            self._index = None


class Followers:
    """The keyword index and the vector index of one collection."""

    def __init__(
        self,
        keyword: Follower[Sequence[str]],
        vector: Follower[Float32Array],
        *,
        joint: ServerIndex | None = None,
    ) -> None:
        self.keyword = keyword
        self.vector = vector
        self.joint = joint
        """Where one store holds both: what answers both legs with one request."""

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

    def catch_up(self, *, insist: bool = False) -> None:
        """Brings both to the catalog's revision: to the same one, also while another machine commits.

        Raises:
            IndexingError: one of them cannot be written, or was built anew for the same cause just before.
        """
        newest = self.keyword.newest()
        self.keyword.catch_up(newest, insist=insist)
        self.vector.catch_up(newest, insist=insist)

    def counts(self) -> tuple[int, int]:
        """Chunks in the keyword index and in the vector index."""
        return self.keyword.count(), self.vector.count()

    def close(self) -> None:
        """Lets go of the files of both."""
        self.keyword.close()
        self.vector.close()
