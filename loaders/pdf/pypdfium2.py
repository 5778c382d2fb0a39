"""PDF through pypdfium2 (permissive): text with places, outline, page labels; scans through OCR.

PDFium finds no tables; those without ruling lines are found from the places of the text, as with every engine, and a
ruled table whose cells wrap over several lines comes out line by line. It is not safe for use from several threads.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from penstock.errors import BrokenSource, EncryptedSource
from penstock.loaders.detection.kinds import PDF, kinds_of
from penstock.loaders.fingerprints import fingerprint
from penstock.loaders.layout.paged_document import PagedDocument
from penstock.loaders.layout.pages import OutlineEntry
from penstock.loaders.ocr.ocr import OcrMode, Pixels
from penstock.loaders.ocr.scans import read_page
from penstock.loaders.pdf.pypdfium2_pages import page_of, sight_of
from penstock.model import Extraction, Source

REVISION = 2
"""Raised when the same file would be read differently."""


class PdfiumLoader:
    """Reads PDF files with pypdfium2."""

    takes = kinds_of(PDF)

    def __init__(self, *, ocr: OcrMode = "auto", ocr_dpi: int = 200) -> None:
        self._ocr = ocr
        self._dpi = ocr_dpi

    @property
    def fingerprint(self) -> str:
        """Name, revision, libraries and options."""
        return fingerprint("pdf-pypdfium2", REVISION, "pypdfium2", "rapidocr", ocr=self._ocr, ocr_dpi=self._dpi)

    def load(self, source: Source, data: BinaryIO) -> Extraction:
        """The text of all pages, page by page; a page that cannot be read is a problem with its number.

        Raises:
            EncryptedSource: a password is needed to open the file.
            BrokenSource: the file is damaged beyond repair.
        """
        with _opened(source, data) as document:
            paged = PagedDocument(outline=_outline(document))
            for number in range(1, len(document) + 1):
                self._add(paged, document, number)
            return paged.finish(title=document.get_metadata_value("Title"))

    def _add(self, paged: PagedDocument, document: Any, number: int) -> None:
        from pypdfium2 import PdfiumError

        try:
            page = document[number - 1]
            try:
                reading = read_page(
                    page_of(page, number, document.get_page_label(number - 1)),
                    lambda: sight_of(page),
                    lambda scale: _drawn(page, scale),
                    ocr=self._ocr,
                    dpi=self._dpi,
                )
            finally:
                page.close()
        except (PdfiumError, ValueError, IndexError) as error:
            paged.problem(f"the page is damaged and cannot be read: {error}", page=number)
            return
        paged.add(reading.page)
        if reading.problem:
            paged.problem(reading.problem, page=number)


def _drawn(page: Any, scale: float) -> Pixels:
    """The page as a picture of `scale` pixels a point: uint8, shape (height, width, 3)."""
    bitmap = page.render(scale=scale, rev_byteorder=True)
    pixels: Pixels = bitmap.to_numpy()[:, :, :3].copy()
    bitmap.close()
    return pixels


@contextmanager
def _opened(source: Source, data: BinaryIO) -> Iterator[Any]:
    import pypdfium2
    from pypdfium2.raw import FPDF_ERR_PASSWORD

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == FPDF_ERR_PASSWORD:
            raise EncryptedSource(
                f"{source.uri!r} needs a password; save a copy without one (print to PDF, or qpdf --decrypt) "
                "and ingest that copy"
            ) from error
        raise BrokenSource(f"{source.uri!r} is no PDF that can be opened: {error}") from error
    try:
        if len(document) == 0:
            raise BrokenSource(
                f"{source.uri!r} is a PDF without a readable page; open it in a viewer and save it again"
            )
        yield document
    finally:
        document.close()


def _outline(document: Any) -> list[OutlineEntry]:
    entries = []
    for bookmark in document.get_toc():
        target = bookmark.get_dest()
        page = target.get_index() if target is not None else None
        if page is not None:
            entries.append(OutlineEntry(level=bookmark.level + 1, title=bookmark.get_title(), page=page + 1))
    return entries
