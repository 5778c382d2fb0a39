"""`Library`: a home with its catalog and engines, loaded once, and any number of collections opened in it."""

from typing import Self

from penstock.catalog import CollectionInfo
from penstock.pipelines.shared import Shared
from penstock.pipelines.workspace import Penstock


class Library(Shared):
    """A home: its catalog, its embedding models, analysers and language models, shared by all its collections.

    Nothing is opened, read or loaded before a call needs it. A collection that sets another model than the rest uses
    it. Threads may share a library; none may close it while another uses it.

        with Library("./library") as library:
            for info in library.collections():
                print(library.open(info.name).search("年假怎么申请").hits)

    `embedder`, `llm`, `chunker` and `loaders` (by media type) are instances to use in place of the parts that the
    settings name, for every collection. A loader reads in the process that parses and has to be importable there; a
    chunker cuts in this process.

    Raises:
        SettingsError: a setting is not allowed, or a loader cannot be taken to another process: says why.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def open(self, collection: str | None = None) -> Penstock:
        """The collection of that name, which need not be there yet; without a name the one that the settings name.

        Raises:
            SettingsError: a collection cannot have that name.
        """
        return Penstock(collection=collection, library=self)

    def collections(self) -> tuple[CollectionInfo, ...]:
        """All collections of the home."""
        return self.catalog.collections()
