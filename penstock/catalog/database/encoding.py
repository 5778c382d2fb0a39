"""How values are written into rows and read back: exactly, in compact JSON and compressed bytes."""

import hashlib
import json
import zlib
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib import import_module
from typing import Any

from penstock.errors import CatalogError, UsageError
from penstock.ids import text_hash
from penstock.model import (
    Block,
    Chunk,
    Document,
    Failure,
    Labels,
    Place,
    RunReport,
    Source,
    Span,
)
from penstock.model.plain import row_of, value_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LONGEST_KEY = 1000
"""Bytes of a text that indexes of databases can hold; an index entry has two such texts."""


def microseconds(time: datetime) -> int:
    """Microseconds since 1970, exactly.

    Raises:
        UsageError: the time does not say its zone.
    """
    if time.tzinfo is None:
        raise UsageError(f"the time {time.isoformat()} has no time zone; give one, such as +00:00")
    return (time - EPOCH) // MICROSECOND


def moment(count: int) -> datetime:
    """The time, in UTC, that many microseconds after 1970 began."""
    return EPOCH + count * MICROSECOND


def dump(value: object) -> str:
    """Compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def pack(value: object) -> bytes:
    """Compressed compact JSON."""
    return zlib.compress(dump(value).encode("utf-8", "surrogatepass"), 6)


def unpack(data: bytes) -> Any:
    """The value given to `pack`, in the types of JSON.

    Raises:
        CatalogError: the bytes are damaged.
    """
    try:
        return json.loads(zlib.decompress(data).decode("utf-8", "surrogatepass"))
    except (zlib.error, ValueError) as error:
        raise CatalogError(
            f"a record of the catalog is damaged ({error}); restore the catalog from a copy, or remove the collection "
            "and ingest it again"
        ) from error


def label_key(value: str | int | float) -> str:
    """A label's value as text: equal numbers are equal texts, and a number is not the text that spells it.

    >>> label_key(2024) == label_key(2024.0), label_key(2024) == label_key("2024")
    (True, False)
    """
    if isinstance(value, str):
        return short(f"s:{value}")
    number = int(value) if isinstance(value, int) or value.is_integer() else value
    return f"n:{number!r}"


def short(text: str) -> str:
    """The text, or its hash where it is too long for an index: for texts that are compared and not shown.

    >>> short("red"), len(short("red" * 1000))
    ('red', 71)
    """
    coded = text.encode("utf-8", "surrogatepass")
    return text if len(coded) <= LONGEST_KEY else f"sha256:{hashlib.sha256(coded).hexdigest()}"


def source_row(source: Source) -> dict[str, Any]:
    """A source as columns."""
    return {
        "uri": source.uri,
        "media_type": source.media_type,
        "sha256": source.sha256,
        "size": source.size,
        "modified": None if source.modified is None else microseconds(source.modified),
        "etag": source.etag,
        "labels": dump(dict(sorted(source.labels.items()))),
        "access": dump(sorted(source.access)),
    }


def read_source(row: Any) -> Source:
    """The source of a row, or of any object that has its columns."""
    return Source(
        uri=row.uri,
        media_type=row.media_type,
        sha256=row.sha256,
        size=row.size,
        modified=None if row.modified is None else moment(row.modified),
        etag=row.etag,
        labels=dict(_labels(row.labels)),
        access=frozenset(_texts(row.access)),
    )


# The same few labels and headings are in many rows: each is decoded once.
@lru_cache(maxsize=4096)
def _labels(text: str) -> Labels:
    labels: Labels = json.loads(text)
    return labels


@lru_cache(maxsize=4096)
def _texts(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


def dump_failure(failure: Failure) -> str:
    """A failure as JSON."""
    return dump(asdict(failure))


def read_failure(text: str) -> Failure:
    """The failure in the JSON."""
    return Failure(**json.loads(text))


def read_places(plain: list[list[Any]]) -> tuple[Place, ...]:
    """The places in decoded JSON."""
    return tuple(value_of(Place, place) for place in plain)


def pack_body(document: Document) -> bytes:
    """Text and blocks of a document, compressed."""
    return pack([document.text, [row_of(block) for block in document.blocks]])


def unpack_body(data: bytes) -> tuple[str, tuple[Block, ...]]:
    """Text and blocks of a document."""
    text, blocks = unpack(data)
    return text, tuple(value_of(Block, block) for block in blocks)


def chunk_row(chunk: Chunk, ordinal: int) -> dict[str, Any]:
    """A chunk as columns, less those that say where it belongs."""
    pages = [place.page for place in chunk.places]
    return {
        "ordinal": ordinal,
        "id": chunk.id,
        "span_start": chunk.span.start,
        "span_end": chunk.span.end,
        "text": chunk.text,
        "headings": dump(chunk.headings),
        "places": dump([row_of(place) for place in chunk.places]),
        "first_page": min(pages, default=None),
        "last_page": max(pages, default=None),
        "table_header": chunk.table_header,
        "language": chunk.language,
        "context_hash": text_hash(chunk.context),
    }


def read_chunk(row: Any, document_id: str) -> Chunk:
    """The chunk of a row."""
    return Chunk(
        id=row.id,
        document_id=document_id,
        span=Span(row.span_start, row.span_end),
        text=row.text,
        headings=_texts(row.headings),
        places=read_places(json.loads(row.places)) if row.places != "[]" else (),
        language=row.language,
        table_header=row.table_header,
    )


def pack_report(report: RunReport) -> bytes:
    """A run's report, compressed."""
    return pack(asdict(report))


def unpack_report(data: bytes) -> RunReport:
    """A run's report."""
    # Read by its types, so that a report may gain fields with defaults; pydantic is slow to import and seldom needed.
    adapter = import_module("pydantic").TypeAdapter(RunReport)
    report: RunReport = adapter.validate_python(unpack(data))
    return report
