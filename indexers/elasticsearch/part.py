"""Elasticsearch as the part that settings name: made with a name and the options of the group `elasticsearch`."""

from typing import Any

from penstock.indexers.elasticsearch.options import Connection, Layout
from penstock.indexers.elasticsearch.store import ElasticsearchStore
from penstock.ports import Analyser, ServerIndex
from penstock.settings import ElasticsearchSettings


class ElasticsearchPart(ElasticsearchStore):
    """The store of a collection's tokens, vectors, or both.

    Raises:
        ValidationError: an option is not allowed.
    """

    Options = ElasticsearchSettings

    def __init__(
        self, name: str, *, analyser: Analyser | None, identity: str = "", dimension: int = 0, **options: Any
    ) -> None:
        given = ElasticsearchSettings(**options)
        super().__init__(
            f"{given.prefix}-{name}",
            analyser=analyser,
            identity=identity,
            dimension=dimension,
            connection=connection(given),
            layout=Layout(shards=given.shards, replicas=given.replicas, approximate=given.vectors == "hnsw"),
        )


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


_: type[ServerIndex] = ElasticsearchPart
