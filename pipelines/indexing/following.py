"""Keeps indexes in step with the catalog: opens them, replays missing revisions, rebuilds them beside the live ones."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Generic, TypeVar

import numpy as np

from penstock.catalog import Collection
from penstock.catalog.read.kept import KeptRevisions
from penstock.errors import DamagedIndex, IndexingError, RevisionGone
from penstock.model import Candidate, Change, Scope
from penstock.pipelines.indexing.rebuilding import Rebuilds, now
from penstock.pipelines.indexing.storage import IndexPlace
from penstock.pipelines.indexing.turns import Turns
from penstock.ports import Float32Array, Index, ServerIndex

log = logging.getLogger(__name__)

QueryT = TypeVar("QueryT")


class Follower(Generic[QueryT]):
    """One index of a collection; it can be rebuilt at any time, and the old one is searched until then."""

    def __init__(self, collection: Collection, kept: IndexPlace[QueryT], rebuilds: Rebuilds, turns: Turns) -> None:
        self._collection = collection
        self._kept = kept
        self._rebuilds = rebuilds
        self._turns = turns
        self._opened: object = None
        """Identifies the index that was opened: differs once another index has replaced it."""
        self._opened_at = now()
        self._refused: IndexingError | None = None
        self._index: Index[QueryT] | None = None
        self._damage: DamagedIndex | None = None

    @property
    def index(self) -> Index[QueryT]:
        """The index, opened when it is first needed.

        Raises:
            DamagedIndex: its files cannot be read, or a search found them damaged; `catch_up` rebuilds it.
        """
        if self._damage:
            raise self._damage
        index = self._index
        if index is None:
            self._opened, self._opened_at = self._kept.mark(), now()
            index = self._index = self._kept.open()
        return index

    @property
    def revision(self) -> int:
        """The revision at which the index is searched.

        Raises:
            DamagedIndex: its files cannot be read; `catch_up` rebuilds it.
        """
        return self._kept.told(self.index)

    def search(self, query: QueryT, *, k: int, scope: Scope) -> list[Candidate]:
        """The best `k` rows for the query; a vector query has shape (dimension,), float32.

        Raises:
            DamagedIndex: its files cannot be read; `catch_up` rebuilds it.
            IndexingError: they cannot be read, and a rebuild did not help.
        """
        try:
            return self.index.search(query, k=k, scope=scope)
        except DamagedIndex as error:
            refused, self._refused = self._refused, None
            if refused:
                raise refused from error
            self._damage = error  # some damage is found only when a search reads the files, not when they are opened
            raise

    def newest(self) -> int:
        """The catalog's revision."""
        return self._collection.revision()

    def kept(self) -> KeptRevisions:
        """The revisions that the catalog still holds."""
        return self._collection.history.kept()

    def is_behind(self, newest: int) -> bool:
        """Whether the index is not at `newest`, the catalog's revision, or cannot be read."""
        try:
            return not self._kept.stands_at(self.index, newest)
        except DamagedIndex:
            return True

    def catch_up(self, newest: int) -> None:
        """Replays the revisions that the index misses, up to `newest`. Only one process at a time calls this.

        An index at a revision that was compacted away gets all live chunks as one change.

        Raises:
            DamagedIndex: the index is damaged, or ahead of a catalog that was restored from an older copy: it has to
                be rebuilt.
            IndexingError: the index cannot be written.
        """
        self._replay(self.index, newest)

    def _replay(self, index: Index[QueryT], newest: int) -> None:
        since = index.revision
        if since > newest:
            raise DamagedIndex(f"the index is at revision {since}, ahead of the catalog at {newest}")
        if since < newest:
            try:
                change = self._collection.change(since, to=newest, vectors=index.wants_vectors)
            except RevisionGone:  # the changes since then are no longer known
                change = self._everything(index, since, newest)
            index.apply(change)

    def _everything(self, index: Index[QueryT], since: int, newest: int) -> Change:
        """The change that replaces everything in the index by all live chunks; needs no rebuild beside it."""
        whole = self._collection.change(0, to=newest, vectors=index.wants_vectors)
        gone = np.setdiff1d(index.rows(), self._collection.live_rows(at=newest))
        return replace(whole, since=since, removed=tuple(gone.tolist()))

    def mend(self, damage: DamagedIndex, *, insist: bool = False, timeout: float | None = None) -> None:
        """Rebuilds the index because of a damage, unless another process has done so meanwhile.

        Without `insist`, at most once an hour for the same cause.

        Raises:
            IndexingError: the index cannot be written, or was rebuilt for the same cause within the last hour.
            CollectionLocked: another process is still rebuilding it after `timeout` seconds.
        """
        with self._turns.rebuilding(timeout):
            if self._opened != self._kept.mark() or self._rebuilds.has_begun(str(damage), after=self._opened_at):
                self.close()
                return
            if not insist:
                try:
                    self._rebuilds.begin(str(damage))
                except IndexingError as error:
                    self.close()  # the next search opens the files again: perhaps they can be read then
                    self._refused = error
                    raise
            log.warning("an index of %s is rebuilt: %s", self._collection.name, damage)
            self._build(timeout)

    def rebuild(self, *, timeout: float | None = None) -> None:
        """Rebuilds the index from the catalog at its newest revision, whatever is wrong with it.

        Raises:
            IndexingError: the index cannot be written.
            CollectionLocked: another process is still rebuilding it after `timeout` seconds.
        """
        with self._turns.rebuilding(timeout):
            self._build(timeout)

    def _build(self, timeout: float | None) -> None:
        """Builds an index beside the live one; then, holding the lock for following, replays new commits and swaps."""
        with ExitStack() as turn:
            if self._kept.changes_places_itself:  # and searches must not see an older revision than before
                turn.enter_context(self._turns.following(timeout))
            index = self.anew()
            try:
                index.apply(self._collection.change(0, vectors=index.wants_vectors))
                if not self._kept.changes_places_itself:
                    turn.enter_context(self._turns.following(timeout))
                    self._replay(index, self._collection.revision())
            finally:
                index.close()
            self.put_in_place()

    def anew(self) -> Index[QueryT]:
        """An empty index beside the present one.

        Raises:
            IndexingError: it cannot be made.
        """
        return self._kept.anew()

    def put_in_place(self) -> None:
        """Replaces the present index by the complete new one; the old one is moved away.

        Raises:
            IndexingError: it cannot be replaced; the present one stays.
        """
        self._kept.put_in_place()
        self.close()

    def count(self) -> int:
        """How many chunks the index holds."""
        return self._kept.count(self.index)

    def rejected(self) -> Mapping[int, str]:
        """Rows that the index refused, so that searches do not find them, with the reasons."""
        return self._kept.rejected()

    def close(self) -> None:
        """Closes the files of the index."""
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
        turns: Turns,
        joint: ServerIndex | None = None,
    ) -> None:
        self.keyword = keyword
        self.vector = vector
        self._turns = turns
        self.joint = joint
        """The store that answers both legs with one request, where one store holds both indexes."""

    def are_behind(self, newest: int) -> bool:
        """Whether a search would miss revisions of the catalog, whose revision is `newest`."""
        return self.keyword.is_behind(newest) or self.vector.is_behind(newest)

    @property
    def are_usable(self) -> bool:
        """Whether a search can be answered, perhaps at an earlier revision, which the catalog must still hold."""
        try:
            revisions = (self.keyword.revision, self.vector.revision)
        except DamagedIndex:
            return False
        kept = self.keyword.kept()
        return max(1, kept.oldest) <= min(revisions) and max(revisions) <= kept.newest

    def catch_up(self, *, insist: bool = False, timeout: float | None = None) -> None:
        """Brings both to the same revision of the catalog, also while others commit.

        A damaged index is rebuilt beside the present one. Waits `timeout` seconds, by default `lock_seconds`, for
        another process that updates or rebuilds them.

        Raises:
            IndexingError: an index cannot be written, or was rebuilt for the same cause within the last hour.
            CollectionLocked: another process is still updating or rebuilding them after that time.
        """
        damaged = self._replay(timeout)
        for follower, damage in damaged:
            follower.mend(damage, insist=insist, timeout=timeout)
        for _, damage in self._replay(timeout) if damaged else ():
            raise damage

    def _replay(self, timeout: float | None) -> list[tuple[Follower[Any], DamagedIndex]]:
        """Replays missing revisions; gives the indexes that have to be rebuilt."""
        damaged: list[tuple[Follower[Any], DamagedIndex]] = []
        with self._turns.following(timeout):
            newest = self.keyword.newest()
            for follower in (self.keyword, self.vector):
                try:
                    follower.catch_up(newest)
                except DamagedIndex as damage:
                    damaged.append((follower, damage))
        return damaged

    def counts(self) -> tuple[int, int]:
        """Chunks in the keyword index and in the vector index."""
        return self.keyword.count(), self.vector.count()

    def close(self) -> None:
        """Closes the files of both."""
        self.keyword.close()
        self.vector.close()
