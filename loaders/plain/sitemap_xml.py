"""The XML of a sitemap, plain or gzip, read as a stream: no entity grows, nothing is fetched, sizes are limited.

It is a stranger's file like any other: a loader reads it in the sandbox, and what comes out of there is plain text.
"""

import gzip
import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from lxml import etree

from penstock.errors import BrokenSource, LimitExceeded, SourceError
from penstock.loaders.containers.xmltree import children, local
from penstock.loaders.detection.kinds import SITEMAP, kinds_of
from penstock.loaders.fingerprints import fingerprint
from penstock.loaders.sources.addresses import shown
from penstock.loaders.sources.sitemap_entries import LONGEST_ADDRESS, Located, line_of
from penstock.model import Extraction, Problem, Source

MOST_BYTES = 64 * 1024 * 1024
"""Of one sitemap, unpacked; the protocol allows 50 MB."""
_ROOTS = {"urlset": "url", "sitemapindex": "sitemap"}
_GZIP = b"\x1f\x8b"


class _Limited(io.RawIOBase):
    """A stream that ends in an error where it grows beyond the limit."""

    def __init__(self, uri: str, inner: BinaryIO) -> None:
        self._uri, self._inner, self._read = uri, inner, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        piece = self._inner.read(min(size, 1 << 20) if size > 0 else 1 << 20)
        self._read += len(piece)
        if self._read > MOST_BYTES:
            raise LimitExceeded(
                f"{shown(self._uri)!r} is larger than the {MOST_BYTES >> 20} MiB that a sitemap may have"
            )
        return piece


class SitemapLoader:
    """Reads a sitemap or an index of sitemaps: the text has an entry a line, as `sitemap_entries.line_of` gives it."""

    takes = kinds_of(SITEMAP)

    @property
    def fingerprint(self) -> str:
        """See `Loader`."""
        return fingerprint("sitemap", 1, "lxml")

    def load(self, source: Source, data: BinaryIO) -> Extraction:
        """See `Loader`; entries before a damage are kept, and the damage is a problem.

        Raises:
            BrokenSource: it is no sitemap, damaged from its begin, or uses entities of its own.
            LimitExceeded: it is too large.
        """
        lines: list[str] = []
        problems: tuple[Problem, ...] = ()
        try:
            for entry in read_sitemap(source.uri, data):
                lines.append(line_of(entry))
        except SourceError as error:
            if not lines:
                raise
            problems = (Problem(message=str(error)),)
        return Extraction(title="", text="\n".join(lines), blocks=(), problems=problems)


def read_sitemap(uri: str, data: BinaryIO) -> Iterator[Located]:
    """The entries of a sitemap or of an index of sitemaps, in order, streamed.

    Raises:
        BrokenSource: it is no sitemap, damaged, or uses entities of its own.
        LimitExceeded: it is too large.
    """
    try:
        packed = data.read(2) == _GZIP
        data.seek(0)
        plain = cast("BinaryIO", gzip.GzipFile(fileobj=data)) if packed else data
        yield from _entries(uri, _Limited(uri, plain))
    except (etree.XMLSyntaxError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BrokenSource(f"{shown(uri)!r} is damaged: {error}") from error


def _entries(uri: str, stream: _Limited) -> Iterator[Located]:
    parser = etree.iterparse(
        stream, events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True
    )
    kind = ""
    for event, element in parser:
        name = local(element)
        if not kind:
            if name not in _ROOTS:
                raise BrokenSource(f"{shown(uri)!r} is no sitemap: it begins as {name or 'nothing'!r}, not as urlset")
            kind, root = _ROOTS[name], element
        elif event == "end" and name == kind and element.getparent() is root:
            yield _located(uri, element, is_sitemap=kind == "sitemap")
            element.clear()
            while element.getprevious() is not None:
                del root[0]


def _located(uri: str, element: etree._Element, *, is_sitemap: bool) -> Located:
    values = {"loc": "", "lastmod": ""}
    for inner in children(element, *values):
        if len(inner):
            raise BrokenSource(f"{shown(uri)!r} is no sitemap: an address in it is made of entities or elements")
        values[local(inner)] = "".join((inner.text or "").split())
    if not values["loc"] or len(values["loc"]) > LONGEST_ADDRESS:
        raise BrokenSource(f"{shown(uri)!r} has an entry without an address, or with one that is too long")
    return Located(address=values["loc"], lastmod=values["lastmod"], is_sitemap=is_sitemap)
