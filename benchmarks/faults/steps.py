"""The named fail points: before each line, and before the return, of the functions of each step.

To add points to a step, name another function; its lines are found when the program runs.
"""

from collections.abc import Mapping
from importlib import import_module
from types import CodeType
from typing import Any

STEPS: Mapping[str, tuple[str, ...]] = {
    "commit": (
        "penstock.pipelines.ingest.ingest:Ingestion._commit_waiting",
        "penstock.pipelines.ingest.ingest:Ingestion._commit",
        "penstock.pipelines.ingest.ingest:Ingestion._remove",
        "penstock.pipelines.ingest.rechecking:rechecked",
        "penstock.pipelines.workspace:Penstock._write",
        "penstock.engines.embedders.cached:CachedEmbedder.embed",
        "penstock.catalog.vectors:VectorCache.put",
        "penstock.catalog.vectors:VectorCache.interned",
        "penstock.catalog.commit.runs:start_run",
        "penstock.catalog.commit.runs:finish_run",
        "penstock.catalog.database.database:Database.write",
        "penstock.catalog.commit.committing:commit",
        "penstock.catalog.commit.committing:lock_collection",
        "penstock.catalog.commit.committing:next_revision",
        "penstock.catalog.commit.committing:_planned",
        "penstock.catalog.commit.committing:_write_quarantine",
        "penstock.catalog.commit.committing:write_plan",
        "penstock.catalog.commit.committing:_write_sources",
        "penstock.catalog.commit.committing:_write_documents",
        "penstock.catalog.commit.committing:_move_documents",
        "sqlalchemy.engine.default:DefaultDialect.do_commit",
    ),
    "follow": (
        "penstock.pipelines.ingest.ingest:Ingestion._follow",
        "penstock.pipelines.open_indexes:OpenIndexes._catch_up",
        "penstock.pipelines.indexing.following:Followers.catch_up",
        "penstock.pipelines.indexing.following:Followers._replay",
        "penstock.pipelines.indexing.following:Follower._replay",
        "penstock.catalog.read.changes:read_change",
        "penstock.catalog.read.changes:_entries",
        "penstock.indexers.tantivy:TantivyIndex.apply",
        "penstock.indexers.tantivy:TantivyIndex._write",
        "penstock.indexers.rank_bm25:RankBM25Index.apply",
        "penstock.indexers.faiss:FaissIndex.apply",
    ),
    "snapshot": ("penstock.indexers.faiss:FaissIndex._written", "penstock.indexers.faiss:FaissIndex._write"),
    "manifest": ("penstock.indexers.manifest:ManifestFile.write",),
    "prune": ("penstock.indexers.durable:remove_others",),
    "rebuild": (
        "penstock.pipelines.indexing.following:Follower.mend",
        "penstock.pipelines.indexing.following:Follower._build",
        "penstock.pipelines.indexing.storage:InFolder.replacement",
        "penstock.pipelines.indexing.doctor:repair",
    ),
    "change places": (
        "penstock.pipelines.indexing.following:Follower.put_in_place",
        "penstock.pipelines.indexing.set_aside:put_in_place",
        "penstock.pipelines.indexing.set_aside:_leave_the_newest",
        "penstock.pipelines.indexing.exchanging:exchange",
    ),
    "model switch": (
        "penstock.pipelines.indexing.switching:change_model",
        "penstock.catalog.commit.switching:switch_embedder",
        "penstock.catalog.commit.switching:missing_vectors",
    ),
    "compact": (
        "penstock.pipelines.history.compacting:compact",
        "penstock.pipelines.history.compacting:tidy",
        "penstock.catalog.commit.compacting:forget",
        "penstock.catalog.commit.compacting:clear",
        "penstock.catalog.commit.compacting:sweep",
        "penstock.catalog.commit.compacting:_drop_chunks",
        "penstock.catalog.commit.compacting:_drop_documents",
        "penstock.catalog.commit.compacting:_drop_sources",
        "penstock.catalog.commit.compacting:_drop_revisions",
        "penstock.catalog.database.sqlite:Sqlite.shrink",
    ),
    "rollback": (
        "penstock.pipelines.upkeep:Upkeep.rollback",
        "penstock.catalog.commit.returning:roll_back",
        "penstock.catalog.commit.returning:_upserts",
        "penstock.catalog.commit.returning:_place",
        "penstock.catalog.commit.returning:_settle",
    ),
    "import": (
        "penstock.pipelines.upkeep:Upkeep.import_",
        "penstock.pipelines.history.importing:take_in",
        "penstock.catalog.commit.carrying:receive",
        "penstock.catalog.commit.carrying:_write",
        "penstock.catalog.commit.carrying:_write_memory",
        "penstock.catalog.commit.carrying:_write_vectors",
    ),
}
"""Functions of each step. A step without functions is not built yet."""
SHARED = ("penstock.indexers.durable:write_durably", "penstock.files:replacing", "penstock.files:sync_folder")
"""Functions that belong to the step that calls them."""
RANDOM = "random"
"""The step of a kill at a random time."""


def is_built(step: str) -> bool:
    """Whether the program has this step."""
    return bool(STEPS[step])


def codes() -> dict[CodeType, tuple[str, str]]:
    """Step and name of each function by its present code, also where a test has replaced the function.

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
