"""Plain text: paragraphs between blank lines."""

import re
from typing import BinaryIO

from penstock.analysis.list_marks import list_mark
from penstock.loaders.detection.decoding import decode_text
from penstock.loaders.detection.kinds import JSON, PLAIN, kinds_of
from penstock.loaders.fingerprints import fingerprint
from penstock.loaders.titles import titled
from penstock.model import Extraction, ExtractionWriter, Source

_UNDERLINE = re.compile(r"([=\-~^\"'`#*+_.:])\1{2,}")
_LEVELS = "=-~^\"'`#*+_.:"
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
        return fingerprint("text", 2, encoding=self._encoding)

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
    items = [_is_item(line) for line in lines]
    is_list = items[:1] == [True] and sum(items) > 1
    writer.add("list" if is_list else "paragraph", "\n".join(lines), level=1 if is_list else 0)


def _is_item(line: str) -> bool:
    line = line.lstrip()
    mark = list_mark(line)
    return bool(mark) and len(line.rstrip()) > len(mark.rstrip())


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
