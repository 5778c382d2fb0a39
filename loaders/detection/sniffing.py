"""Which kind of file is this? Its content decides; its name and what its origin declared only break ties."""

import re
from pathlib import Path

from penstock.errors import FetchError
from penstock.loaders.detection.claims import NONE, Claims
from penstock.loaders.detection.container_types import MAGIC_OLE, MAGIC_ZIP, kind_of_ole, kind_of_zip
from penstock.loaders.detection.decoding import canonical, decode_text, detect_encoding
from penstock.loaders.detection.kinds import BUILT_IN, PDF
from penstock.loaders.detection.text_types import kind_of_text

UNKNOWN = "application/octet-stream"
HEAD_BYTES = 128 * 1024
"""How much of a file is looked at, containers apart."""

_MAGIC: tuple[tuple[bytes, str], ...] = (
    *((magic, kind.media_type) for kind in BUILT_IN for magic in kind.magic),
    # Types without a loader are here so that a refusal can name them.
    (b"\0\0\0\x0cjP  ", "image/jp2"),
    (b"%!PS", "application/postscript"),
    (b"\x1f\x8b", "application/gzip"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\0", "application/x-xz"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"\x1aE\xdf\xa3", "video/x-matroska"),
    (b"\x7fELF", "application/x-executable"),
    (b"SQLite format 3\0", "application/vnd.sqlite3"),
)
"""First bytes and the media type they mean."""
_PDF_WITHIN = re.compile(rb"%PDF-\d\.\d")
# The control characters that no text holds; a few stray ones are let through.
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def sniff(path: Path, name_hint: str, declared: str = "", claims: Claims = NONE) -> str:
    """The media type of a file, without parameters, by looking into it.

    A file without bytes is `text/plain` (an empty text), one that nothing fits `application/octet-stream`.

    Args:
        path: where the bytes are.
        name_hint: name or URI of the source; its ending only decides between kinds of text.
        declared: media type that the origin declared, with its charset if it gave one.
        claims: the kinds that loaders of other distributions take.

    Raises:
        FetchError: the file cannot be opened.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise FetchError(f"{str(path)!r} cannot be opened: {error.strerror}") from error
    found = _kind_by_magic(head, path) or _kind_of_plain(head, name_hint, declared)
    return claims.settle(found, head, name_hint, declared)


def charset_of(declared: str) -> str:
    """The charset in a declared media type; empty where it gives none.

    >>> charset_of("text/html; Charset='GB2312'")
    'GB2312'
    """
    found = re.search(r"""charset\s*=\s*["']?([\w.:-]+)""", declared, re.IGNORECASE)
    return found.group(1) if found else ""


def declared_charset(declared: str) -> str:
    """The charset in a declared media type, where it says something.

    Servers that nobody configured declare ISO-8859-1, also for Chinese pages: then the page itself and
    its bytes decide.

    >>> declared_charset("text/html; charset=windows-1250"), declared_charset("text/html; charset=ISO-8859-1")
    ('windows-1250', '')
    """
    charset = charset_of(declared)
    return "" if canonical(charset) in ("", "cp1252") else charset


def _kind_by_magic(head: bytes, path: Path) -> str:
    if head.startswith(MAGIC_ZIP):
        return kind_of_zip(path, head)
    if head.startswith(MAGIC_OLE):
        return kind_of_ole(path)
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return media_type
    return _kind_of_riff_or_iso(head) or _kind_of_bitmap(head) or _late_pdf(head)


def _kind_of_riff_or_iso(head: bytes) -> str:
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}.get(head[8:12], UNKNOWN)
    if head[4:8] == b"ftyp":
        return {b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heif", b"avif": "image/avif"}.get(
            head[8:12], "video/mp4"
        )
    return ""


def _kind_of_bitmap(head: bytes) -> str:
    # "BM" alone also begins words; a bitmap's four reserved bytes are 0.
    return "image/bmp" if head[:2] == b"BM" and head[6:10] == bytes(4) and len(head) > 25 else ""


def _late_pdf(head: bytes) -> str:
    """PDF readers accept other bytes before the header; objects after it distinguish a PDF from a text about PDFs."""
    found = _PDF_WITHIN.search(head[:1024])
    return PDF if found and b" obj" in head[found.end() :] else ""


def _kind_of_plain(head: bytes, name_hint: str, declared: str) -> str:
    charset = charset_of(declared)
    if b"\0" in head and not detect_encoding(head, charset).startswith(("utf-16", "utf-32")):
        return UNKNOWN
    text = decode_text(head, charset)
    if len(_CONTROLS.findall(text)) > 1 + len(text) // 500 or text.count("\ufffd") > 1 + len(text) // 20:
        return UNKNOWN
    return kind_of_text(text, name_hint, declared, whole=len(head) < HEAD_BYTES)
