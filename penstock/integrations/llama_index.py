"""Penstock in LlamaIndex: `PenstockRetriever` searches a collection, `PenstockReader` reads sources into documents.

    from penstock.integrations.llama_index import PenstockRetriever

    retriever = PenstockRetriever(home="./library", collection="handbook", similarity_top_k=5)
    nodes = retriever.retrieve("年假怎么申请")

Nothing is downloaded: LlamaIndex brings its tokenizer and its stop words along.
"""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from penstock.errors import MissingExtra, UsageError
from penstock.integrations.conditions import Combination, Condition, Joint, filter_by
from penstock.integrations.filters import Where, all_of, filter_of
from penstock.integrations.hits import metadata
from penstock.integrations.loading import By, Loading, OnError
from penstock.integrations.opening import GivenSettings, opened
from penstock.model import Filter, Hit, Retrieved, SourceResult
from penstock.pipelines.workspace import Penstock

try:
    from llama_index.core.readers.base import BaseReader
    from llama_index.core.retrievers import BaseRetriever
    from llama_index.core.schema import (
        Document,
        NodeRelationship,
        NodeWithScore,
        ObjectType,
        QueryBundle,
        RelatedNodeInfo,
        TextNode,
    )
    from llama_index.core.vector_stores import FilterCondition, FilterOperator, MetadataFilter, MetadataFilters
except ModuleNotFoundError as error:
    raise MissingExtra("LlamaIndex", "llama-index") from error

SHOWN = frozenset(("citation", "title", "headings", "table_header"))
"""Metadata that language models and embedding models see before the text; the rest is for programs."""
EMBEDDED = frozenset(("title", "headings", "table_header"))


class PenstockRetriever(BaseRetriever):
    """Finds the chunks of a collection that answer a question, as LlamaIndex nodes, best first.

    A node's id is its chunk's; it is related to its document (`SOURCE`) and to the chunks before and after it
    (`PREVIOUS`, `NEXT`), `start_char_idx` and `end_char_idx` count characters of the document's text, and the metadata
    gives its place (see `penstock.integrations.hits.metadata`). It may be asked from several threads at once.

    Args:
        penstock: an opened workspace to share; else one is opened from the next three.
        home: the folder of the collections.
        collection: the collection's name.
        settings: settings to set, nested as in `penstock.toml`, or all of them.
        similarity_top_k: how many nodes; by default what the settings say (10).
        filters: what may be found, in LlamaIndex's words: `source`, `media_type`, `language`, `page`, `modified`,
            `labels.NAME`.
        where: the same as a `Filter` or a dictionary of its fields, which also knows patterns and `principals`.
        neighbours: how many chunks before and after each hit are added.
        fields: what every LlamaIndex retriever takes, such as `callback_manager`.

    Raises:
        UsageError: an opened workspace was given and what to open as well, or a filter cannot be expressed.
        SettingsError: a setting is not known or not allowed.
    """

    def __init__(
        self,
        penstock: Penstock | None = None,
        *,
        home: str | Path | None = None,
        collection: str | None = None,
        settings: GivenSettings | None = None,
        similarity_top_k: int | None = None,
        filters: MetadataFilters | None = None,
        where: Where | None = None,
        neighbours: int | None = None,
        **fields: Any,
    ) -> None:
        self.penstock = opened(penstock, home=home, collection=collection, settings=settings)
        self.similarity_top_k = similarity_top_k
        self._where = all_of((filter_of(where), filter_of_metadata(filters)))
        self._neighbours = neighbours
        super().__init__(**fields)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = self.penstock.search(
            query_bundle.query_str, k=self.similarity_top_k, where=self._where, neighbours=self._neighbours
        )
        return self._nodes(found)

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)

    def _nodes(self, found: Retrieved) -> list[NodeWithScore]:
        beside = self.penstock.collection.adjacent([hit.chunk for hit in found.hits], at=found.revision)
        return [
            NodeWithScore(node=node_of(hit, *beside.get(hit.chunk.id, ("", ""))), score=hit.score) for hit in found.hits
        ]


def node_of(hit: Hit, before: str = "", after: str = "") -> TextNode:
    """A hit as LlamaIndex has nodes; `before` and `after` are the ids of the chunks beside it, empty where none is."""
    chunk, fields = hit.chunk, metadata(hit)
    about = {"source": hit.source.uri, "title": hit.title}
    document = RelatedNodeInfo(node_id=chunk.document_id, node_type=ObjectType.DOCUMENT, metadata=about)
    beside = {NodeRelationship.PREVIOUS: before, NodeRelationship.NEXT: after}
    related = {end: RelatedNodeInfo(node_id=id_, node_type=ObjectType.TEXT) for end, id_ in beside.items() if id_}
    return TextNode(
        id_=chunk.id,
        text=chunk.text,
        metadata=fields,
        relationships={NodeRelationship.SOURCE: document, **related},
        start_char_idx=chunk.span.start,
        end_char_idx=chunk.span.end,
        excluded_llm_metadata_keys=_unshown(fields, SHOWN),
        excluded_embed_metadata_keys=_unshown(fields, EMBEDDED),
    )


def _unshown(keys: Mapping[str, Any], shown: frozenset[str]) -> list[str]:
    return [name for name, value in keys.items() if name not in shown or not value]


class PenstockReader(BaseReader):
    """Reads files, folders and URLs with Penstock's loaders, in its sandbox and cleaned, without a collection.

    One document a source or one a page, without running headers and footers. `results` says afterwards how every
    source ended, those without a document included.

    Args:
        by: "source" or "page", which is also the slide or the sheet.
        on_error: "raise" at a source that cannot be read, or "warn" in the log and go on.
        settings: settings to set, nested as in `penstock.toml`, or all of them.
    """

    def __init__(
        self, *, by: By = "source", on_error: OnError = "raise", settings: GivenSettings | None = None
    ) -> None:
        self._by = by
        self._on_error = on_error
        self._settings = settings
        self.results: tuple[SourceResult, ...] = ()
        """The outcome, with its reason, of every source that the last reading has come to."""

    def lazy_load_data(self, *addresses: str | Path) -> Iterator[Document]:
        """The documents of files, folders and URLs, each read when it is asked for.

        Raises:
            UsageError: there is no address, or an option is not one of those allowed.
            SourceError: a source cannot be read, unless that is to be logged; its subclass says why.
        """
        loading = Loading(*addresses, settings=self._settings, by=self._by, on_error=self._on_error)
        for text in loading.texts():
            self.results = loading.results
            yield Document(
                id_=text.id,
                text=text.text,
                metadata=dict(text.metadata),
                excluded_llm_metadata_keys=_unshown(text.metadata, SHOWN),
                excluded_embed_metadata_keys=_unshown(text.metadata, EMBEDDED),
            )
        self.results = loading.results


def filter_of_metadata(filters: MetadataFilters | None) -> Filter:
    """LlamaIndex's filters as Penstock's.

    Raises:
        UsageError: they say what no filter of Penstock does; the message says which part.
    """
    return filter_by(_tree(filters)) if filters is not None else Filter()


_JOINTS: Mapping[FilterCondition, Joint] = {
    FilterCondition.AND: "and",
    FilterCondition.OR: "or",
    FilterCondition.NOT: "not",
}


def _tree(filters: MetadataFilters | MetadataFilter) -> Condition | Combination:
    if isinstance(filters, MetadataFilters):
        joint = _JOINTS[filters.condition or FilterCondition.AND]
        return Combination(joint=joint, members=tuple(map(_tree, filters.filters)))
    if filters.operator in (FilterOperator.NE, FilterOperator.NIN):
        raise UsageError(f"{filters.key!r}: filters cannot be negated; say what may be found instead of what may not")
    return Condition(field=filters.key, operator=FilterOperator(filters.operator).value, value=filters.value)
