"""Keeping indexes in step with the catalog: opening them, replaying what they miss, building new ones beside them."""

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
    """One index of a collection, which can be built anew at any time, beside the one that is searched until then."""

    def __init__(self, collection: Collection, kept: IndexPlace[QueryT], rebuilds: Rebuilds, turns: Turns) -> None:
        self._collection = collection
        self._kept = kept
        self._rebuilds = rebuilds
        self._turns = turns
        self._opened: object = None
        """Tells the index that was opened from one that has taken its place since."""
        self._opened_at = now()
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

    def kept(self) -> KeptRevisions:
        """The catalog's revisions that can be read."""
        return self._collection.history.kept()

    def is_behind(self, newest: int) -> bool:
        """Whether the index is not at `newest`, the catalog's revision, or cannot be read."""
        try:
            return not self._kept.stands_at(self.index, newest)
        except DamagedIndex:
            return True

    def catch_up(self, newest: int) -> None:
        """Replays what the index misses up to the revision `newest`. Only one process at a time calls this.

        An index that stands at a revision that was compacted away gets all that is live, as one change.

        Raises:
            DamagedIndex: the index is damaged, or stands ahead of a catalog that was put back from an older copy: it
                has to be built anew.
            IndexingError: the index cannot be written.
        """
        self._replay(self.index, newest)

    def _replay(self, index: Index[QueryT], newest: int) -> None:
        since = index.revision
        if since > newest:
            raise DamagedIndex(f"the index stands at revision {since}, ahead of the catalog at {newest}")
        if since < newest:
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

    def mend(self, damage: DamagedIndex, *, insist: bool = False, timeout: float | None = None) -> None:
        """Builds the index anew because of a damage, unless another process has done so meanwhile.

        That is done once an hour for the same cause, unless someone insists.

        Raises:
            IndexingError: the index cannot be written, or was built anew for the same cause just before.
            CollectionLocked: another process is at it, and was so for as long as this one waits.
        """
        with self._turns.rebuilding(timeout):
            if self._opened != self._kept.mark() or self._rebuilds.has_begun(str(damage), after=self._opened_at):
                self.close()
                return
            if not insist:
                try:
                    self._rebuilds.begin(str(damage))
                except IndexingError as error:
                    self.close()  # the next search looks at the files again: perhaps they can be read then
                    self._refused = error
                    raise
            log.warning("an index of %s is built anew: %s", self._collection.name, damage)
            self._build(timeout)

    def rebuild(self, *, timeout: float | None = None) -> None:
        """Builds the index anew from the catalog, whatever is wrong with it; it stands at the newest revision then.

        Raises:
            IndexingError: the index cannot be written.
            CollectionLocked: another process is at it, and was so for as long as this one waits.
        """
        with self._turns.rebuilding(timeout):
            self._build(timeout)

    def _build(self, timeout: float | None) -> None:
        """Builds beside, and then, when nobody else writes, replays what was committed meanwhile and changes places."""
        with ExitStack() as turn:
            if self._kept.changes_places_itself:  # and nobody may see it go back
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
        """An empty index, to be filled beside the present one.

        Raises:
            IndexingError: no room can be made for it.
        """
        return self._kept.anew()

    def put_in_place(self) -> None:
        """Puts what was built beside, and is whole, in the place of the present index, which is set aside.

        Raises:
            IndexingError: it cannot be put there; the present one stays.
        """
        self._kept.put_in_place()
        self.close()

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
        turns: Turns,
        joint: ServerIndex | None = None,
    ) -> None:
        self.keyword = keyword
        self.vector = vector
        self._turns = turns
        self.joint = joint
        """Where one store holds both: what answers both legs with one request."""

    def are_behind(self, newest: int) -> bool:
        """Whether a search would miss revisions of the catalog, whose revision is `newest`."""
        return self.keyword.is_behind(newest) or self.vector.is_behind(newest)

    @property
    def are_usable(self) -> bool:
        """Whether a search can be answered at all, if of an earlier revision, which the catalog must still hold."""
        try:
            revisions = (self.keyword.revision, self.vector.revision)
        except DamagedIndex:
            return False
        kept = self.keyword.kept()
        return max(1, kept.oldest) <= min(revisions) and max(revisions) <= kept.newest

    def catch_up(self, *, insist: bool = False, timeout: float | None = None) -> None:
        """Brings both to the catalog's revision: to the same one, also while others commit.

        One that is damaged is built anew beside what is there. Waits `timeout` seconds for another process that is at
        it, by default as long as is set.

        Raises:
            IndexingError: one of them cannot be written, or was built anew for the same cause just before.
            CollectionLocked: another process was at it for all of that time.
        """
        damaged = self._replay(timeout)
        for follower, damage in damaged:
            follower.mend(damage, insist=insist, timeout=timeout)
        for _, damage in self._replay(timeout) if damaged else ():
            raise damage

    def _replay(self, timeout: float | None) -> list[tuple[Follower[Any], DamagedIndex]]:
        """Replays what is missed; gives those that have to be built anew."""
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
        """Lets go of the files of both."""
        self.keyword.close()
        self.vector.close()
