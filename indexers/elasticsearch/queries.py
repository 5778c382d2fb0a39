"""Questions in the words of Elasticsearch: by tokens, by vector, each within a scope."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.catalog.database.encoding import microseconds
from penstock.indexers.elasticsearch.documents import STATE, inner_product, key, label
from penstock.model import Candidate, Filter, Scope
from penstock.ports import Float32Array

Body = dict[str, Any]

MOST = 10_000
"""Most hits of one search, and most vectors compared by one walk: Elasticsearch's defaults."""
MOST_PATTERNS = 100
"""Patterns of addresses that are the servers' to compare: each is a clause, and few servers allow more than 1,024."""
SIGNS = "*?["
"""Characters that make a text a pattern."""


def by_tokens(tokens: Sequence[str], *, size: int, within: Sequence[Body]) -> Body:
    """Chunks that hold a token; a token that is there twice counts twice."""
    terms = [{"term": {"tokens": {"value": token, "boost": count}}} for token, count in Counter(tokens).items()]
    return _search({"bool": {"should": terms, "minimum_should_match": 1, "filter": list(within)}}, size)


def by_vector(vector: Float32Array, *, size: int, within: Sequence[Body], approximate: bool) -> Body:
    """The chunks with the largest inner products with the vector, float32 of shape (d,)."""
    looked_at = min(MOST, 2 * size) if approximate else size
    near = {"field": "vector", "query_vector": vector.tolist(), "num_candidates": looked_at, "filter": list(within)}
    return _search({"knn": near}, size)


def of_state() -> Body:
    """The document that says how far the index has followed, as a search sees it."""
    return {"query": {"ids": {"values": [STATE]}}, "size": 1, "_source": ["applied"], "track_total_hits": False}


def of_rejected(size: int) -> Body:
    """The documents in the place of chunks that the server refused."""
    return {
        "query": {"exists": {"field": "rejected"}},
        "sort": [{"row": "asc"}],
        "size": size,
        "_source": ["row", "rejected"],
        "track_total_hits": False,
    }


def there_at(revision: int) -> Body:
    """What had been added at a revision: an index that is being written holds more, and still reports the old one."""
    return {"range": {"added": {"lte": revision}}}


def within(scope: Scope) -> list[Body]:
    """What a chunk must fulfil, said in the index's own fields where they say it exactly, and else by row numbers."""
    where = scope.where
    if where.is_empty or not _is_exact(where):
        rows = scope.rows()
        return [] if rows is None else [{"terms": {"row": rows.tolist()}}]
    found: list[Body] = []
    if where.languages:
        found.append({"terms": {"language": [key(language) for language in where.languages]}})
    if where.pages is not None:
        first, last = where.pages
        found.append({"range": {"pages": {"gte": first, "lte": last}}})
    of_one_source = _source_conditions(where)
    if of_one_source:
        found.append({"nested": {"path": "sources", "query": {"bool": {"filter": of_one_source}}}})
    return found


def _is_exact(where: Filter) -> bool:
    """Whether the index's fields decide alone: sets of characters and texts stored as a digest are the catalog's."""
    patterns = [pattern for pattern in (*where.sources, *where.media_types) if any(sign in pattern for sign in SIGNS)]
    pages_fit = where.pages is None or all(abs(page) < 2**31 for page in where.pages)
    return (
        len(patterns) <= MOST_PATTERNS
        and pages_fit
        and not any("[" in pattern or pattern.count("*") > 5 or len(pattern) > 1000 for pattern in patterns)
    )


def _source_conditions(where: Filter) -> list[Body]:
    found: list[Body] = []
    if where.sources:
        found.append(_any_of("sources.uri", where.sources))
    if where.media_types:
        found.append(_any_of("sources.media_type", [kind.lower() for kind in where.media_types]))
    if where.modified_from is not None:
        found.append({"range": {"sources.modified": {"gte": microseconds(where.modified_from)}}})
    if where.modified_before is not None:
        found.append({"range": {"sources.modified": {"lt": microseconds(where.modified_before)}}})
    if where.principals is not None:
        readable = {"terms": {"sources.access": [key(principal) for principal in sorted(where.principals)]}}
        found.append({"bool": {"should": [{"term": {"sources.public": True}}, readable]}})
    found += [{"term": {"sources.labels": label(name, value)}} for name, value in where.labels.items()]
    return found


def _any_of(field: str, texts: Sequence[str]) -> Body:
    """A text, or one that fits a pattern. A text that holds `?` or `*` always fits itself."""
    whole: list[Body] = [{"terms": {field: [key(text) for text in texts]}}]
    patterns = [text for text in texts if any(sign in text for sign in SIGNS)]
    fitting = [{"wildcard": {field: {"value": text.replace("\\", "\\\\")}}} for text in patterns]
    return {"bool": {"should": [*whole, *fitting]}}


def _search(query: Body, size: int) -> Body:
    return {
        "query": query,
        "size": size,
        "sort": [{"_score": "desc"}, {"row": "asc"}],  # their values are all that is read of a hit
        "_source": False,
        "stored_fields": "_none_",
        "track_total_hits": False,
    }


def found_by_tokens(hits: Sequence[Mapping[str, Any]] | None) -> list[Candidate]:
    """What a search by tokens found; None where it was not asked for."""
    return [Candidate(row=int(hit["sort"][1]), score=float(hit["sort"][0])) for hit in hits or ()]


def found_by_vector(hits: Sequence[Mapping[str, Any]] | None) -> list[Candidate]:
    """What a search by vector found, with inner products as scores; None where it was not asked for."""
    return [Candidate(row=int(hit["sort"][1]), score=inner_product(float(hit["sort"][0]))) for hit in hits or ()]
