"""Comma- and tab-separated values as one table."""

import csv
import io
from typing import BinaryIO

from penstock.errors import BrokenSource
from penstock.loaders.detection.decoding import decode_text
from penstock.loaders.detection.kinds import CSV, TSV, kinds_of
from penstock.loaders.fingerprints import fingerprint
from penstock.loaders.tables import table_text
from penstock.model import Extraction, ExtractionWriter, Source

DELIMITERS = ",\t;|"
MAX_FIELD_CHARACTERS = 16 * 1024**2
_SAMPLE_ROWS = 50


class CsvLoader:
    """Reads delimited values; the delimiter is found by counting. A file has no pages, so there are no places.

    `encoding` is what the origin declared; the bytes are believed where they contradict it.
    """

    takes = kinds_of(CSV, TSV)

    def __init__(self, *, encoding: str = "") -> None:
        self._encoding = encoding

    @property
    def fingerprint(self) -> str:
        """See `Loader`."""
        return fingerprint("csv", 1, encoding=self._encoding)

    def load(self, source: Source, data: BinaryIO) -> Extraction:
        """See `Loader`.

        Raises:
            BrokenSource: a field is longer than any field is.
        """
        text = decode_text(data.read(), self._encoding).replace("\0", "")
        writer = ExtractionWriter()
        try:
            rows = _rows(text, _delimiter(text))
        except csv.Error as error:
            raise BrokenSource(f"{source.uri!r} is no readable table of delimited values: {error}") from error
        writer.add("table", table_text(rows))
        return writer.finish()


def _rows(text: str, delimiter: str) -> list[list[str]]:
    # One quote that is never closed would swallow the rest of the file; such a file is read without quoting.
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
        csv.field_size_limit(MAX_FIELD_CHARACTERS)
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting))
        if len(rows) > 1 or text.count("\n") < 2:
            break
    return rows


def _delimiter(text: str) -> str:
    """The delimiter that gives most rows the same number of cells, and more than one."""
    best, chosen = (0.0, 0), ","
    for delimiter in DELIMITERS:
        sample = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        widths = [len(row) for row, _ in zip(sample, range(_SAMPLE_ROWS), strict=False) if row]
        width = max(set(widths), key=widths.count, default=1)
        agreement = widths.count(width) / len(widths) if widths else 0.0
        if width > 1 and (agreement, width) > best:
            best, chosen = (agreement, width), delimiter
    return chosen
