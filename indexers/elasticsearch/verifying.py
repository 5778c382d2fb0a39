"""Compares what an index on the servers holds with what the catalog says, field by field.

Tokens and vectors are not kept a second time (`_source` leaves them out), and Lucene checks its own files.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from elasticsearch import Elasticsearch

from penstock.indexers.comparing import compared
from penstock.indexers.elasticsearch import documents, queries
from penstock.model import Entry, Flaw

LEFT_OUT = ("tokens", "vector")


def flaws(client: Elasticsearch, alias: str, live: Iterable[Entry]) -> list[Flaw]:
    """The rows whose documents differ from the entries."""
    held = {int(document["row"]): document for document in _documents(client, alias) if "rejected" not in document}
    return compared(held, live, lambda entry: documents.document(entry, None, 0), "stored fields")


def _documents(client: Elasticsearch, alias: str) -> Iterator[dict[str, Any]]:
    """The fields of all documents of chunks, in row order."""
    after: dict[str, Any] = {}
    while True:
        page = client.search(
            index=alias,
            query={"exists": {"field": "row"}},
            sort=[{"row": "asc"}],
            size=queries.MOST,
            source_excludes=list(LEFT_OUT),
            track_total_hits=False,
            allow_partial_search_results=False,
            **after,
        )
        hits = page["hits"]["hits"]
        yield from (hit["_source"] for hit in hits)
        if len(hits) < queries.MOST:
            return
        after = {"search_after": hits[-1]["sort"]}
