"""Mail messages (EML): subject, who wrote to whom and when, the text, and the names of what was attached."""

import email
import email.policy
from collections.abc import Iterator
from email.header import decode_header
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import BinaryIO

from penstock.loaders.detection.decoding import decode_text
from penstock.loaders.detection.kinds import EML, kinds_of
from penstock.loaders.fingerprints import fingerprint
from penstock.loaders.mail.mail_text import Letter, write_letter
from penstock.model import Extraction, ExtractionWriter, Source

MAX_FORWARDED = 20
"""Messages inside messages that are read; deeper ones are named like other attachments."""


MOST_HEADER = 20_000
"""Characters of a header that are read; lists of addresses may be long."""


class EmlLoader:
    """Reads one mail message, and the messages that are forwarded inside it. There are no places.

    Other attachments are files of their own: they are listed by name and not read.
    """

    takes = kinds_of(EML)

    @property
    def fingerprint(self) -> str:
        """See `Loader`."""
        return fingerprint("eml", 2, "lxml")

    def load(self, source: Source, data: BinaryIO) -> Extraction:  # noqa: ARG002 the port passes it
        """See `Loader`; a damaged message is read as well as it can be, as mail programs do."""
        # The older policy: the newer one raises on the headers that real mail carries.
        message = email.message_from_binary_file(data, policy=email.policy.compat32)
        writer = ExtractionWriter()
        _write(message, writer, 0)
        return writer.finish(title=header(message, "subject"))


def _write(message: Message, writer: ExtractionWriter, depth: int) -> None:
    letter, forwarded = _letter(message)
    if depth:
        writer.add("heading", letter.subject or "Forwarded message", level=2)
    write_letter(letter, writer)
    for inner in forwarded if depth < MAX_FORWARDED else ():
        _write(inner, writer, depth + 1)


def _letter(message: Message) -> tuple[Letter, list[Message]]:
    plain: list[str] = []
    html: list[str] = []
    attached: list[str] = []
    forwarded: list[Message] = []
    for part in _parts(message):
        kind, name = part.get_content_type(), _decoded(part.get_filename() or "")
        if kind == "message/rfc822":
            forwarded += (
                [inner for inner in part.get_payload() if isinstance(inner, Message)] if part.is_multipart() else []
            )
        elif part.get_content_disposition() == "attachment" or kind not in ("text/plain", "text/html"):
            attached += [name] if name else []
        else:
            (plain if kind == "text/plain" else html).append(_text(part))
    letter = Letter(
        subject=header(message, "subject"),
        sender=header(message, "from"),
        to=header(message, "to"),
        copied=header(message, "cc"),
        date=_date(message),
        plain="\n\n".join(plain),
        html="\n".join(html),
        attached=tuple(attached),
    )
    return letter, forwarded


def _parts(message: Message) -> Iterator[Message]:
    """The leaves of a message, forwarded messages closed."""
    pending = [message]
    while pending:
        part = pending.pop()
        inner = part.get_payload() if part.is_multipart() else None
        if isinstance(inner, list) and part.get_content_type() != "message/rfc822":
            pending += [child for child in reversed(inner) if isinstance(child, Message)]
        else:
            yield part


def _text(part: Message) -> str:
    content = part.get_payload(decode=True)
    charset = part.get_content_charset() or ""
    return decode_text(content, charset) if isinstance(content, bytes) else ""


def header(message: Message, name: str) -> str:
    """A header as a reader sees it: encoded words decoded, bytes that nobody declared read by what they show."""
    return " ".join(_decoded(message.get(name, ""))[:MOST_HEADER].split())


def _decoded(value: object) -> str:
    text = str(value)[:MOST_HEADER]
    if "\ufffd" in text or any("\udc80" <= character <= "\udcff" for character in text):
        return decode_text(_raw(value))
    if "=?" not in text:
        return text
    parts = []
    for piece, charset in decode_header(text):
        parts.append(decode_text(piece, charset or "ascii") if isinstance(piece, bytes) else piece)
    return "".join(parts)


def _raw(value: object) -> bytes:
    """The bytes of a header that was not ASCII, which the parser keeps aside as surrogates."""
    chunks = getattr(value, "_chunks", None)
    text = "".join(chunk for chunk, _ in chunks) if chunks else str(value)
    return text[:MOST_HEADER].encode("utf-8", "surrogateescape")


def _date(message: Message) -> str:
    written = header(message, "date")
    try:
        return parsedate_to_datetime(written).isoformat(sep=" ", timespec="minutes")
    except (ValueError, TypeError):
        return written
