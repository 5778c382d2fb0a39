"""How an index on servers is made from the settings, and what it is called there."""

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

from penstock import ids
from penstock.indexers.elasticsearch.options import Connection, Layout
from penstock.ports import Analyser
from penstock.settings import ElasticsearchSettings

NAME = "elasticsearch"
"""How the settings call it."""


def elasticsearch_store(
    make: Callable[..., Any],
    given: ElasticsearchSettings,
    *,
    collection: str,
    uid: str,
    analyser: Analyser | None,
    identity: str,
    dimension: int,
) -> Any:
    """The store of a collection: of tokens where an analyser is given, of vectors where a dimension is.

    Every analyser and every model has an index of its own: a change of either builds a new one beside the old.
    """
    marks = (analyser.fingerprint if analyser else "", identity if dimension else "", str(dimension))
    return make(
        "-".join((*_names(given, collection, uid), ids.digest(*marks)[:8])),
        analyser=analyser,
        identity=identity,
        dimension=dimension,
        connection=connection(given),
        layout=Layout(shards=given.shards, replicas=given.replicas, approximate=given.vectors == "hnsw"),
    )


def remove_indexes(given: ElasticsearchSettings, *, collection: str, uid: str) -> None:
    """Deletes all indexes of a collection, by whichever analyser and model.

    Raises:
        IndexingError: the servers do not answer, or do not allow it.
    """
    versions = import_module("penstock.indexers.elasticsearch.versions")
    versions.delete_all(connection(given), "-".join(_names(given, collection, uid)))


def _names(given: ElasticsearchSettings, collection: str, uid: str) -> list[str]:
    """What the names of a collection's indexes begin with."""
    name = re.sub(r"[^a-z0-9_]+", "-", collection.lower()).strip("-_")
    return [part for part in (given.prefix, name, uid) if part]


def connection(given: ElasticsearchSettings) -> Connection:
    """How the servers are reached."""
    return Connection(
        urls=given.urls,
        cloud_id=given.cloud_id,
        api_key=given.api_key.get_secret_value() if given.api_key else "",
        username=given.username,
        password=given.password.get_secret_value() if given.password else "",
        ca_certs=given.ca_certs,
        fingerprint=given.fingerprint,
        timeout_seconds=given.timeout_seconds,
        attempts=given.attempts,
    )
