"""From one embedding model to another: the stored text is embedded anew, and then all of it counts at once."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from penstock.catalog import Collection
from penstock.engines.embedders.cached import CachedEmbedder
from penstock.errors import CatalogError, CollectionLocked

CONTEXTS_A_CALL = 256
"""Stored texts that are embedded and kept at a time."""
TRIES = 10
"""How often what other runs committed meanwhile, by the model of before, is embedded as well."""


def change_model(
    collection: Collection, embedder: CachedEmbedder, lock: Callable[[], AbstractContextManager[None]]
) -> None:
    """Makes the vectors of the model in force those of the collection; `lock` makes the caller its one writer.

    Raises:
        EngineError: the model cannot be used.
        CatalogError: the catalog cannot be written, or others keep committing by the model of before.
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
