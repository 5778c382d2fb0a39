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
        settings = ElasticsearchSettings(**options)
        super().__init__(
            f"{settings.prefix}-{name}",
            analyser=analyser,
            identity=identity,
            dimension=dimension,
            connection=connection(settings),
            layout=Layout(shards=settings.shards, replicas=settings.replicas, approximate=settings.vectors == "hnsw"),
        )


def connection(settings: ElasticsearchSettings) -> Connection:
    """How the servers are reached."""
    return Connection(
        urls=settings.urls,
        cloud_id=settings.cloud_id,
        api_key=settings.api_key.get_secret_value() if settings.api_key else "",
        username=settings.username,
        password=settings.password.get_secret_value() if settings.password else "",
        ca_certs=settings.ca_certs,
        fingerprint=settings.fingerprint,
        timeout_seconds=settings.timeout_seconds,
        attempts=settings.attempts,
    )


_: type[ServerIndex] = ElasticsearchPart
