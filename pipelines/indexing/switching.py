"""Switches a collection to another embedding model: embeds all stored text again, then switches in one commit."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from penstock.catalog import Collection
from penstock.engines.embedders.cached import CachedEmbedder
from penstock.errors import CatalogError, CollectionLocked

CONTEXTS_A_CALL = 256
"""Stored texts that are embedded and kept at a time."""
TRIES = 10
"""How often texts that other runs committed meanwhile, by the old model, are embedded too."""


def change_model(
    collection: Collection, embedder: CachedEmbedder, lock: Callable[[], AbstractContextManager[None]]
) -> None:
    """Switches the collection to the model in force; `lock` holds the writer's lock.

    Raises:
        EngineError: the model cannot be used.
        CatalogError: the catalog cannot be written, or others keep committing by the old model.
    """
    for left in reversed(range(TRIES)):
        _embed_missing(collection, embedder)
        try:
            with lock():
                collection.switch_embedder(embedder.identity)
        except CollectionLocked:
            raise
        except CatalogError:  # a text came meanwhile
            if not left:
                raise
        else:
            return


def _embed_missing(collection: Collection, embedder: CachedEmbedder) -> None:
    batch: list[str] = []
    for _, context in collection.missing_vectors(embedder.identity):
        batch.append(context)
        if len(batch) == CONTEXTS_A_CALL:
            embedder.embed(batch, role="passage")
            batch = []
    embedder.embed(batch, role="passage")
