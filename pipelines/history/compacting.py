"""Making room: earlier revisions, vectors that nothing needs, indexes that were set aside."""

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
    "vectors that nothing needs any more were left where they are: another collection has a run that goes on, or was "
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
    """Indexes that were set aside, which went as well."""
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
    """Leaves so many of the newest revisions, and what held at a time.

    The writer's lock is held while it is noted what the oldest is; what goes then is out of everybody's reach.

    Raises:
        CatalogError: the catalog cannot be written; what went is gone, and the next call goes on.
    """
    before, kept = disk_use(catalog, home), collection.history.kept()
    aside = folders_aside(place_of(home, collection))
    runs = keep or 0  # the catalog keeps those of some runs whatever is said
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
    """Deletes what processes left that died while they built an index, unless one is building now."""
    unfinished = [*place.glob(f"*{BUILDING}")]
    with suppress(CatalogError):
        for folder in unfinished:
            with held(place / "rebuilding.lock", "builds anew an index", timeout=0):
                shutil.rmtree(folder, ignore_errors=True)


def _shrunk(catalog: Catalog) -> list[str]:
    try:
        catalog.shrink()
    except CatalogError as error:  # what went is gone: the room serves what is written next
        return [str(error)]
    return []


def tidy(collection: Collection, keep: int | None) -> None:
    """Makes room after a run: what is free serves what is written next. Where nothing is to do, nothing is written.

    Whatever hinders it, the run has ended well: the next one goes on with it.
    """
    if keep is None:
        return
    with suppress(CatalogError):
        before = collection.history.kept().oldest
        if collection.history.forget(keep=keep) == before:
            return
        collection.history.clear(runs=keep)
