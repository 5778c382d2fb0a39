"""Penstock in Haystack: `PenstockRetriever` is a component that searches a collection.

    from penstock.integrations.haystack import PenstockRetriever

    retriever = PenstockRetriever(home="./library", collection="handbook", top_k=5)
    documents = retriever.run("年假怎么申请")["documents"]

Haystack 3 loads a pipeline from a file only when it gets the modules whose classes may be named:
`Pipeline.loads(text, allowed_modules=["penstock.integrations.haystack"])`.

Haystack reports runs of pipelines to its makers unless `HAYSTACK_TELEMETRY_ENABLED` says otherwise. Importing this
module switches that off for the process, unless that variable is set already.
"""

import asyncio
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import Secret, SecretStr

from penstock import telemetry
from penstock.errors import MissingExtra, UsageError
from penstock.integrations.conditions import Combination, Condition, Joint, filter_by
from penstock.integrations.filters import all_of, filter_of
from penstock.integrations.hits import metadata
from penstock.integrations.opening import opened
from penstock.model import Filter, Hit
from penstock.pipelines.workspace import Penstock
from penstock.settings import Settings, leaves

_IS_SWITCHED = not os.environ.keys().isdisjoint(telemetry.SWITCHES["haystack"])
if not _IS_SWITCHED:
    telemetry.switch_off("haystack")

try:
    from haystack import Document, component, default_from_dict, default_to_dict
    from haystack.telemetry import _telemetry
except ModuleNotFoundError as error:
    raise MissingExtra("Haystack", "haystack") from error

if not _IS_SWITCHED:
    _telemetry.telemetry = None  # where haystack was imported before

_JOINTS: Mapping[str, Joint] = {"AND": "and", "OR": "or", "NOT": "not"}


@component
class PenstockRetriever:
    """Finds the chunks of a collection that answer a question, as Haystack documents, best first.

    A document's `id` is its chunk's, `content` the chunk's text, and `meta` the chunk's place (see
    `penstock.integrations.hits.metadata`). It may be asked from several threads at once, and by asynchronous pipelines.

    Args:
        home: the folder of the collections.
        collection: the collection's name.
        settings: settings to set, nested as in `penstock.toml`. Secrets belong into the environment: pipelines are
            written to files with all of this.
        top_k: how many documents; by default what the settings say (10).
        filters: what may be found, in Haystack's words: `meta.source`, `meta.media_type`, `meta.language`, `meta.page`,
            `meta.modified`, `meta.labels.NAME`.
        where: the same as a dictionary of the fields of `Filter`, which also knows patterns and `principals`.
        neighbours: how many chunks before and after each hit are added.
        penstock: an opened workspace to share, in place of the first three; it cannot be written to a file.

    Raises:
        UsageError: an opened workspace was given and what to open as well, or a filter is none or cannot be expressed.
        SettingsError: a setting is not known or not allowed.
    """

    def __init__(
        self,
        home: str | None = None,
        collection: str | None = None,
        settings: dict[str, Any] | None = None,
        top_k: int | None = None,
        filters: dict[str, Any] | None = None,
        where: dict[str, Any] | None = None,
        neighbours: int | None = None,
        penstock: Penstock | None = None,
    ) -> None:
        self.penstock = opened(penstock, home=home, collection=collection, settings=settings)
        self._is_shared = penstock is not None
        self._arguments: dict[str, Any] = {
            "home": None if home is None else str(Path(home)),
            "collection": collection,
            "settings": settings,
            "top_k": top_k,
            "filters": filters,
            "where": where,
            "neighbours": neighbours,
        }
        self._where = all_of((filter_of(where), filter_of_haystack(filters)))

    def to_dict(self) -> dict[str, Any]:
        """What the component was made of, for a file.

        Raises:
            UsageError: a secret is among the settings, or an opened workspace was given.
        """
        if self._is_shared:
            raise UsageError("an opened Penstock cannot be written to a file; give home, collection and settings")
        secrets = sorted(_secrets(self._arguments["settings"] or {}, self.penstock.settings))
        if secrets:
            raise UsageError(f"{', '.join(secrets)}: secrets are not written to files; set them in the environment")
        return default_to_dict(self, **self._arguments)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "PenstockRetriever":
        """The component that `to_dict` described."""
        return default_from_dict(cls, data)

    @component.output_types(documents=list[Document])
    def run(
        self,
        query: str,
        top_k: int | None = None,
        filters: dict[str, Any] | None = None,
        where: dict[str, Any] | None = None,
        neighbours: int | None = None,
    ) -> dict[str, list[Document]]:
        """The documents for a question; its filters narrow those of the component and never widen them.

        Raises:
            UsageError: the question is blank, or a filter is none or cannot be expressed.
        """
        found = self.penstock.search(
            query,
            k=self._arguments["top_k"] if top_k is None else top_k,
            where=all_of((self._where, filter_of(where), filter_of_haystack(filters))),
            neighbours=self._arguments["neighbours"] if neighbours is None else neighbours,
        )
        return {"documents": [document_of(hit) for hit in found.hits]}

    @component.output_types(documents=list[Document])
    async def run_async(
        self,
        query: str,
        top_k: int | None = None,
        filters: dict[str, Any] | None = None,
        where: dict[str, Any] | None = None,
        neighbours: int | None = None,
    ) -> dict[str, list[Document]]:
        """As `run`, in a thread of its own.

        Raises:
            UsageError: the question is blank, or a filter is none or cannot be expressed.
        """
        return await asyncio.to_thread(self.run, query, top_k, filters, where, neighbours)


def document_of(hit: Hit) -> Document:
    """A hit as Haystack has documents."""
    fields = metadata(hit)
    del fields["score"]  # which has a field of its own
    return Document(id=hit.chunk.id, content=hit.chunk.text, score=hit.score, meta=fields)


def filter_of_haystack(filters: Mapping[str, Any] | None) -> Filter:
    """Haystack's filters as Penstock's.

    Raises:
        UsageError: they are none, or say what no filter of Penstock does; the message says which part.
    """
    return filter_by(_tree(filters)) if filters else Filter()


def _tree(filters: Any) -> Condition | Combination:
    match filters:
        case {"field": str(field), "operator": "!=" | "not in"}:
            raise UsageError(f"{field!r}: filters cannot be negated; say what may be found instead of what may not")
        case {"field": str(field), "operator": str(operator), "value": value}:
            return Condition(field=field.removeprefix("meta."), operator=operator, value=value)
        case {"operator": "AND" | "OR" | "NOT" as joint, "conditions": [*conditions]}:
            return Combination(joint=_JOINTS[joint], members=tuple(map(_tree, conditions)))
    raise UsageError(
        f"{filters!r} is no filter; give {{'field': 'meta.language', 'operator': '==', 'value': 'zh'}}, or several "
        "as {'operator': 'AND', 'conditions': [...]}"
    )


def _secrets(options: Mapping[str, Any], settings: Settings) -> Iterator[str]:
    hidden = [name for name, value in leaves(settings.model_dump()) if isinstance(value, SecretStr | Secret)]
    for name, value in leaves(options):
        if any(f"{name}.".startswith(f"{setting}.") for setting in hidden) or (
            name == "catalog.url" and value != settings.catalog.url
        ):  # its password was taken out
            yield name
