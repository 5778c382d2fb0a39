"""The content of an index of Elasticsearch: its settings and fields, and the document of a chunk."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from penstock.catalog.database.encoding import label_key, microseconds
from penstock.errors import IndexingError
from penstock.ids import digest
from penstock.indexers.elasticsearch.options import Layout
from penstock.model import Entry, Source
from penstock.ports import Float32Array

FORMAT = 2
STATE = "state"
"""Id of the document that says how far the index has followed; those of chunks are their row numbers."""
LONGEST_KEY = 32_000
"""Bytes of the longest text that is indexed as it is; Lucene takes 32,766."""
REASON_CHARACTERS = 1000
HIDDEN = {"index": False, "doc_values": False}
"""Options of a field that is only returned, not searched."""


def key(text: str) -> str:
    """The value that represents a text in an index: the text itself, or the digest of a very long one."""
    return text if len(text.encode("utf-8", "surrogatepass")) <= LONGEST_KEY else f"digest:{digest(text)}"


def label(name: str, value: str | int | float) -> str:
    """The value that represents a label in an index."""
    return key(json.dumps([name, label_key(value)], ensure_ascii=False))


def settings(layout: Layout) -> dict[str, Any]:
    """The settings of an index: refreshed on request, ranked by BM25 as the embedded indexes are."""
    return {
        "number_of_shards": layout.shards,
        "number_of_replicas": layout.replicas,
        "refresh_interval": -1,
        "max_terms_count": 2**31 - 1,  # a filter may let through any number of rows
        "merge.policy.deletes_pct_allowed": 20,  # deleted texts count in BM25's statistics until they are merged away
        "similarity": {"penstock": {"type": "BM25", "k1": 1.2, "b": 0.75}},
    }


def mappings(meta: Mapping[str, Any], *, dimension: int, layout: Layout) -> dict[str, Any]:
    """The fields of an index; without a dimension it holds no vectors."""
    fields: dict[str, Any] = {
        "row": {"type": "long"},
        "added": {"type": "long"},
        "chunk_id": {"type": "keyword"},
        "document_id": {"type": "keyword"},
        "tokens": {
            "type": "text",
            "analyzer": "whitespace",
            "index_options": "freqs",
            "norms": True,
            "similarity": "penstock",
        },
        "title": {"type": "keyword", **HIDDEN},
        "text": {"type": "keyword", **HIDDEN},
        "language": {"type": "keyword"},
        "pages": {"type": "integer"},
        "sources": {
            "type": "nested",  # all conditions on sources must hold for one of them
            "properties": {
                "uri": {"type": "keyword"},
                "media_type": {"type": "keyword"},
                "modified": {"type": "long"},
                "labels": {"type": "keyword"},
                "public": {"type": "boolean"},
                "access": {"type": "keyword"},
            },
        },
        "rejected": {"type": "keyword", "ignore_above": REASON_CHARACTERS},
        "applied": {"type": "long", **HIDDEN},
        "cleared": {"type": "long", **HIDDEN},
    }
    if dimension:
        fields["vector"] = {
            "type": "dense_vector",
            "dims": dimension,
            "index": True,
            "similarity": "max_inner_product",  # dot_product refuses vectors whose length is not quite 1
            "index_options": {"type": "hnsw" if layout.approximate else "flat"},
        }
    return {
        "dynamic": "strict",
        "_meta": dict(meta),
        "_source": {"excludes": ["tokens", "vector"]},  # the catalog holds these values
        "properties": fields,
    }


def document(entry: Entry, tokens: list[str] | None, dimension: int) -> dict[str, Any]:
    """The document of a chunk; without tokens where another index is searched by words.

    Raises:
        IndexingError: the chunk has no finite vector of that dimension, and one is wanted.
    """
    chunk = entry.chunk
    fields: dict[str, Any] = {
        "row": entry.row,
        "added": entry.added,
        "chunk_id": chunk.id,
        "document_id": chunk.document_id,
        "title": entry.title,
        "text": chunk.text,
        "language": chunk.language,
        "pages": sorted({place.page for place in chunk.places}),
        "sources": [_source(source) for source in entry.sources],
    }
    if tokens is not None:
        fields["tokens"] = " ".join(tokens)
    if dimension:
        fields["vector"] = _vector(entry, dimension)
    return fields


def stub(row: int, reason: str) -> dict[str, Any]:
    """The document in the place of a chunk that the server refused: held, never found, with the reason."""
    return {"row": row, "rejected": reason[:REASON_CHARACTERS]}


def inner_product(score: float) -> float:
    """The inner product from which Elasticsearch computed a score of `max_inner_product`.

    Source: the reference of `dense_vector`: 1 / (1 - d) below 0, d + 1 from 0.

    >>> inner_product(1.5), inner_product(0.8)
    (0.5, -0.25)
    """
    return score - 1 if score >= 1 else 1 - 1 / score


def checked(vector: Float32Array | None, dimension: int, subject: str) -> Float32Array:
    """The vector, float32 of shape (dimension,), if it has that shape and is finite.

    Raises:
        IndexingError: it has another shape, or holds values that are no numbers.
    """
    if vector is None or vector.shape != (dimension,) or not np.isfinite(vector).all():
        found = "none" if vector is None else f"shape {vector.shape}"
        raise IndexingError(f"{subject} needs a finite vector of shape ({dimension},); found {found}")
    return vector


def _vector(entry: Entry, dimension: int) -> list[float]:
    values: list[float] = checked(entry.vector, dimension, f"row {entry.row}").astype(np.float32).tolist()
    return values


def _source(source: Source) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "uri": key(source.uri),
        "media_type": key(source.media_type),
        "labels": [label(name, value) for name, value in sorted(source.labels.items())],
        "public": not source.access,
        "access": [key(principal) for principal in sorted(source.access)],
    }
    if source.modified is not None:
        fields["modified"] = microseconds(source.modified)
    return fields
