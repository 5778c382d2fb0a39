"""The entries of a sitemap as lines of text: the process that reads the XML sends them to the one that fetches."""

from collections.abc import Iterator
from dataclasses import dataclass

from penstock.errors import BrokenSource
from penstock.loaders.sources.addresses import shown
from penstock.model import Extraction

LONGEST_ADDRESS = 8192
"""Characters; the protocol allows 2048."""
_PAGE, _SITEMAP = "page", "sitemap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """One entry of a sitemap: a page, or another sitemap."""

    address: str
    lastmod: str
    """As the sitemap has it; empty where it is not given."""
    is_sitemap: bool


def line_of(entry: Located) -> str:
    """The entry as a line of text; its parts hold no white space."""
    return f"{_SITEMAP if entry.is_sitemap else _PAGE}\t{entry.address}\t{entry.lastmod}"


def entries_of(uri: str, extraction: Extraction) -> Iterator[Located]:
    """The entries of an extraction, in order; the process that made it may have been taken over.

    Raises:
        BrokenSource: the entries are of another form, or the sitemap is damaged.
    """
    for line in extraction.text.split("\n") if extraction.text else ():
        kind, *values = line.split("\t")
        if kind not in (_PAGE, _SITEMAP) or len(values) != 2 or len(line) > 2 * LONGEST_ADDRESS:
            raise BrokenSource(f"{shown(uri)!r} is no sitemap")
        yield Located(address=values[0], lastmod=values[1], is_sitemap=kind == _SITEMAP)
    for problem in extraction.problems:
        raise BrokenSource(problem.message)
