"""Frees disk space: removes earlier revisions, unused vectors and indexes that were moved away."""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from penstock.catalog import Catalog, Collection, Freed, held
from penstock.errors import CatalogError
from penstock.pipelines.history.disk import DiskUse, disk_use
from penstock.pipelines.indexing.set_aside import BUILDING, AsideFolder, folders_aside
from penstock.pipelines.indexing.storage import place_of

VECTORS_STAY = (
    "vectors that nothing needs any more were left where they are: another collection has a run in progress, or was "
    "killed within a day, and may be about to use them; compact again later"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted:
    """What a compaction removed, or would."""

    collection: str
    dry_run: bool
    oldest: int
    """The oldest revision that is left."""
    newest: int
    freed: Freed
    aside: tuple[AsideFolder, ...]
    """Indexes that were moved away earlier; they are deleted as well."""
    before: DiskUse
    after: DiskUse
    remarks: tuple[str, ...] = ()


def compact(
    catalog: Catalog,
    collection: Collection,
    home: Path,
    *,
    keep: int | None,
    since: datetime | None,
    dry_run: bool,
    lock: Callable[[], AbstractContextManager[None]],
) -> Compacted:
    """Keeps the newest `keep` revisions, and those that were valid at or after `since`.

    The writer's lock is held only to record the oldest revision that is kept; nothing can read what is deleted after.

    Raises:
        CatalogError: the catalog cannot be written; what was deleted is gone, and the next call continues.
    """
    before, kept = disk_use(catalog, home), collection.history.kept()
    aside = folders_aside(place_of(home, collection))
    runs = keep or 0  # the catalog keeps a minimum of runs in any case
    if dry_run:
        oldest, freed = collection.history.foreseen(keep=keep, since=since, runs=runs)
        return Compacted(
            collection=collection.name,
            dry_run=True,
            oldest=oldest,
            newest=kept.newest,
            freed=freed,
            aside=aside,
            before=before,
            after=before,
        )
    with lock():
        oldest = collection.history.forget(keep=keep, since=since)
    remarks = []
    freed, swept = collection.history.clear(runs=runs), collection.history.sweep()
    if swept is None:
        remarks.append(VECTORS_STAY)
    for folder in aside:
        shutil.rmtree(folder.path, ignore_errors=True)
    _clear_unfinished(place_of(home, collection))
    remarks += _shrunk(catalog)
    return Compacted(
        collection=collection.name,
        dry_run=False,
        oldest=oldest,
        newest=kept.newest,
        freed=freed + (swept or Freed()),
        aside=aside,
        before=before,
        after=disk_use(catalog, home),
        remarks=tuple(remarks),
    )


def _clear_unfinished(place: Path) -> None:
    """Deletes indexes left unfinished by processes that died while they built them, unless one is being built now."""
    unfinished = [*place.glob(f"*{BUILDING}")]
    with suppress(CatalogError):
        for folder in unfinished:
            with held(place / "rebuilding.lock", "rebuilds an index", timeout=0):
                shutil.rmtree(folder, ignore_errors=True)


def _shrunk(catalog: Catalog) -> list[str]:
    try:
        catalog.shrink()
    except CatalogError as error:  # the rows are deleted: later writes use the free space
        return [str(error)]
    return []


def tidy(collection: Collection, keep: int | None) -> None:
    """Removes old revisions after a run; later writes use the free space. Writes nothing where nothing is to do.

    If it fails, the run has succeeded all the same: the next run tries again.
    """
    if keep is None:
        return
    with suppress(CatalogError):
        before = collection.history.kept().oldest
        if collection.history.forget(keep=keep) == before:
            return
        collection.history.clear(runs=keep)
