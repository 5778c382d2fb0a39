"""Rich Text Format: paragraphs, headings by outline level, lists, tables, notes."""

from collections.abc import Iterator
from typing import BinaryIO

from penstock.errors import BrokenSource
from penstock.loaders.detection.kinds import RTF, kinds_of
from penstock.loaders.fingerprints import fingerprint
from penstock.loaders.rtf.rtf_text import RtfLine, read_lines
from penstock.loaders.tables import cell_text, table_text
from penstock.loaders.titles import titled
from penstock.model import Extraction, ExtractionWriter, Source


class RtfLoader:
    """Reads RTF. There are no places: pages come into being when the file is printed.

    Headers and footers are furniture; deleted and hidden text, comments and pictures are left out.
    """

    takes = kinds_of(RTF)

    @property
    def fingerprint(self) -> str:
        """See `Loader`."""
        return fingerprint("rtf", 2)

    def load(self, source: Source, data: BinaryIO) -> Extraction:
        """See `Loader`.

        Raises:
            BrokenSource: the file does not start as RTF does.
        """
        content = data.read()
        if not content.lstrip(b"\xef\xbb\xbf \r\n\t\0").startswith(b"{\\rtf"):
            raise BrokenSource(f"{source.uri!r} is no RTF: it does not start with '{{\\rtf'")
        lines = read_lines(content)
        writer = ExtractionWriter()
        _write(lines, writer)
        return titled(writer.finish(), *(line.text for line in lines if line.where == "title"))


def _write(lines: list[RtfLine], writer: ExtractionWriter) -> None:
    rows: list[tuple[str, ...]] = []
    items: list[str] = []
    for line in _without_repeats(lines):
        if not line.cells:
            _end_table(rows, writer)
        if not _is_item(line):
            _end_list(items, writer)
        if line.cells:
            rows.append(line.cells)
        elif _is_item(line):
            items.append(f"{'  ' * line.depth}{line.label} {cell_text(line.text)}")
        else:
            _write_line(line, writer)
    _end_table(rows, writer)
    _end_list(items, writer)


def _without_repeats(lines: list[RtfLine]) -> Iterator[RtfLine]:
    """Lines, each header and footer once: a file repeats them for every section."""
    seen: set[str] = set()
    for line in lines:
        if line.where != "furniture" or line.text not in seen:
            yield line
        if line.where == "furniture":
            seen.add(line.text)


def _is_item(line: RtfLine) -> bool:
    return line.where == "body" and bool(line.label) and not line.level


def _write_line(line: RtfLine, writer: ExtractionWriter) -> None:
    if line.where == "furniture":
        writer.add("furniture", line.text)
    elif line.where == "note":
        writer.add("note", line.text)
    elif line.where == "body" and line.level:
        writer.add("heading", cell_text(f"{line.label} {line.text}"), level=line.level)
    elif line.where == "body":
        writer.add("paragraph", line.text)


def _end_table(rows: list[tuple[str, ...]], writer: ExtractionWriter) -> None:
    writer.add("table", table_text(rows))
    rows.clear()


def _end_list(items: list[str], writer: ExtractionWriter) -> None:
    writer.add("list", "\n".join(items), level=1 if items else 0)
    items.clear()
