"""Searches a collection at a past revision, with temporary indexes of that revision built from the catalog."""

from pathlib import Path
from tempfile import TemporaryDirectory

from penstock.catalog import Collection
from penstock.errors import UsageError
from penstock.pipelines import assembly
from penstock.pipelines.indexing import indexes
from penstock.pipelines.indexing.following import Followers
from penstock.ports import Analyser, Embedder, Retriever
from penstock.settings import Settings

IN_FOLDERS = {"keyword": "tantivy", "vector": "faiss"}
"""Replaces an index on servers: it ranks by the same formulas."""


class Past:
    """Indexes of one past revision in a temporary folder, which is deleted when they are closed.

    They hold only the chunks that were live then, so term statistics and ranking are those of that revision.
    """

    def __init__(self, settings: Settings, collection: Collection, words: Analyser, model: Embedder, at: int) -> None:
        """Builds them.

        Raises:
            RevisionGone: the revision was compacted away; says which are left.
            CatalogError: there is no such revision.
            UsageError: its vectors are by another model than the settings name.
        """
        self.at = at
        made_with = collection.history.embedder(at)
        if made_with not in ("", model.identity):
            raise UsageError(
                f"revision {at} of collection {collection.name!r} was built with the embedding model {made_with!r}, "
                f"the settings name {model.identity!r}; set that model to search it"
            )
        self._folder = TemporaryDirectory(prefix="penstock-revision-")
        try:
            self._followers = _built(settings, collection, words, model, at, Path(self._folder.name))
        except BaseException:
            self._folder.cleanup()
            raise
        self.retriever: Retriever = assembly.retriever(settings, collection, self._followers, words, model)

    def close(self) -> None:
        """Removes the indexes."""
        self._followers.close()
        self._folder.cleanup()


def _built(
    settings: Settings, collection: Collection, words: Analyser, model: Embedder, at: int, folder: Path
) -> Followers:
    given = settings.indexes
    stand_in = {leg: name for leg, name in IN_FOLDERS.items() if indexes.is_on_servers(settings, getattr(given, leg))}
    there = settings.model_copy(update={"home": folder, "indexes": given.model_copy(update=stand_in)})
    made = indexes.followers(there, collection, words, identity=model.identity, dimension=model.dimension)
    if settings.retrieval.legs != "vector":
        made.keyword.catch_up(at)
    if settings.retrieval.legs != "keyword":
        made.vector.catch_up(at)
    return made
