"""A mail message as blocks, whatever file it came in."""

import re
from dataclasses import dataclass

from penstock.loaders.html.markup import parse_html, write_blocks
from penstock.model import ExtractionWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a message says of itself, and its text in the forms that it comes in."""

    subject: str
    sender: str
    to: str
    copied: str
    date: str
    plain: str
    html: str
    attached: tuple[str, ...]


def write_letter(letter: Letter, writer: ExtractionWriter) -> None:
    """Adds the head of the message, its text and the names of its attachments."""
    head = (
        ("Subject", letter.subject),
        ("From", letter.sender),
        ("To", letter.to),
        ("Cc", letter.copied),
        ("Date", letter.date),
    )
    writer.add("paragraph", "\n".join(f"{name}: {value}" for name, value in head if value))
    if letter.plain.strip():
        for paragraph in re.split(r"\n[ \t]*(?:\n[ \t]*)+", letter.plain.replace("\r\n", "\n").replace("\r", "\n")):
            writer.add("paragraph", paragraph)
    else:
        root = parse_html(letter.html)
        if root is not None:
            write_blocks(root, writer)
    if letter.attached:
        writer.add("note", f"Attachments (files of their own, not read here): {', '.join(letter.attached)}")
