"""The catalog, the only source of truth: SQL tables of documents, chunks, vectors, revisions, runs and quarantine.

Its commit is the only commit point; keyword and vector indexes follow it and can be rebuilt from it.
"""

from penstock.catalog.catalog import Catalog, open_catalog
from penstock.catalog.collection import Collection
from penstock.catalog.commit.carrying import Parcel
from penstock.catalog.commit.compacting import Freed
from penstock.catalog.commit.returning import Returned
from penstock.catalog.database.lock import held, writing
from penstock.catalog.values import (
    Batch,
    CollectionInfo,
    Hydrated,
    KnownMap,
    KnownSource,
    Quarantined,
    RevisionEntry,
    RevisionInfo,
    RunInfo,
    StoredDocument,
    Upsert,
)
from penstock.catalog.vectors import VectorCache

__all__ = [
    "Batch",
    "Catalog",
    "Collection",
    "CollectionInfo",
    "Freed",
    "Hydrated",
    "KnownMap",
    "KnownSource",
    "Parcel",
    "Quarantined",
    "Returned",
    "RevisionEntry",
    "RevisionInfo",
    "RunInfo",
    "StoredDocument",
    "Upsert",
    "VectorCache",
    "held",
    "open_catalog",
    "writing",
]
