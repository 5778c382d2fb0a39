"""The status of a collection at a glance."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from penstock.catalog import Quarantined, RunInfo
from penstock.model import ChunkCounts
from penstock.pipelines.access.visibility import View
from penstock.pipelines.indexing.following import Followers
from penstock.pipelines.indexing.set_aside import Aside, lying_aside
from penstock.pipelines.indexing.storage import place_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A collection's sources by outcome, its indexes, its model, and what waits in quarantine."""

    collection: str
    home: Path
    revision: int
    keyword_revision: int
    vector_revision: int
    embedder: str
    """Identity of the model that made the vectors, whichever the settings name now."""
    sources: dict[str, int]
    """Live sources by the outcome with which they were last read."""
    languages: dict[str, int]
    """Live chunks by language."""
    chunks: ChunkCounts
    last_run: RunInfo | None
    quarantine: tuple[Quarantined, ...]
    aside: Aside
    """Damaged indexes that were moved away, and use disk space."""


def look(view: View, followers: Followers, home: Path) -> Status:
    """The present status; for a reader, all counts are of what the reader sees.

    Raises:
        DamagedIndex: an index cannot be read; `doctor --repair` rebuilds it.
    """
    collection = view.collection
    sources: dict[str, int] = {}
    for known in collection.sources(where=view.where):
        sources[known.outcome] = sources.get(known.outcome, 0) + 1
    return Status(
        collection=collection.name,
        home=home,
        revision=collection.revision(),
        keyword_revision=followers.keyword.index.revision,
        vector_revision=followers.vector.index.revision,
        embedder=collection.embedder(),
        sources=sources,
        languages=dict(collection.languages(where=view.where)),
        chunks=count(view, followers),
        last_run=collection.last_run(),
        quarantine=view.quarantine(),
        aside=lying_aside(place_of(home, collection)),
    )


def count(view: View, followers: Followers) -> ChunkCounts:
    """The number of chunks that the reader sees in each store.

    Raises: as `look`.
    """
    rows = view.rows()
    if rows is None:
        keyword, vector = followers.counts()
        return ChunkCounts(catalog=view.collection.chunk_count(), keyword=keyword, vector=vector)
    keyword, vector = (
        np.intersect1d(rows, index.rows()).size for index in (followers.keyword.index, followers.vector.index)
    )
    return ChunkCounts(catalog=rows.size, keyword=keyword, vector=vector)
