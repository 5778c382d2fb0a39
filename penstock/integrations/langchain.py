"""Penstock in LangChain: `PenstockRetriever` searches a collection, `PenstockLoader` reads sources into documents.

    from penstock.integrations.langchain import PenstockRetriever

    retriever = PenstockRetriever(home="./library", collection="handbook", k=5)
    documents = retriever.invoke("年假怎么申请")

LangChain sends nothing anywhere unless its own tracing is switched on (`LANGSMITH_TRACING`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from penstock.errors import MissingExtra
from penstock.integrations.filters import Where, all_of, filter_of
from penstock.integrations.hits import metadata
from penstock.integrations.loading import By, Loading, OnError
from penstock.integrations.opening import GivenSettings, opened
from penstock.model import Filter, Hit, SourceResult
from penstock.pipelines.workspace import Penstock

try:
    from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
    from langchain_core.document_loaders import BaseLoader
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.runnables.config import run_in_executor
except ModuleNotFoundError as error:
    raise MissingExtra("LangChain", "langchain") from error


class PenstockRetriever(BaseRetriever):
    """Finds the chunks of a collection that answer a question, as LangChain documents, best first.

    Each document's `page_content` is the chunk's text, its `id` the chunk's, and its `metadata` the chunk's place
    (see `penstock.integrations.hits.metadata`). It may be asked from several threads at once, and asynchronously.

    Args:
        penstock: an opened workspace to share; else one is opened from the next three.
        home: the folder of the collections.
        collection: the collection's name.
        settings: settings to set, nested as in `penstock.toml`, or all of them.
        k: how many documents; by default what the settings say (10).
        where: what may be found, as a `Filter` or a dictionary of its fields: `{"languages": "zh"}`.
        neighbours: how many chunks before and after each hit are added.

    `k`, `where` and `neighbours` can also be given with a question: `invoke(question, k=3)`. A `where` of the question
    narrows that of the retriever and never widens it.

    Raises:
        UsageError: an opened workspace was given and what to open as well, or a filter is none.
        SettingsError: a setting is not known or not allowed.
    """

    penstock: Penstock
    k: int | None = None
    where: Filter = Filter()
    neighbours: int | None = None

    def __init__(
        self,
        penstock: Penstock | None = None,
        *,
        home: str | Path | None = None,
        collection: str | None = None,
        settings: GivenSettings | None = None,
        k: int | None = None,
        where: Where | None = None,
        neighbours: int | None = None,
        **fields: Any,
    ) -> None:
        super().__init__(
            penstock=opened(penstock, home=home, collection=collection, settings=settings),
            k=k,
            where=filter_of(where),
            neighbours=neighbours,
            **fields,
        )

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        k: int | None = None,
        where: Where | None = None,
        neighbours: int | None = None,
    ) -> list[Document]:
        del run_manager
        found = self.penstock.search(
            query,
            k=self.k if k is None else k,
            where=all_of((self.where, filter_of(where))),
            neighbours=self.neighbours if neighbours is None else neighbours,
        )
        return [document_of(hit) for hit in found.hits]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, **asked: Any
    ) -> list[Document]:
        return await run_in_executor(
            None, self._get_relevant_documents, query, run_manager=run_manager.get_sync(), **asked
        )


def document_of(hit: Hit) -> Document:
    """A hit as LangChain has documents."""
    return Document(id=hit.chunk.id, page_content=hit.chunk.text, metadata=metadata(hit))


class PenstockLoader(BaseLoader):
    """Reads files, folders and URLs with Penstock's loaders, in its sandbox and cleaned, without a collection.

    Documents come while they are asked for (`lazy_load`, `alazy_load`), one a source or one a page, without running
    headers and footers. `results` says afterwards how every source ended, those without a document included.

    Args:
        addresses: files, folders, http:// and https:// addresses.
        by: "source" or "page", which is also the slide or the sheet.
        on_error: "raise" at a source that cannot be read, or "warn" in the log and go on.
        settings: settings to set, nested as in `penstock.toml`, or all of them.

    Raises:
        UsageError: there is no address, or an option is not one of those allowed.
        SettingsError: a setting is not known or not allowed.
    """

    def __init__(
        self,
        *addresses: str | Path,
        by: By = "source",
        on_error: OnError = "raise",
        settings: GivenSettings | None = None,
    ) -> None:
        self._loading = Loading(*addresses, settings=settings, by=by, on_error=on_error)

    @property
    def results(self) -> tuple[SourceResult, ...]:
        """The outcome, with its reason, of every source that the last loading has come to."""
        return self._loading.results

    def lazy_load(self) -> Iterator[Document]:
        """The documents, each read when it is asked for.

        Raises:
            SourceError: a source cannot be read, unless that is to be logged; its subclass says why.
        """
        for text in self._loading.texts():
            yield Document(id=text.id, page_content=text.text, metadata=dict(text.metadata))
