"""What is inside a zip or an OLE2 container: Office files, OpenDocument, EPUB, Outlook mail."""

import os
import re
import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
XLSB = "application/vnd.ms-excel.sheet.binary.macroenabled.12"
ODT = "application/vnd.oasis.opendocument.text"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
EPUB = "application/epub+zip"
DOC, PPT, XLS = "application/msword", "application/vnd.ms-powerpoint", "application/vnd.ms-excel"
MSG = "application/vnd.ms-outlook"
ENCRYPTED_OFFICE = "application/x-encrypted-office"
"""An Office file of today under a password: an OLE2 container around the encrypted zip, which hides what it is."""
ZIP, OLE = "application/zip", "application/x-ole-storage"

MAGIC_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
MAGIC_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAX_DIRECTORY_BYTES = 16 * 1024 * 1024
"""A zip whose table of contents is longer is not read: it holds hundreds of thousands of files."""

_MIMETYPE = re.compile(rb"^PK\x03\x04.{22}\x08\x00.{2}mimetype(application/[\w.+-]+)", re.DOTALL)
_MAIN_PARTS = (("word/", DOCX), ("ppt/", PPTX), ("xl/", XLSX))
_STREAMS = (
    ("encryptedpackage", ENCRYPTED_OFFICE),
    ("worddocument", DOC),
    ("powerpoint document", PPT),
    ("workbook", XLS),
    ("book", XLS),
    ("__properties_version1.0", MSG),
)


def kind_of_zip(path: Path, head: bytes) -> str:
    """The media type of a zip file by its members; a damaged one is judged by the members that can still be read."""
    found = _MIMETYPE.match(head)
    if found and b"PK" in found.group(1):
        return found.group(1).split(b"PK")[0].decode()
    if found:
        return found.group(1).decode()
    names = member_names(path)
    return _kind_of_members(names if names is not None else _names_in(head))


def member_names(path: Path) -> list[str] | None:
    """Names of the members of a zip; None where its table of contents is damaged or too long to be read."""
    try:
        with path.open("rb") as file:
            members = _members(file)
    except OSError:
        return None
    return None if members is None else [member.filename for member in members]


def expanded_bytes(data: BinaryIO) -> int:
    """Bytes of all members of a zip together when unpacked, as the zip states them; 0 for what is no readable zip."""
    return sum(member.file_size for member in _members(data) or ())


def kind_of_ole(path: Path) -> str:
    """The media type of an OLE2 file by the streams in it."""
    import olefile

    try:
        with olefile.OleFileIO(path) as ole:
            entries = {entry[0].lower() for entry in ole.listdir(streams=True, storages=True)}
    except (OSError, ValueError, IndexError, KeyError, struct.error, RecursionError):
        return OLE
    return next((media_type for stream, media_type in _STREAMS if stream in entries), OLE)


def _members(file: BinaryIO) -> list[zipfile.ZipInfo] | None:
    try:
        if _directory_bytes(file) > MAX_DIRECTORY_BYTES:
            return None
        with zipfile.ZipFile(file) as archive:
            return archive.infolist()
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError, struct.error):
        return None


def _directory_bytes(file: BinaryIO) -> int:
    """Length that the end record of a zip gives for its table of contents; 0 where there is none."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 65557))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        return 0
    length = int(struct.unpack("<L", tail[at + 12 : at + 16])[0])
    # All ones: the true length is in a 64-bit record before the end record, and so is that record's own place.
    return size if length == 0xFFFFFFFF else length


def _names_in(head: bytes) -> list[str]:
    """Member names from the header before each member, for a zip that was cut off."""
    return [name.decode("utf-8", "replace") for name in re.findall(rb"PK\x03\x04.{26}([\w/.\[\]-]+)", head, re.DOTALL)]


def _kind_of_members(names: Iterable[str]) -> str:
    # Some writers use backslashes or a leading slash.
    present = {name.replace("\\", "/").lstrip("/") for name in names}
    if "xl/workbook.bin" in present:
        return XLSB
    if "[Content_Types].xml" in present or "_rels/.rels" in present:
        for folder, media_type in _MAIN_PARTS:
            if any(name.startswith(folder) for name in present):
                return media_type
    return EPUB if "META-INF/container.xml" in present and any(name.endswith(".opf") for name in present) else ZIP
