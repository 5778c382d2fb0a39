"""From fetched bytes to a document: the media type, the loader, and the values made of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from penstock.analysis.scripts import language_of
from penstock.errors import UnsupportedFormat
from penstock.model import Access, Document, Extraction, Fetched, Labels, Listed, Source
from penstock.pipelines.cleaning.cleaning import CLEANING_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Formats:
    """What is known about file formats without parsing a file."""

    sniff: Callable[[Path, str, str], str]
    """Media type by content, given the path, the name and the type that the origin declared."""
    fingerprint: Callable[[str], str]
    """Fingerprint of the loader for a media type; raises `UnsupportedFormat` where there is none."""
    mark: Callable[[str], str]
    """A text that changes when a file of that URI may get another media type; empty URI: any unsupported file."""


def read_with(formats: Formats, media_type: str, uri: str) -> str | None:
    """Fingerprint of the loader and the cleaning for a file; None where no loader takes it."""
    try:
        return f"{formats.fingerprint(media_type)}; {CLEANING_VERSION}{formats.mark(uri)}"
    except UnsupportedFormat:
        return None


def unsupported(formats: Formats) -> str:
    """The fingerprint of a file that no loader takes; it changes when a loader is installed that might."""
    return "none" + formats.mark("")


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
    """The source with the version or date from its listing: the next listing is compared with that, not with what the
    server of a page says."""
    source = replace(source, etag=listed.version) if listed.version else source
    return source if listed.size is not None or listed.modified is None else replace(source, modified=listed.modified)


def document_of(source: Source, extraction: Extraction, *, document_id: str = "", loader: str = "") -> Document:
    """The document of an extraction; it needs neither id nor loader where it is only chunked."""
    return Document(
        id=document_id,
        source=source,
        title=extraction.title,
        language=language_of(extraction.text),
        text=extraction.text,
        blocks=extraction.blocks,
        loader=loader,
    )
