"""Opening files that are zip archives (OOXML, OpenDocument, EPUB) without trusting them."""

import zipfile
import zlib
from typing import BinaryIO

from penstock.errors import BrokenSource, EncryptedSource, LimitExceeded, UnsupportedFormat
from penstock.model import Source

MAX_UNPACKED_BYTES = 1024**3
"""Size of all members of an archive together, unpacked, as its directory states it; more is never unpacked."""
MAX_PART_BYTES = 128 * 1024**2
"""Size of one member that is read as text; its tree takes about ten times as much memory."""
MAX_MEMBERS = 50_000

OLE_MAGIC = bytes.fromhex("D0CF11E0A1B11AE1")


def open_archive(source: Source, data: BinaryIO) -> zipfile.ZipFile:
    """The archive, after its directory was checked; `zipfile` never unpacks more of a member than the directory says.

    Raises:
        EncryptedSource: an Office file or a member that is locked with a password.
        BrokenSource: no zip archive, or a damaged one.
        LimitExceeded: it would unpack to more than the limits allow.
        UnsupportedFormat: a binary Office file under the name of a newer format.
    """
    data.seek(0)
    if data.read(len(OLE_MAGIC)) == OLE_MAGIC:
        raise _ole_error(source, data)
    data.seek(0)
    try:
        archive = zipfile.ZipFile(data)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise BrokenSource(f"{source.uri!r} is damaged: no readable zip archive ({error})") from error
    check_archive(source, archive)
    return archive


def check_archive(source: Source, archive: zipfile.ZipFile) -> None:
    """Holds the directory of an archive to the limits.

    Raises:
        LimitExceeded, EncryptedSource: see `open_archive`.
    """
    members = archive.infolist()
    total = sum(member.file_size for member in members)
    if total > MAX_UNPACKED_BYTES or len(members) > MAX_MEMBERS:
        raise LimitExceeded(
            f"{source.uri!r} would unpack to {total / 1024**2:.0f} MiB in {len(members)} parts; allowed are "
            f"{MAX_UNPACKED_BYTES // 1024**2} MiB in {MAX_MEMBERS} parts. Split it, or take large media out of it"
        )
    if any(member.flag_bits & 1 for member in members):
        raise encrypted(source)


def read_part(source: Source, archive: zipfile.ZipFile, name: str) -> bytes | None:
    """The bytes of one member, or None where there is no such member.

    Raises:
        LimitExceeded: the member is larger than what can be read as text.
        BrokenSource: the member is damaged.
    """
    try:
        info = archive.getinfo(name)
    except KeyError:
        return None
    if info.file_size > MAX_PART_BYTES:
        raise LimitExceeded(
            f"{source.uri!r} holds a part {name!r} of {info.file_size / 1024**2:.0f} MiB; "
            f"allowed are {MAX_PART_BYTES // 1024**2} MiB. Split the document"
        )
    try:
        return archive.read(info)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise BrokenSource(f"{source.uri!r} is damaged: its part {name!r} cannot be unpacked ({error})") from error


def encrypted(source: Source) -> EncryptedSource:
    """The error for a file that needs a password."""
    return EncryptedSource(
        f"{source.uri!r} is protected with a password; open it, save it without a password, and ingest it again"
    )


def _ole_error(source: Source, data: BinaryIO) -> EncryptedSource | UnsupportedFormat | BrokenSource:
    import olefile

    data.seek(0)
    try:
        with olefile.OleFileIO(data) as container:
            if container.exists("EncryptedPackage"):
                return encrypted(source)
    except OSError as error:
        return BrokenSource(f"{source.uri!r} is damaged: no readable compound file ({error})")
    return UnsupportedFormat(
        f"{source.uri!r} is a file of the older binary Office formats under the name of a newer one; "
        "open it and save it in the newer format"
    )
