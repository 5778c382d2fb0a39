"""The named fail points: before each line, and before the return, of the functions that each step consists of.

To add points to a step, name one more function; the lines in it are found when the program runs.
"""

from collections.abc import Mapping
from importlib import import_module
from types import CodeType
from typing import Any

STEPS: Mapping[str, tuple[str, ...]] = {
    "commit": (
        "penstock.pipelines.ingest:Ingestion._commit_waiting",
        "penstock.pipelines.ingest:Ingestion._commit",
        "penstock.pipelines.ingest:Ingestion._remove",
        "penstock.pipelines.workspace:Penstock._write",
        "penstock.engines.cached:CachedEmbedder.embed",
        "penstock.catalog.vectors:VectorCache.put",
        "penstock.catalog.vectors:VectorCache.interned",
        "penstock.catalog.runs:start_run",
        "penstock.catalog.runs:finish_run",
        "penstock.catalog.database:Database.write",
        "penstock.catalog.committing:commit",
        "penstock.catalog.committing:lock_collection",
        "penstock.catalog.committing:next_revision",
        "penstock.catalog.committing:_planned",
        "penstock.catalog.committing:_write_quarantine",
        "penstock.catalog.committing:write_plan",
        "penstock.catalog.committing:_write_sources",
        "penstock.catalog.committing:_write_documents",
        "penstock.catalog.committing:_move_documents",
        "sqlalchemy.engine.default:DefaultDialect.do_commit",
    ),
    "follow": (
        "penstock.pipelines.ingest:Ingestion._follow",
        "penstock.pipelines.workspace:Penstock._catch_up",
        "penstock.pipelines.following:Followers.catch_up",
        "penstock.pipelines.following:Follower.catch_up",
        "penstock.catalog.changes:read_change",
        "penstock.catalog.changes:_entries",
        "penstock.indexers.tantivy:TantivyIndex.apply",
        "penstock.indexers.tantivy:TantivyIndex._write",
        "penstock.indexers.rank_bm25:RankBM25Index.apply",
        "penstock.indexers.faiss:FaissIndex.apply",
    ),
    "snapshot": ("penstock.indexers.faiss:FaissIndex._written", "penstock.indexers.faiss:FaissIndex._write"),
    "manifest": ("penstock.indexers.manifest:ManifestFile.write",),
    "prune": ("penstock.indexers.durable:remove_others",),
    "rebuild": (
        "penstock.pipelines.following:Follower.rebuild",
        "penstock.pipelines.following:Follower.anew",
        "penstock.pipelines.keeping:InFolder.anew",
        "penstock.pipelines.doctor:repair",
    ),
    "model switch": (
        "penstock.pipelines.ingest:Ingestion._change_model",
        "penstock.catalog.collection:Collection.switch_embedder",
        "penstock.catalog.collection:Collection.missing_vectors",
    ),
    "compact": (
        "penstock.pipelines.compacting:compact",
        "penstock.pipelines.compacting:tidy",
        "penstock.catalog.compacting:forget",
        "penstock.catalog.compacting:clear",
        "penstock.catalog.compacting:sweep",
        "penstock.catalog.compacting:_drop_chunks",
        "penstock.catalog.compacting:_drop_documents",
        "penstock.catalog.compacting:_drop_sources",
        "penstock.catalog.compacting:_drop_revisions",
        "penstock.catalog.sqlite:Sqlite.shrink",
    ),
    "rollback": (
        "penstock.pipelines.upkeep:Upkeep.rollback",
        "penstock.catalog.returning:roll_back",
        "penstock.catalog.returning:_puts",
        "penstock.catalog.returning:_place",
        "penstock.catalog.returning:_settle",
    ),
}
"""Functions of each step. A step without one is not built yet."""
SHARED = ("penstock.indexers.durable:write_durably", "penstock.indexers.durable:sync_folder")
"""Functions that belong to the step that calls them."""
RANDOM = "random"
"""The step of a kill at any moment of time."""


def is_built(step: str) -> bool:
    """Whether the program has this step."""
    return bool(STEPS[step])


def codes() -> dict[CodeType, tuple[str, str]]:
    """Step and name of each function by its code, as it is now: also where a test has put another in its place.

    The step of a shared function is empty.
    """
    named = {_code(name): (step, name) for step, names in STEPS.items() for name in names}
    return named | {_code(name): ("", name) for name in SHARED}


def _code(name: str) -> CodeType:
    module, _, path = name.partition(":")
    found: Any = import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    code: CodeType = getattr(found, "__wrapped__", found).__code__
    return code
