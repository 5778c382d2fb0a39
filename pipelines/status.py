"""How a collection stands, at a glance."""

from dataclasses import dataclass
from pathlib import Path

from penstock.catalog import Collection, Quarantined, RunInfo
from penstock.model import ChunkCounts
from penstock.pipelines.aside import Aside, lying_aside
from penstock.pipelines.following import Followers
from penstock.pipelines.keeping import place_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A collection's sources by outcome, its indexes, its model, and what waits in quarantine."""

    collection: str
    home: Path
    revision: int
    keyword_revision: int
    vector_revision: int
    embedder: str
    """Identity of the model that the vectors are by, whichever the settings name now."""
    sources: dict[str, int]
    """Live sources by the outcome with which they were last read."""
    languages: dict[str, int]
    """Live chunks by language."""
    chunks: ChunkCounts
    last_run: RunInfo | None
    quarantine: tuple[Quarantined, ...]
    aside: Aside
    """Indexes that were set aside because they were damaged, and take room."""


def look(collection: Collection, followers: Followers, home: Path) -> Status:
    """The present status.

    Raises:
        DamagedIndex: an index cannot be read; `doctor --repair` builds it anew.
    """
    sources: dict[str, int] = {}
    for known in collection.sources():
        sources[known.outcome] = sources.get(known.outcome, 0) + 1
    keyword, vector = followers.counts()
    return Status(
        collection=collection.name,
        home=home,
        revision=collection.revision(),
        keyword_revision=followers.keyword.index.revision,
        vector_revision=followers.vector.index.revision,
        embedder=collection.embedder(),
        sources=sources,
        languages=dict(collection.languages()),
        chunks=ChunkCounts(catalog=collection.chunk_count(), keyword=keyword, vector=vector),
        last_run=collection.last_run(),
        quarantine=collection.quarantine(),
        aside=lying_aside(place_of(home, collection)),
    )
