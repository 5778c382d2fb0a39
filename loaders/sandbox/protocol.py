"""The messages between the sandbox and its worker: JSON in frames, each preceded by its length.

JSON and not pickle: a parser that a hostile file took over must not be able to run code in the process outside. Here
are requests; answers, of which nothing is believed, are in `answers.py`.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, BinaryIO

from penstock.errors import PenstockError
from penstock.model import Source
from penstock.model.plain import object_of

LENGTH_BYTES = 8


class BadFrame(PenstockError):
    """The other side sent what the protocol does not allow."""


def encode(message: Mapping[str, Any]) -> bytes:
    """A request as a frame. Lone surrogates, which some parsers give, survive."""
    return framed(json_line(message))


def decode(body: bytes) -> dict[str, Any]:
    """The request in a frame without its length.

    Raises:
        BadFrame: it is no JSON object.
    """
    message = json_value(body)
    if not isinstance(message, dict):
        raise BadFrame("no JSON object")
    return message


def read_frame(stream: BinaryIO) -> dict[str, Any] | None:
    """The next request, None at the end of the stream."""
    head = stream.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    length = int.from_bytes(head, "big")
    body = stream.read(length)
    return decode(body) if len(body) == length else None


def plain_source(source: Source) -> dict[str, Any]:
    """A source as JSON can hold it."""
    plain: dict[str, Any] = object_of(source)
    return plain


def source_of(plain: Mapping[str, Any]) -> Source:
    """The source that `plain_source` was given."""
    modified = datetime.fromisoformat(plain["modified"]) if plain["modified"] else None
    return Source(**{**plain, "modified": modified, "access": frozenset(plain["access"])})


def framed(body: bytes) -> bytes:
    """The body preceded by its length."""
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def json_line(value: Any) -> bytes:
    """A value in one line. Lone surrogates, which some parsers give, survive."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def json_value(line: bytes) -> Any:
    """The value in a line.

    Raises:
        BadFrame: it is no JSON.
    """
    try:
        return json.loads(line.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise BadFrame(f"no JSON: {str(error)[:200]}") from error
