"""PDF through PyMuPDF (AGPL or commercial): text with places, ruled tables, outline, page labels; scans through OCR.

MuPDF is not safe for use from several threads at once: a process reads one PDF at a time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from mmap import ACCESS_READ, mmap
from typing import Any, BinaryIO

from penstock.errors import BrokenSource, EncryptedSource
from penstock.loaders.detection.kinds import PDF, kinds_of
from penstock.loaders.fingerprints import fingerprint
from penstock.loaders.layout.paged_document import PagedDocument
from penstock.loaders.layout.pages import OutlineEntry
from penstock.loaders.ocr.ocr import OcrMode, Pixels
from penstock.loaders.ocr.scans import read_page
from penstock.loaders.pdf.pymupdf_pages import library, page_of, sight_of
from penstock.model import Extraction, Source

REVISION = 3
"""Raised when the same file would be read differently."""
SHRINK_EVERY = 20
"""Pages after which MuPDF's cache of fonts and pictures is emptied."""

LOST_PARTS = ("cannot load content stream",)
LOST_PAGES = ("non-page object in page tree", "object is not a stream", "zlib error", "premature end of data")
"""What MuPDF says where a page, or a part of one, is lost; on a page with text, the latter are of no consequence."""


class PyMuPDFLoader:
    """Reads PDF files with PyMuPDF."""

    takes = kinds_of(PDF)

    def __init__(self, *, ocr: OcrMode = "auto", ocr_dpi: int = 200) -> None:
        self._ocr = ocr
        self._dpi = ocr_dpi

    @property
    def fingerprint(self) -> str:
        """Name, revision, libraries and options."""
        return fingerprint("pdf-pymupdf", REVISION, "pymupdf", "rapidocr", ocr=self._ocr, ocr_dpi=self._dpi)

    def load(self, source: Source, data: BinaryIO) -> Extraction:
        """The text of all pages, page by page; a page that cannot be read is a problem with its number.

        Raises:
            EncryptedSource: a password is needed to open the file.
            BrokenSource: the file is damaged beyond repair.
        """
        with _opened(source, data) as document:
            paged = PagedDocument(outline=_outline(document))
            for number in range(1, document.page_count + 1):
                self._add(paged, document, number)
                if number % SHRINK_EVERY == 0:
                    library().TOOLS.store_shrink(100)
            return paged.finish(title=str((document.metadata or {}).get("title") or ""))

    def _add(self, paged: PagedDocument, document: Any, number: int) -> None:
        pymupdf = library()
        pymupdf.TOOLS.reset_mupdf_warnings()
        try:
            page = document.load_page(number - 1)
            reading = read_page(
                page_of(page, number),
                lambda: sight_of(page),
                lambda scale: _drawn(page, scale),
                ocr=self._ocr,
                dpi=self._dpi,
            )
        except (pymupdf.mupdf.FzErrorBase, RuntimeError, ValueError, IndexError, TypeError) as error:
            paged.problem(f"the page is damaged and cannot be read: {_reason(error)}", page=number)
            return
        paged.add(reading.page)
        problem = reading.problem or _loss(pymupdf.TOOLS.mupdf_warnings(), is_blank=not reading.page.pieces)
        if problem:
            paged.problem(problem, page=number)


def _loss(warnings: str, *, is_blank: bool) -> str:
    """What MuPDF, which mends silently what it can, could not mend on a page; empty where nothing is lost."""
    if is_blank and any(sign in warnings for sign in (*LOST_PARTS, *LOST_PAGES)):
        return "the page is damaged, nothing on it can be read"
    if any(sign in warnings for sign in LOST_PARTS):
        return "a part of the page is damaged and cannot be read"
    return ""


def _drawn(page: Any, scale: float) -> Pixels:
    """The page as a picture of `scale` pixels a point: uint8, shape (height, width, 3)."""
    import numpy as np

    pymupdf = library()
    picture = page.get_pixmap(matrix=pymupdf.Matrix(scale, scale), colorspace=pymupdf.csRGB, alpha=False)
    return np.frombuffer(picture.samples, dtype=np.uint8).reshape(picture.height, picture.width, 3)


@contextmanager
def _opened(source: Source, data: BinaryIO) -> Iterator[Any]:
    pymupdf = library()
    try:
        document = pymupdf.open(stream=_held(data), filetype="pdf")
    except (pymupdf.mupdf.FzErrorBase, RuntimeError, ValueError) as error:
        raise BrokenSource(f"{source.uri!r} is damaged, or no PDF: it has no page that can be read") from error
    with document:
        if document.needs_pass:
            raise EncryptedSource(
                f"{source.uri!r} needs a password; save a copy without one (print to PDF, or qpdf --decrypt) "
                "and ingest that copy"
            )
        if document.page_count == 0:
            raise BrokenSource(
                f"{source.uri!r} is a PDF without a readable page; open it in a viewer and save it again"
            )
        yield document


def _held(data: BinaryIO) -> memoryview:
    """All bytes of a file. The file is mapped where it can be: a large one is then not held in memory as a whole.

    Raises:
        ValueError: it is empty.
    """
    try:
        return memoryview(mmap(data.fileno(), 0, access=ACCESS_READ))
    except OSError:  # no file of the system
        return memoryview(data.read())


def _outline(document: Any) -> list[OutlineEntry]:
    try:
        entries = document.get_toc(simple=True)
    except (library().mupdf.FzErrorBase, RuntimeError, ValueError, KeyError, IndexError, TypeError):
        return []  # a damaged outline costs heading levels, nothing else
    return [OutlineEntry(level=level, title=title, page=page) for level, title, page in entries if page > 0]


def _reason(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
