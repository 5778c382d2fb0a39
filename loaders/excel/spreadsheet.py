"""Workbooks (XLSX, XLSM, XLSB, XLS, ODS): each sheet a heading, its regions of cells tables."""

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

from penstock.errors import BrokenSource
from penstock.loaders.containers.archive import OLE_MAGIC, check_archive, encrypted
from penstock.loaders.detection.container_types import ODS, XLS, XLSB, XLSX
from penstock.loaders.detection.kinds import kinds_of
from penstock.loaders.excel.sheet_drawings import drawings_by_sheet
from penstock.loaders.fingerprints import fingerprint
from penstock.loaders.tables import table_text
from penstock.loaders.titles import titled
from penstock.model import BlockKind, Extraction, ExtractionWriter, Place, Source

_FILE_PASS = 0x2F


class SpreadsheetLoader:
    """Reads workbooks: the values that were last computed, hidden sheets included. Places are sheets, with their names.

    Charts, diagrams and text boxes are read in XLSX. Headers, footers, comments and the formats of numbers are not:
    2.5 % becomes 0.025.
    """

    takes = kinds_of(XLSX, XLSB, XLS, ODS)

    @property
    def fingerprint(self) -> str:
        """See `Loader`."""
        return fingerprint("spreadsheet", 2, "python-calamine")

    def load(self, source: Source, data: BinaryIO) -> Extraction:
        """See `Loader`.

        Raises:
            EncryptedSource: the workbook is protected with a password.
            BrokenSource, LimitExceeded: the workbook cannot be read.
        """
        _check(source, data)
        workbook = _opened(source, data)
        writer = ExtractionWriter()
        drawn = drawings_by_sheet(source, data)
        for number, name in enumerate(workbook.sheet_names, start=1):
            _write_sheet(workbook, name, number, drawn.get(number, ()), writer)
        return titled(writer.finish())


def _check(source: Source, data: BinaryIO) -> None:
    """Refuses what is encrypted or would unpack beyond the limits before the library sees it."""
    data.seek(0)
    magic = data.read(len(OLE_MAGIC))
    data.seek(0)
    if magic.startswith(b"PK"):
        try:
            with zipfile.ZipFile(data) as archive:
                check_archive(source, archive)
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise BrokenSource(f"{source.uri!r} is damaged: no readable zip archive ({error})") from error
    elif magic == OLE_MAGIC and _is_locked(data):
        raise encrypted(source)
    data.seek(0)


def _is_locked(data: BinaryIO) -> bool:
    import olefile

    try:
        with olefile.OleFileIO(data) as container:
            if container.exists("EncryptedPackage"):
                return True
            books = [name for name in ("Workbook", "Book") if container.exists(name)]
            return any(_has_file_pass(container.openstream(name).read(4096)) for name in books)
    except OSError:
        return False  # damaged: the library says how


def _has_file_pass(stream: bytes) -> bool:
    """Whether a binary workbook starts with the record that says how it is encrypted.

    Source: [MS-XLS] 2.4.117 FilePass, which follows the first record (BOF) of the globals, after WriteProtect at most.
    """
    position = 0
    for _ in range(6):
        kind = int.from_bytes(stream[position : position + 2], "little")
        if kind == _FILE_PASS:
            return True
        position += 4 + int.from_bytes(stream[position + 2 : position + 4], "little")
    return False


def _opened(source: Source, data: BinaryIO) -> Any:
    import python_calamine

    data.seek(0)
    try:
        return python_calamine.CalamineWorkbook.from_filelike(data)
    except python_calamine.PasswordError as error:
        raise encrypted(source) from error
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        if "password" in str(error).lower() or "encrypt" in str(error).lower():
            raise encrypted(source) from error
        raise BrokenSource(f"{source.uri!r} is damaged: no readable workbook ({error})") from error


def _write_sheet(
    workbook: Any, name: str, number: int, drawn: Sequence[tuple[BlockKind, str]], writer: ExtractionWriter
) -> None:
    places = (Place(page=number, label=name),)
    try:
        regions = _cells(workbook, name)
    except ValueError as error:
        writer.problem(f"the sheet {name!r} cannot be read: {error}", page=number)
        regions = []
    if regions or drawn:
        writer.add("heading", name, places=places, level=1)
    for region in _with_headers(regions):
        is_line = len(region) == 1 and sum(bool(cell) for cell in region[0]) == 1
        writer.add("paragraph" if is_line else "table", table_text(region), places=places)
    for kind, text in drawn:
        writer.add(kind, text, places=places)


def _cells(workbook: Any, name: str) -> list[list[list[str]]]:
    """The regions of a sheet.

    Raises:
        ValueError: the library cannot read the sheet.
    """
    import python_calamine

    try:
        return list(_regions(workbook.get_sheet_by_name(name).iter_rows()))
    except python_calamine.WorksheetNotFound:
        return []  # a sheet that is nothing but a chart
    except (python_calamine.CalamineError, OSError) as error:
        raise ValueError(str(error)) from error


def _with_headers(regions: list[list[list[str]]]) -> Iterator[list[list[str]]]:
    """Regions, a row of column names that a blank row sets apart joined to the cells that it names."""
    header: list[list[str]] = []
    for region in regions:
        if not header and len(region) == 1 and sum(bool(cell) for cell in region[0]) > 1:
            header = region
            continue
        if header and _used(header) != _used(region):
            yield header
            header = []
        yield [*header, *region]
        header = []
    if header:
        yield header


def _used(region: list[list[str]]) -> set[int]:
    return {column for row in region for column, cell in enumerate(row) if cell}


def _regions(rows: Iterator[list[Any]]) -> Iterator[list[list[str]]]:
    """Runs of rows that are not blank: what is below a gap is another table."""
    region: list[list[str]] = []
    for row in rows:
        cells = [cell_value(value) for value in row]
        if any(cells):
            region.append(cells)
        elif region:
            yield region
            region = []
    if region:
        yield region


def cell_value(value: object) -> str:
    """A value as a reader expects it.

    >>> [cell_value(value) for value in (2.0, 0.1 + 0.2, True, datetime(2026, 3, 1), datetime(2026, 3, 1, 9, 30))]
    ['2', '0.3', 'TRUE', '2026-03-01', '2026-03-01 09:30:00']
    """
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return _duration(value)
    return str(value).strip()


def _number(value: float) -> str:
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    # A workbook keeps 15 significant digits; what lies behind them is the noise of binary fractions.
    return format(value, ".15g")


def _duration(value: timedelta) -> str:
    seconds = round(value.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
