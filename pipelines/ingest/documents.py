"""From fetched bytes to a document: what kind of file it is, what it is read with, and the values made of it."""

from collections.abc import Callable
from dataclasses import replace

from penstock.analysis.scripts import language_of
from penstock.errors import UnsupportedFormat
from penstock.model import Access, Document, Extraction, Fetched, Labels, Listed, Source
from penstock.pipelines.cleaning.cleaning import CLEANING_VERSION

UNSUPPORTED = "none"
"""Stands for what a source is read with where no loader takes its format."""


def read_with(fingerprint: Callable[[str], str], media_type: str) -> str:
    """Fingerprint of loader and cleaning for a kind of file; `UNSUPPORTED` where no loader takes it."""
    try:
        return f"{fingerprint(media_type)}; {CLEANING_VERSION}"
    except UnsupportedFormat:
        return UNSUPPORTED


def not_read(media_type: str) -> str:
    """Why a source is skipped that no loader takes."""
    return f"no loader for {media_type}"


def source_of(listed: Listed, fetched: Fetched, media_type: str, *, labels: Labels, access: Access) -> Source:
    """Where the bytes came from, and which bytes they are."""
    source = Source(
        uri=listed.uri,
        media_type=media_type,
        sha256=fetched.sha256,
        size=fetched.size,
        modified=fetched.modified,
        etag=fetched.etag,
        labels=labels,
        access=access,
    )
    return dated(source, listed)


def dated(source: Source, listed: Listed) -> Source:
    """The source with the date that its listing gives, where that is all it gives: what a sitemap says of a page is
    what the next sitemap is compared with."""
    return source if listed.size is not None or listed.modified is None else replace(source, modified=listed.modified)


def document_of(source: Source, extraction: Extraction, *, document_id: str = "", loader: str = "") -> Document:
    """The document of what was read; it needs neither id nor loader where it is only to be cut."""
    return Document(
        id=document_id,
        source=source,
        title=extraction.title,
        language=language_of(extraction.text),
        text=extraction.text,
        blocks=extraction.blocks,
        loader=loader,
    )
