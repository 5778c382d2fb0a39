"""Which loader reads which kind of file, and how loaders are built from options."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from penstock.errors import EncryptedSource, UnsupportedFormat
from penstock.loaders.detection.container_types import (
    DOC,
    DOCX,
    ENCRYPTED_OFFICE,
    EPUB,
    MSG,
    ODS,
    ODT,
    PPT,
    PPTX,
    XLS,
    XLSB,
    XLSX,
)
from penstock.loaders.detection.text_types import CSV, EML, HTML, JSON, MARKDOWN, PLAIN, TSV, XML
from penstock.loaders.sources.sitemap_entries import MEDIA_TYPE as SITEMAP
from penstock.registry import make

if TYPE_CHECKING:  # the ports bring numpy, which neither a worker nor a command line needs at its start
    from penstock.ports import Loader

PDF = "application/pdf"

LOADERS: Mapping[str, str] = {
    PDF: "pdf",
    "image/png": "image",
    "image/jpeg": "image",
    "image/gif": "image",
    "image/tiff": "image",
    "image/webp": "image",
    "image/bmp": "image",
    PPTX: "pptx",
    DOCX: "docx",
    XLSX: "spreadsheet",
    XLSB: "spreadsheet",
    XLS: "spreadsheet",
    ODS: "spreadsheet",
    CSV: "csv",
    TSV: "csv",
    HTML: "html",
    XML: "xml",
    MARKDOWN: "markdown",
    PLAIN: "text",
    JSON: "text",
    EML: "eml",
    MSG: "msg",
    EPUB: "epub",
    "application/rtf": "rtf",
    ODT: "odt",
    "application/vnd.oasis.opendocument.presentation": "odt",
    DOC: "doc",
    PPT: "ppt",
    SITEMAP: "sitemap",
}
"""Media type to the name of its loader; `pdf` stands for the engine that is set."""

_NAMES = {
    "application/zip": "a zip archive; unpack it and ingest the folder",
    "application/octet-stream": "a binary file of unknown kind",
}
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "pdf": ("ocr", "ocr_dpi"),
    "image": ("ocr", "ocr_dpi"),
    "csv": ("encoding",),
    "text": ("encoding",),
    "markdown": ("encoding",),
}
"""The options that each loader takes; the others take none."""
_TOLD_CHARSET = frozenset(("csv", "html", "markdown", "text"))
"""Loaders that take the charset that the origin declared."""
SUPPORTED = (
    "PDF, PNG, JPEG, GIF, TIFF, WebP, BMP, DOCX, DOC, PPTX, PPT, XLSX, XLSB, XLS, ODT, ODP, ODS, RTF, EPUB, EML, MSG, "
    "HTML, XML, Markdown, CSV, TSV, JSON and plain text"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoaderOptions:
    """How files are read: the plain form of the settings `loaders.*`."""

    pdf: str = "pymupdf"
    """PDF engine: the loader `pdf-NAME` is used."""
    ocr: Literal["auto", "always", "never"] = "auto"
    ocr_dpi: int = 200
    encoding: str = ""
    """Encoding of text files that do not say; empty: detected."""
    allow_external: bool = False
    """Whether a loader of another distribution may be used."""
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False, repr=False)
    """A loader's own options, by its name."""


def loader_for(media_type: str, options: LoaderOptions, *, charset: str = "") -> "Loader":
    """A loader for a kind of file; its module is imported now, the library behind it when it reads.

    `charset` is what the origin of one source declared; it goes before `options.encoding`, which is for sources that
    do not say.

    Raises:
        UnsupportedFormat: no loader reads this kind of file; names it and what is supported.
        EncryptedSource: the kind of file is known to be under a password.
        UnknownName: there is no such PDF engine.
        SettingsError: the loader takes no such options.
    """
    if media_type == ENCRYPTED_OFFICE:
        raise EncryptedSource("the Office file is under a password; save a copy without one")
    kind = LOADERS.get(media_type)
    if kind is None:
        raise UnsupportedFormat(f"no loader reads {_named(media_type)}; supported are {SUPPORTED}")
    name = f"pdf-{options.pdf}" if kind == "pdf" else kind
    given: dict[str, Any] = {option: getattr(options, option) for option in _OPTIONS.get(kind, ())}
    if charset and kind in _TOLD_CHARSET:
        given["encoding"] = charset
    loader: Loader = make(
        "loaders", name, offered=given, options=options.options.get(name, {}), allow_external=options.allow_external
    )
    return loader


def fingerprint(options: LoaderOptions, media_type: str) -> str:
    """What a document of this kind is read with: while it stays, an unchanged file need not be read again.

    Imports no parsing library, and is asked once a source: the answer is kept.

    Raises:
        UnsupportedFormat: no loader reads this kind of file; names it and what is supported.
        UnknownName: there is no such PDF engine.
    """
    return _fingerprint(options, media_type)


@cache
def _fingerprint(options: LoaderOptions, media_type: str) -> str:
    try:
        return loader_for(media_type, options).fingerprint
    except EncryptedSource:
        return "encrypted-1"


def _named(media_type: str) -> str:
    told = _NAMES.get(media_type)
    return f"{media_type} ({told})" if told else media_type
