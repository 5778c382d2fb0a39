"""Outlook messages (MSG), read from the streams of their compound file."""

from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

from penstock.errors import BrokenSource
from penstock.loaders.containers.compound import open_compound, stream
from penstock.loaders.detection.container_types import MSG
from penstock.loaders.detection.decoding import decode_text
from penstock.loaders.detection.kinds import kinds_of
from penstock.loaders.fingerprints import fingerprint
from penstock.loaders.mail.mail_text import Letter, write_letter
from penstock.loaders.rtf.compressed import decompress_rtf
from penstock.loaders.rtf.rtf_text import read_lines, text_of
from penstock.model import Extraction, ExtractionWriter, Source

_UNICODE, _BYTES, _BINARY = "001F", "001E", "0102"
_SUBJECT, _BODY, _HTML, _RTF = "0037", "1000", "1013", "1009"
_SENDER_NAME, _SENDER_ADDRESS, _SENDER_SMTP = "0C1A", "0C1F", "5D01"
_TO, _COPIED = "0E04", "0E03"
_SENT, _DELIVERED = 0x0039, 0x0E06
_CODEPAGES = (0x3FFD, 0x3FDE)
_NAMES = ("3707", "3704", "3001")
_CODEPAGE_NAMES = {
    65001: "utf-8",
    20936: "gb2312",
    20932: "euc-jp",
    50220: "iso-2022-jp",
    51949: "euc-kr",
    28591: "latin-1",
}
_PROPERTIES = "__properties_version1.0"
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


class MsgLoader:
    """Reads Outlook messages; attachments are listed by name and not read. There are no places.

    Source: [MS-OXMSG] 2 and [MS-OXPROPS].
    """

    takes = kinds_of(MSG)

    @property
    def fingerprint(self) -> str:
        """See `Loader`."""
        return fingerprint("msg", 2, "olefile", "lxml")

    def load(self, source: Source, data: BinaryIO) -> Extraction:
        """See `Loader`.

        Raises:
            BrokenSource: no compound file, or one that holds no message.
        """
        with open_compound(source, data) as container:
            if not container.exists(_PROPERTIES):
                raise BrokenSource(f"{source.uri!r} is damaged: it holds no message")
            letter = _MsgFile(source, container).letter()
        writer = ExtractionWriter()
        write_letter(letter, writer)
        return writer.finish(title=letter.subject)


class _MsgFile:
    def __init__(self, source: Source, container: Any) -> None:
        self._source = source
        self._container = container
        self._fixed = self._fixed_properties()
        numbers = [int.from_bytes(self._fixed[tag][:4], "little") for tag in _CODEPAGES if tag in self._fixed]
        self._charset = next((_CODEPAGE_NAMES.get(number, f"cp{number}") for number in numbers if number), "")

    def letter(self) -> Letter:
        html, plain = self._html(), self._string(_BODY)
        if not html and not plain.strip():
            rtf = decompress_rtf(self._stream(f"__substg1.0_{_RTF}{_BINARY}"))
            plain = "\n\n".join(text_of(read_lines(rtf)))
        return Letter(
            subject=self._string(_SUBJECT),
            sender=self._sender(),
            to=self._string(_TO),
            copied=self._string(_COPIED),
            date=self._date(),
            plain=plain,
            html=html,
            attached=tuple(self._attached()),
        )

    def _html(self) -> str:
        content = self._stream(f"__substg1.0_{_HTML}{_BINARY}")
        return decode_text(content, self._charset) if content else self._string(_HTML)

    def _sender(self) -> str:
        name = self._string(_SENDER_NAME)
        # Within one organisation the address is a path in its directory, which says nothing outside.
        addresses = [self._string(_SENDER_SMTP), self._string(_SENDER_ADDRESS)]
        address = next((candidate for candidate in addresses if "@" in candidate), "")
        return f"{name} <{address}>" if name and address and name != address else name or address

    def _attached(self) -> list[str]:
        folders = {entry[0] for entry in self._container.listdir() if entry[0].startswith("__attach")}
        names = (self._first(*(f"{folder}/__substg1.0_{tag}" for tag in _NAMES)) for folder in sorted(folders))
        return [name for name in names if name]

    def _date(self) -> str:
        for tag in (_SENT, _DELIVERED):
            ticks = int.from_bytes(self._fixed.get(tag, b"")[:8], "little")
            if 0 < ticks < 2**62:
                moment = _EPOCH + timedelta(microseconds=ticks // 10)
                return moment.isoformat(sep=" ", timespec="minutes")
        return ""

    def _fixed_properties(self) -> dict[int, bytes]:
        """Values of fixed size by property id; a message's property stream has a head of 32 bytes."""
        content = self._stream(_PROPERTIES)[32:]
        records = (content[start : start + 16] for start in range(0, len(content) - 15, 16))
        return {int.from_bytes(record[2:4], "little"): record[8:16] for record in records}

    def _string(self, name: str) -> str:
        return self._first(f"__substg1.0_{name}")

    def _first(self, *stems: str) -> str:
        for stem in stems:
            wide = self._stream(stem + _UNICODE)
            if wide:
                return wide.decode("utf-16-le", "replace").rstrip("\0")
            narrow = self._stream(stem + _BYTES)
            if narrow:
                return decode_text(narrow.rstrip(b"\0"), self._charset)
        return ""

    def _stream(self, path: str) -> bytes:
        if not self._container.exists(path):
            return b""
        return stream(self._source, self._container, path)
