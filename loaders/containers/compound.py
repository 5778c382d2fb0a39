"""Compound files (OLE2), in which the binary Office formats and Outlook messages are kept."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from penstock.errors import BrokenSource
from penstock.model import Source

_DAMAGE = (OSError, ValueError, IndexError, KeyError, struct.error, RecursionError)
"""What olefile raises over damaged files; its own errors are kinds of OSError."""


@contextmanager
def open_compound(source: Source, data: BinaryIO) -> Iterator[Any]:
    """The compound file, as `olefile` gives it.

    Raises:
        BrokenSource: it cannot be read.
    """
    import olefile

    data.seek(0)
    try:
        container = olefile.OleFileIO(data)
    except _DAMAGE as error:
        raise BrokenSource(f"{source.uri!r} is damaged: no readable compound file ({error})") from error
    try:
        yield container
    finally:
        container.close()


def stream(source: Source, container: Any, name: str) -> bytes:
    """The bytes of a stream.

    Raises:
        BrokenSource: there is none of that name, or it is damaged.
    """
    try:
        return bytes(container.openstream(name).read())
    except _DAMAGE as error:
        raise BrokenSource(f"{source.uri!r} is damaged: its stream {name!r} cannot be read ({error})") from error


def stored_title(container: Any) -> str:
    """The title in the summary of an Office file."""
    summary = container.get_metadata()
    title, page = summary.title or b"", (summary.codepage or 1252) % 65536
    encoding = {65001: "utf-8", 1200: "utf-16-le", 10000: "mac_roman"}.get(page, f"cp{page}")
    try:
        return title.decode(encoding).strip("\0") if isinstance(title, bytes) else str(title)
    except (LookupError, UnicodeDecodeError):
        return ""
