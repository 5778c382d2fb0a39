"""Plain text: paragraphs between blank lines, as they stand."""

import re
from typing import BinaryIO

from penstock.loaders.detection.decoding import decode_text
from penstock.loaders.detection.kinds import JSON, PLAIN, kinds_of
from penstock.loaders.fingerprints import fingerprint
from penstock.loaders.titles import titled
from penstock.model import Extraction, ExtractionWriter, Source

_UNDERLINE = re.compile(r"([=\-~^\"'`#*+_.:])\1{2,}")
_LEVELS = "=-~^\"'`#*+_.:"
_BULLET = re.compile(r"\s*([-*+](?=\s)|[•·●▪◦–]|\(?\d{1,3}[.)、]|\(?[a-z][.)]|[一二三四五六七八九十]{1,3}、)\s*\S")
_BLANK = re.compile(r"\n[ \t\u3000]*(?:\n[ \t\u3000]*)+|\f")


class TextLoader:
    """Reads plain text. Underlined lines, as in reStructuredText, are headings; there are no places.

    `encoding` is what the origin declared; the bytes are believed where they contradict it.
    """

    takes = kinds_of(PLAIN, JSON)

    def __init__(self, *, encoding: str = "") -> None:
        self._encoding = encoding

    @property
    def fingerprint(self) -> str:
        """See `Loader`."""
        return fingerprint("text", 1, encoding=self._encoding)

    def load(self, source: Source, data: BinaryIO) -> Extraction:  # noqa: ARG002 the port passes it
        """See `Loader`; text in an unknown encoding is read as well as it can be, never refused."""
        text = decode_text(data.read(), self._encoding)
        writer = ExtractionWriter()
        for paragraph in _BLANK.split(text.replace("\r\n", "\n").replace("\r", "\n")):
            _write(paragraph, writer)
        return titled(writer.finish())


def _write(paragraph: str, writer: ExtractionWriter) -> None:
    lines, at = paragraph.strip("\n").split("\n"), 0
    while (level := _heading_level(lines[at : at + 3])) > 0:
        framed = _is_underline(lines[at])
        writer.add("heading", lines[at + framed], level=level)
        at += 2 + framed
    lines = lines[at:]
    bullets = sum(bool(_BULLET.match(line)) for line in lines)
    is_list = bullets > 1 and bool(_BULLET.match(lines[0]))
    writer.add("list" if is_list else "paragraph", "\n".join(lines), level=1 if is_list else 0)


def _heading_level(lines: list[str]) -> int:
    """Level of the underlined heading that the lines start with; 0 where they do not."""
    framed = bool(lines) and _is_underline(lines[0])
    if len(lines) < 2 + framed or not lines[framed].strip() or not _is_underline(lines[1 + framed]):
        return 0
    title, line = lines[framed].strip(), lines[1 + framed].strip()
    if len(line) < len(title) - 1 or _is_underline(title):
        return 0
    return 1 if framed else min(1 + _LEVELS.index(line[0]), 6)


def _is_underline(line: str) -> bool:
    return bool(_UNDERLINE.fullmatch(line.strip()))
