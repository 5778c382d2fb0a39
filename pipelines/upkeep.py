"""Calls for a collection as a whole: status, repair, history, compaction, names, export. A part of `Penstock`."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from penstock.catalog import Catalog, Collection, CollectionInfo, RevisionEntry, StoredDocument
from penstock.errors import CatalogError, UnknownName, UsageError
from penstock.pipelines.access.visibility import View
from penstock.pipelines.history import compacting, exporting, importing, removing, returning
from penstock.pipelines.history.compacting import Compacted
from penstock.pipelines.history.differing import Difference, difference
from penstock.pipelines.history.disk import DiskUse, disk_use
from penstock.pipelines.history.exporting import Exported
from penstock.pipelines.history.importing import Imported
from penstock.pipelines.history.removing import Renamed
from penstock.pipelines.history.returning import RolledBack
from penstock.pipelines.indexing import doctor, indexes
from penstock.pipelines.indexing.doctor import Diagnosis
from penstock.pipelines.indexing.following import Followers
from penstock.pipelines.reporting.status import Status, look
from penstock.ports import Analyser, Embedder
from penstock.settings import Settings

LISTED = 20
"""Revisions that are listed by default."""


class Workspace(Protocol):
    """What upkeep needs of a workspace."""

    settings: Settings

    @property
    def catalog(self) -> Catalog:
        """The home's catalog."""
        ...

    @property
    def collection(self) -> Collection:
        """The collection."""
        ...

    def close(self) -> None:
        """Closes all files."""
        ...

    @property
    def _analyser(self) -> Analyser: ...

    @property
    def _embedder(self) -> Embedder: ...

    @property
    def _followers_as_built(self) -> Followers: ...

    def _lock(self) -> AbstractContextManager[None]: ...

    def _lock_of(self, name: str) -> AbstractContextManager[None]: ...

    def _view(self, principals: Iterable[str] | None, *, reads: bool = False) -> View: ...


class Upkeep:
    """Calls that `Penstock` has beside those that read and search."""

    def disk_use(self: Workspace) -> DiskUse:
        """How many bytes the home uses on disk, by content."""
        return disk_use(self.catalog, self.settings.home)

    def collections(self: Workspace) -> tuple[CollectionInfo, ...]:
        """All collections of the home."""
        return self.catalog.collections()

    def doctor(
        self: Workspace, *, repair: bool = False, deep: bool = False, principals: Iterable[str] | None = None
    ) -> Diagnosis:
        """Whether catalog, keyword index and vector index hold the same chunks; `repair` rebuilds what differs.

        With `deep` also whether the content of each chunk agrees, and whether every file is unchanged since it was
        written. With `principals`, only chunks that these readers see are named; problems of others are only counted.
        """
        view = self._view(principals)
        if not repair:
            return doctor.examine(view, self._followers_as_built, deep=deep)
        return doctor.repair(view, self._followers_as_built, deep=deep)

    def status(self: Workspace, *, principals: Iterable[str] | None = None) -> Status:
        """The status of the collection and its indexes, also where the settings name another model than theirs.

        With `principals`, sources, chunks and quarantine are those that these readers see.

        Raises:
            UsageError: a reader is required (`access.required`), and none is named.
            UnknownName: there is no such collection.
            DamagedIndex: an index cannot be read; `doctor(repair=True)` rebuilds it.
        """
        return look(self._view(principals, reads=True), self._followers_as_built, self.settings.home)

    def show(self: Workspace, document: str, *, principals: Iterable[str] | None = None) -> StoredDocument:
        """A document with its text and chunks, by id (or its unique beginning), URI or path.

        Raises:
            UsageError: a reader is required (`access.required`), and none is named.
            UnknownName: there is no such document, or none that the `principals` see.
        """
        return self._view(principals, reads=True).document(document)

    def diff(self: Workspace, first: int, second: int, *, principals: Iterable[str] | None = None) -> Difference:
        """Which sources were added, changed and removed from one revision to another.

        With `principals`, only those that these readers saw then and see today.

        Raises:
            RevisionGone: one of them was compacted away; says which are left.
            CatalogError: there is no such revision.
            UsageError: a reader is required (`access.required`), and none is named.
        """
        view = self._view(principals, reads=True)
        return difference(view.collection, first, second, view.where)

    def history(
        self: Workspace,
        *,
        limit: int | None = LISTED,
        before: int | None = None,
        principals: Iterable[str] | None = None,
    ) -> tuple[RevisionEntry, ...]:
        """The revisions that are kept, newest first: at most `limit`, only those before `before`.

        With `principals`, only sources are counted that these readers saw then and see today.

        Raises:
            UnknownName: there is no such collection.
            UsageError: `limit` is less than 1; or a reader is required (`access.required`), and none is named.
        """
        if limit is not None and limit < 1:
            raise UsageError(f"a history of {limit} revisions is none; give at least 1")
        view = self._view(principals, reads=True)
        return view.collection.history.entries(limit=limit, before=before, where=view.where)

    def compact(
        self: Workspace, *, keep: int | None = None, older_than: timedelta | None = None, dry_run: bool = False
    ) -> Compacted:
        """Frees disk space: keeps the newest `keep` revisions, and deletes what no kept revision needs.

        With `older_than`, keeps the revision that was valid that long ago, and all later ones. Where both are given,
        keeps what either keeps; where neither is, follows the setting `history.keep`. The commits of one run count as
        one revision. With `dry_run` nothing is written.

        Raises:
            UsageError: `keep` is less than 1, or `older_than` is negative.
            UnknownName: there is no such collection.
            CollectionLocked: another process is writing to the collection.
        """
        if keep is not None and keep < 1:
            raise UsageError(f"{keep} revisions cannot be kept; allowed: 1 or more")
        if older_than is not None and older_than < timedelta(0):
            raise UsageError("an age below 0 is in the future; allowed: 0 or more days")
        since = None if older_than is None else datetime.now(UTC) - older_than
        if keep is None and since is None:
            keep = self.settings.history.revisions
        _ = self.collection.revision()  # raises for an unknown collection before a lock file is made for it
        lock = nullcontext if dry_run else self._lock
        given: Any = {"keep": keep, "since": since, "dry_run": dry_run, "lock": lock}
        return compacting.compact(self.catalog, self.collection, self.settings.home, **given)

    def rollback(self: Workspace, revision: int) -> RolledBack:
        """Makes a new revision with the content of an earlier one; nothing is parsed or embedded.

        A reader sees a source only if its access of then and of now both allow it. The files that it was read from
        are not touched: the next run that reads them brings their content back.

        Raises:
            RevisionGone: that revision was compacted away; says which are left.
            CatalogError: there is no such revision.
            UnknownName: there is no such collection.
            CollectionLocked: another process is writing to the collection.
        """
        before = disk_use(self.catalog, self.settings.home)
        _ = self.collection.revision()
        with self._lock():
            collection = self.collection
            number = collection.start_run(f"rollback to {revision}")
            try:
                done = collection.roll_back(revision, run=number)
            except BaseException:
                with suppress(CatalogError):
                    collection.finish_run(number, None, "failed")
                raise
            collection.finish_run(number, None, "finished")
        if done.revision:
            self._followers_as_built.catch_up()
        return RolledBack(
            collection=collection.name,
            to=revision,
            revision=done.revision,
            added=done.added,
            changed=done.changed,
            removed=done.removed,
            left_out=done.left_out,
            before=before,
            after=disk_use(self.catalog, self.settings.home),
            remarks=returning.remarks(
                left_out=len(done.left_out), model=collection.embedder(), set_model=self._embedder.identity
            ),
        )

    def export(self: Workspace, file: str | Path) -> Exported:
        """Writes the collection as it is now into one file, with its vectors and with who may see what.

        Earlier revisions are not in it. Whoever has the file can read everything in it.

        Raises:
            UnknownName: there is no such collection.
            UsageError: there is such a file already.
            CatalogError: the file cannot be written; no partial file is left.
        """
        before, collection, target = disk_use(self.catalog, self.settings.home), self.collection, Path(file)
        revision, sha256 = exporting.export(self.catalog, collection, target)
        return Exported(
            collection=collection.name,
            revision=revision,
            file=target,
            bytes=target.stat().st_size,
            sha256=sha256,
            before=before,
            after=disk_use(self.catalog, self.settings.home),
        )

    def import_(self: Workspace, file: str | Path, *, name: str | None = None) -> Imported:
        """Imports a collection from a file that `export` wrote, all of it or nothing; by default under its old name.

        Raises:
            BrokenSource: the file is no export, is damaged, or holds what does not fit together.
            NewerCatalog: a newer version of Penstock wrote it.
            UsageError: there is a collection of that name.
            CollectionLocked: another process is writing to a collection of that name.
        """
        path, before = Path(file), disk_use(self.catalog, self.settings.home)
        name = importing.name_in(path) if name is None else name
        settings = self.settings.for_collection(name)
        with self._lock_of(name):
            revision = importing.take_in(self.catalog, path, name)
        made = self.catalog.collection(name)
        followers = indexes.followers(
            settings, made, self._analyser, identity=made.embedder(), dimension=made.dimension()
        )
        try:
            followers.catch_up()
        finally:
            followers.close()
        info = next(info for info in self.catalog.collections() if info.name == name)
        model = self._embedder.identity
        return Imported(
            collection=name,
            file=path,
            exported_revision=revision,
            sources=info.sources,
            chunks=info.chunks,
            before=before,
            after=disk_use(self.catalog, settings.home),
            remarks=() if info.embedder in ("", model) else (returning.OTHER_MODEL.format(info.embedder, model),),
        )

    def rename_collection(self: Workspace, name: str, new: str) -> Renamed:
        """Gives a collection another name; ids of documents, revisions and indexes stay as they are.

        Raises:
            UnknownName: there is no collection of that name.
            UsageError: a collection cannot have the new name, or another collection has it.
            CollectionLocked: another process is writing to it.
        """
        before = disk_use(self.catalog, self.settings.home)
        _check_there(self.catalog, name)
        with ExitStack() as locks:
            for locked in sorted({name, new}):
                locks.enter_context(self._lock_of(locked))
            self.catalog.rename(name, new)
        self.close()
        return Renamed(collection=name, new=new, before=before, after=disk_use(self.catalog, self.settings.home))

    def remove_collection(self: Workspace, name: str) -> removing.Removed:
        """Drops a collection with its history and its indexes, and the vectors that only it needed.

        Raises:
            UnknownName: there is no collection of that name.
            CollectionLocked: another process is writing to it.
            IndexingError: an index on servers cannot be deleted; the collection is still there then.
        """
        _check_there(self.catalog, name)
        with self._lock_of(name):
            removed = removing.remove_collection(self.catalog, self.settings.for_collection(name), name)
        self.close()
        return removed


def _check_there(catalog: Catalog, name: str) -> None:
    known = [info.name for info in catalog.collections()]
    if name not in known:
        raise UnknownName("collection", name, known)


def days(count: float) -> timedelta:
    """So many days.

    Raises:
        UsageError: more than there are.
    """
    try:
        return timedelta(days=count)
    except (OverflowError, ValueError) as error:
        raise UsageError(f"{count} days are more than can be counted") from error
