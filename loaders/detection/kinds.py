"""The kinds of files that the built-in loaders take: media type, endings, first bytes, and what messages call them.

Which loader takes which, each loader states itself (`takes`); `formats.LOADERS` is held to that by a test.
"""

from pathlib import PurePosixPath
from urllib.parse import urlsplit

from penstock.loaders.detection.container_types import DOC, DOCX, EPUB, MSG, ODS, ODT, PPT, PPTX, XLS, XLSB, XLSX
from penstock.model import FileKind

PDF, RTF = "application/pdf", "application/rtf"
PNG, JPEG, GIF, TIFF, WEBP, BMP = "image/png", "image/jpeg", "image/gif", "image/tiff", "image/webp", "image/bmp"
SITEMAP = "application/x-sitemap"
"""Of a file that is read as a sitemap, because it was listed as one; none is ever found to be of it."""
ODP = "application/vnd.oasis.opendocument.presentation"
HTML, XML, MARKDOWN = "text/html", "application/xml", "text/markdown"
CSV, TSV, JSON, EML, PLAIN = "text/csv", "text/tab-separated-values", "application/json", "message/rfc822", "text/plain"
TEXTS = frozenset((HTML, XML, MARKDOWN, CSV, TSV, JSON, EML, PLAIN))
"""Kinds of text: what their names claim counts only between them."""

BUILT_IN = (
    FileKind(media_type=PDF, name="PDF", suffixes=(".pdf",), magic=(b"%PDF-",)),
    FileKind(media_type=PNG, name="PNG", suffixes=(".png",), magic=(b"\x89PNG\r\n\x1a\n",)),
    FileKind(media_type=JPEG, name="JPEG", suffixes=(".jpg", ".jpeg"), magic=(b"\xff\xd8\xff",)),
    FileKind(media_type=GIF, name="GIF", suffixes=(".gif",), magic=(b"GIF87a", b"GIF89a")),
    FileKind(media_type=TIFF, name="TIFF", suffixes=(".tif", ".tiff"), magic=(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    # Kinds below that have no first bytes and are no texts are recognised by what their container holds.
    FileKind(media_type=WEBP, name="WebP", suffixes=(".webp",)),
    FileKind(media_type=BMP, name="BMP", suffixes=(".bmp",)),
    FileKind(media_type=DOCX, name="DOCX", suffixes=(".docx",)),
    FileKind(media_type=DOC, name="DOC", suffixes=(".doc",)),
    FileKind(media_type=PPTX, name="PPTX", suffixes=(".pptx",)),
    FileKind(media_type=PPT, name="PPT", suffixes=(".ppt",)),
    FileKind(media_type=XLSX, name="XLSX", suffixes=(".xlsx",)),
    FileKind(media_type=XLSB, name="XLSB", suffixes=(".xlsb",)),
    FileKind(media_type=XLS, name="XLS", suffixes=(".xls",)),
    FileKind(media_type=ODT, name="ODT", suffixes=(".odt",)),
    FileKind(media_type=ODP, name="ODP", suffixes=(".odp",)),
    FileKind(media_type=ODS, name="ODS", suffixes=(".ods",)),
    FileKind(media_type=RTF, name="RTF", suffixes=(".rtf",), magic=(b"{\\rt",)),
    FileKind(media_type=EPUB, name="EPUB", suffixes=(".epub",)),
    FileKind(media_type=EML, name="EML", suffixes=(".eml",)),
    FileKind(media_type=MSG, name="MSG", suffixes=(".msg",)),
    FileKind(media_type=HTML, name="HTML", suffixes=(".htm", ".html", ".xhtml")),
    FileKind(media_type=XML, name="XML", suffixes=(".xml",)),
    FileKind(media_type=MARKDOWN, name="Markdown", suffixes=(".md", ".mdx", ".markdown")),
    FileKind(media_type=CSV, name="CSV", suffixes=(".csv",)),
    FileKind(media_type=TSV, name="TSV", suffixes=(".tsv",)),
    FileKind(media_type=JSON, name="JSON", suffixes=(".json", ".jsonl", ".ndjson")),
    FileKind(media_type=PLAIN, name="plain text", suffixes=(".txt", ".text", ".asc")),
    FileKind(media_type=SITEMAP),
)
_BY_TYPE = {kind.media_type: kind for kind in BUILT_IN}


def kinds_of(*media_types: str) -> tuple[FileKind, ...]:
    """The kinds of those media types."""
    return tuple(_BY_TYPE[media_type] for media_type in media_types)


def ending_of(name: str) -> str:
    """The ending of a name, path or URI, in small letters with its dot; empty where there is none.

    >>> ending_of("https://example.org/a/Report.PDF?page=1.5"), ending_of("/srv/v1.2/README")
    ('.pdf', '')
    """
    path = urlsplit(name).path if "://" in name else name
    return PurePosixPath(path).suffix.lower()
