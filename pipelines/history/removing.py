"""Drops a whole collection, its indexes first: after a crash in between, the next use rebuilds them."""

import shutil
from contextlib import suppress
from dataclasses import dataclass

from penstock.catalog import Catalog
from penstock.errors import CatalogError
from penstock.pipelines.history.compacting import VECTORS_STAY
from penstock.pipelines.history.disk import DiskUse, disk_use
from penstock.pipelines.indexing.indexes import remove_from_servers
from penstock.pipelines.indexing.storage import place_of
from penstock.pipelines.indexing.turns import Turns
from penstock.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    """A collection that has another name now."""

    collection: str
    new: str
    before: DiskUse
    after: DiskUse


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A collection that was removed."""

    collection: str
    revision: int
    chunks: int
    vectors: int
    """Those that no other collection needed."""
    before: DiskUse
    after: DiskUse
    remarks: tuple[str, ...] = ()


def remove_collection(catalog: Catalog, settings: Settings, name: str) -> Removed:
    """Drops a collection; another process that is writing to it fails at its next commit.

    Raises:
        IndexingError: an index on servers cannot be deleted; only indexes are lost then, which can be rebuilt.
        CatalogError: the catalog cannot be written.
    """
    collection = catalog.collection(name)
    before, revision, chunks = disk_use(catalog, settings.home), collection.revision(), collection.chunk_count()
    remove_from_servers(settings, collection)
    place = place_of(settings.home, collection)
    if place.exists():
        turns = Turns(place, collection, shared=False, seconds=settings.lock_seconds)
        with turns.rebuilding(), turns.following():
            shutil.rmtree(place)
    collection.remove()
    swept = collection.history.sweep()
    with suppress(CatalogError):
        catalog.shrink()
    return Removed(
        collection=name,
        revision=revision,
        chunks=chunks,
        vectors=swept.vectors if swept else 0,
        before=before,
        after=disk_use(catalog, settings.home),
        remarks=(VECTORS_STAY,) if swept is None else (),
    )
