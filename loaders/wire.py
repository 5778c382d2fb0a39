"""What the sandbox and its worker say to each other: JSON in frames, each preceded by its length.

JSON and not pickle: a parser that a hostile file took over must not be able to run code in the process outside.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, BinaryIO, get_args

from penstock.errors import PenstockError
from penstock.model import Block, BlockKind, Box, Extraction, Failure, Place, Problem, Source, Span

LENGTH_BYTES = 8
_KINDS = frozenset(get_args(BlockKind))


class BadFrame(PenstockError):
    """The other side says what the protocol does not know."""


def encode(message: Mapping[str, Any]) -> bytes:
    """A message as a frame. Lone surrogates, which some parsers give, survive."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def decode(body: bytes) -> dict[str, Any]:
    """The message in a frame without its length.

    Raises:
        BadFrame: it is no JSON object.
    """
    try:
        message = json.loads(body.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise BadFrame(f"no JSON: {error}") from error
    if not isinstance(message, dict):
        raise BadFrame("no JSON object")
    return message


def read_frame(stream: BinaryIO) -> dict[str, Any] | None:
    """The next message, None at the end of the stream."""
    head = stream.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    length = int.from_bytes(head, "big")
    body = stream.read(length)
    return decode(body) if len(body) == length else None


def plain_source(source: Source) -> dict[str, Any]:
    """A source as JSON can hold it."""
    return {
        "uri": source.uri,
        "media_type": source.media_type,
        "sha256": source.sha256,
        "size": source.size,
        "modified": source.modified.isoformat() if source.modified else None,
        "etag": source.etag,
        "labels": dict(source.labels),
        "access": sorted(source.access),
    }


def source_of(plain: Mapping[str, Any]) -> Source:
    """The source that `plain_source` was given."""
    modified = datetime.fromisoformat(plain["modified"]) if plain["modified"] else None
    return Source(**{**plain, "modified": modified, "access": frozenset(plain["access"])})


def plain_extraction(extraction: Extraction) -> dict[str, Any]:
    """An extraction as JSON can hold it."""
    return {
        "title": extraction.title,
        "text": extraction.text,
        "blocks": [
            [
                block.kind,
                *block.span,
                block.level,
                [[place.page, list(place.box) if place.box else None, place.label] for place in block.places],
            ]
            for block in extraction.blocks
        ],
        "problems": [[problem.message, problem.page] for problem in extraction.problems],
    }


def extraction_of(plain: Mapping[str, Any]) -> Extraction:
    """The extraction that `plain_extraction` was given.

    Raises:
        BadFrame: it is not of that form, or its spans do not lie in its text.
    """
    try:
        text = str(plain["text"])
        return Extraction(
            title=str(plain["title"]),
            text=text,
            blocks=tuple(_block(block, len(text)) for block in plain["blocks"]),
            problems=tuple(
                Problem(message=str(message), page=None if page is None else int(page))
                for message, page in plain["problems"]
            ),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:  # OverflowError: JSON of Python knows Infinity
        raise BadFrame(f"no extraction: {type(error).__name__}: {error}") from error


def failure_of(plain: Mapping[str, Any], uri: str) -> Failure:
    """The failure that a worker tells of a source.

    Raises:
        BadFrame: it is not of that form.
    """
    try:
        kind, message, retryable = plain["kind"], plain["message"], plain["retryable"]
    except (KeyError, TypeError) as error:
        raise BadFrame(f"no failure: {type(error).__name__}: {error}") from error
    return Failure(uri=uri, stage="parse", kind=str(kind), message=str(message), retryable=bool(retryable))


def _block(plain: list[Any], length: int) -> Block:
    kind, start, end, level, places = plain
    if kind not in _KINDS or not 0 <= int(start) <= int(end) <= length:
        raise ValueError(f"block {kind!r} from {start} to {end} of {length}")
    return Block(
        kind=kind,
        span=Span(int(start), int(end)),
        level=int(level),
        places=tuple(
            Place(page=int(page), box=Box(*map(float, box)) if box else None, label=str(label))
            for page, box, label in places
        ),
    )
