"""The fields of a hit for other frameworks: plain values that JSON can hold, and the line that cites it."""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from penstock.loaders import shown
from penstock.model import Hit, Place, Source
from penstock.pipelines.answering.places import place_name
from penstock.pipelines.reporting import reports


def metadata(hit: Hit) -> dict[str, Any]:
    """Everything of a hit but its text: every key is there for every hit, None or empty where nothing is known.

    `source` is the URI that is cited and `sources` all URIs of exact copies; `page` is the first page, slide or sheet,
    and `places` say all of them with the rectangles on them; `start` and `end` count characters of the document's text.
    """
    chunk, source = hit.chunk, hit.source
    return {
        "chunk_id": chunk.id,
        "document_id": chunk.document_id,
        "score": hit.score,
        "source": source.uri,
        "sources": [copy.uri for copy in hit.sources],
        "title": hit.title,
        "page": chunk.places[0].page if chunk.places else None,
        "places": [reports.place(place) for place in chunk.places],
        "headings": list(chunk.headings),
        "table_header": chunk.table_header,
        "citation": citation(source, chunk.places),
        "language": chunk.language,
        "media_type": source.media_type,
        "modified": source.modified.isoformat() if source.modified else None,
        "labels": dict(source.labels),
        "start": chunk.span.start,
        "end": chunk.span.end,
        "notes": list(hit.trace.notes),
    }


def citation(source: Source, places: Sequence[Place]) -> str:
    """`leave-policy.pdf, p. 1`: the name of the file, or the address of what is no file, and where to look in it."""
    place = place_name(places, source.media_type, "short")
    return f"{name_of(source)}, {place}" if place else name_of(source)


def name_of(source: Source) -> str:
    """The name of a file, or the address of what is no file."""
    address = shown(source.uri)
    return PurePosixPath(address).name if source.uri.startswith("file://") else address
