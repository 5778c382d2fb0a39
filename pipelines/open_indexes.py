"""The indexes of one collection that are open in this process; they are updated before they are searched.

A search that finds them behind updates them. If another process is updating them, the search waits a moment and is then
answered at the revision that they have.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock

from penstock.catalog import Collection
from penstock.errors import CatalogError, IndexingError
from penstock.pipelines import assembly
from penstock.pipelines.history.past import Past
from penstock.pipelines.indexing import indexes
from penstock.pipelines.indexing.following import Followers
from penstock.pipelines.shared import Shared
from penstock.ports import Retriever
from penstock.settings import Legs, Settings

SECONDS_FOR_THE_NEWEST = 0.25
"""How long a search waits for another process that updates the indexes: most updates take less."""


class OpenIndexes:
    """Opens the indexes at first use, for each model that the collection has vectors of."""

    def __init__(self, settings: Settings, library: Shared, collection: Callable[[], Collection]) -> None:
        self._settings = settings
        self._library = library
        self._collection = collection
        self._opened: dict[str, Followers] = {}
        self._retriever: Retriever | None = None
        self._past: Past | None = None
        """The indexes of the past revision that was searched last."""
        self._looking_back = RLock()
        self._opening = RLock()
        """Held while parts are opened, so that several threads do not open them twice."""

    def close(self) -> None:
        """Closes all files; the next call opens them again."""
        for followers in self._opened.values():
            followers.close()
        self._opened, self._retriever = {}, None
        with self._looking_back:
            self._leave_past()

    @property
    def in_force(self) -> Followers:
        """The indexes by the model in force."""
        model = self._library.embedder(self._settings)
        return self._by(model.identity, model.dimension)

    @property
    def as_built(self) -> Followers:
        """The indexes by the model that the collection was built with; the model itself is not loaded."""
        return self._by(self._collection().embedder(), self._collection().dimension())

    def retriever(self) -> Retriever:
        """The collection's retriever; its indexes are updated unless another process is doing so."""
        self._catch_up()
        with self._opening:
            if self._retriever is None:
                self._retriever = self._made(self._settings)
            return self._retriever

    def retriever_of(self, legs: Legs) -> Retriever:
        """The retriever with the given legs, whatever the settings say."""
        retrieval = self._settings.retrieval.model_copy(update={"legs": legs})
        self._catch_up()
        with self._opening:
            return self._made(self._settings.model_copy(update={"retrieval": retrieval}))

    @contextmanager
    def past(self, revision: int) -> Iterator[Retriever]:
        """The retriever of a past revision, with indexes built for it and kept until another revision is searched.

        Searches of the past wait for each other, so that no thread removes the indexes that another one searches.
        """
        with self._looking_back:
            if self._past is None or self._past.at != revision:
                self._leave_past()
                words, model = self._library.analyser(self._settings), self._library.embedder(self._settings)
                self._past = Past(self._settings, self._collection(), words, model, revision)
            yield self._past.retriever

    def _leave_past(self) -> None:
        past, self._past = self._past, None
        if past:
            past.close()

    def _made(self, settings: Settings) -> Retriever:
        words, model = self._library.analyser(settings), self._library.embedder(settings)
        return assembly.retriever(settings, self._collection(), self.in_force, words, model)

    def _catch_up(self) -> None:
        collection = self._collection()
        newest, built_with = collection.head()
        assembly.check_model(collection.name, built_with, self._library.embedder(self._settings))
        followers = self.in_force
        if followers.are_behind(newest):
            try:
                followers.catch_up(timeout=SECONDS_FOR_THE_NEWEST if followers.are_usable else None)
            except (CatalogError, IndexingError):  # another process is updating them, or nothing can be written here
                if not followers.are_usable:
                    raise

    def _by(self, identity: str, dimension: int) -> Followers:
        with self._opening:
            if identity not in self._opened:
                self._opened[identity] = indexes.followers(
                    self._settings,
                    self._collection(),
                    self._library.analyser(self._settings),
                    identity=identity,
                    dimension=dimension,
                )
            return self._opened[identity]
