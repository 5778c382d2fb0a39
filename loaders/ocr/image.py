"""Pictures by OCR: PNG, JPEG, TIFF with all its pages, WebP, BMP, and the first frame of a GIF."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from penstock.errors import BrokenSource, EngineError, LimitExceeded
from penstock.loaders.detection.kinds import BMP, GIF, JPEG, PNG, TIFF, WEBP, kinds_of
from penstock.loaders.fingerprints import fingerprint
from penstock.loaders.layout.paged_document import PagedDocument
from penstock.loaders.layout.pages import Page
from penstock.loaders.ocr.ocr import OcrMode, Pixels, recognise
from penstock.model import Extraction, Source

REVISION = 2
"""Raised when the same file would be read differently."""
MAX_PIXELS = 100_000_000
"""Pixels of one picture; unpacked they take 300 MB."""
MAX_PAGES = 500
"""Pages of one TIFF."""
LONGEST_SIDE = 4000
"""Pixels; what is larger is scaled down before it goes to OCR."""
PAGED = frozenset({"TIFF"})
"""Formats whose frames are pages; those of other formats are a film, whose first frame is read."""


class ImageLoader:
    """Reads the text in pictures."""

    takes = kinds_of(PNG, JPEG, GIF, TIFF, WEBP, BMP)

    def __init__(self, *, ocr: OcrMode = "auto", ocr_dpi: int = 200) -> None:
        self._ocr = ocr
        self._dpi = ocr_dpi

    @property
    def fingerprint(self) -> str:
        """Name, revision, libraries and options; the resolution is a PDF's matter and changes nothing here."""
        return fingerprint("image", REVISION, "rapidocr", "pillow", ocr=self._ocr)

    def load(self, source: Source, data: BinaryIO) -> Extraction:
        """The lines that OCR reads, in reading order; a picture without text gives none.

        Raises:
            LimitExceeded: the picture has more pixels or pages than the limits allow.
            BrokenSource: the file is damaged, or is no picture.
        """
        paged = PagedDocument()
        if self._ocr == "never":
            paged.problem("the file is a picture, and OCR is off; set PENSTOCK_LOADERS__OCR=auto to read it")
            return paged.finish()
        with _opened(source, data) as picture:
            frames = getattr(picture, "n_frames", 1) if picture.format in PAGED else 1
            if frames > MAX_PAGES:
                raise LimitExceeded(f"{source.uri!r} has {frames} pages; at most {MAX_PAGES} are read: split the file")
            for number in range(1, frames + 1):
                _add(paged, source, picture, number, only=frames == 1)
        return paged.finish()


def _add(paged: PagedDocument, source: Source, picture: Any, number: int, *, only: bool) -> None:
    try:
        picture.seek(number - 1)
        pixels = _pixels(source, picture)
        found = recognise(pixels)
    except (OSError, SyntaxError, ValueError, EOFError, EngineError) as error:
        if only:
            raise BrokenSource(f"{source.uri!r} cannot be read as a picture: {error}") from error
        paged.problem(f"the page is damaged and cannot be read: {error}", page=number)
        return
    height, width = pixels.shape[:2]
    paged.add(Page(number=number, width=width, height=height, pieces=found.pieces, measured=False))
    if found.much_unsure:
        paged.problem("much of the picture could not be read with certainty", page=number)


def _pixels(source: Source, picture: Any) -> Pixels:
    """One frame as uint8 of shape (height, width, 3), turned as its camera says, on white where it is transparent."""
    import numpy as np
    from PIL import Image, ImageOps

    _check_size(source, picture)
    if picture.format == "JPEG":
        picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
    shown = ImageOps.exif_transpose(picture)
    if max(shown.size) > LONGEST_SIDE:
        shown = shown.convert("RGBA" if _is_transparent(shown) else "RGB")
        shown.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    if _is_transparent(shown):
        shown = shown.convert("RGBA")
        shown = Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown)
    elif shown.mode.startswith("I;16") or shown.mode in ("I", "F"):
        shown = _eight_bits(shown)
    return np.asarray(shown.convert("RGB"))


def _is_transparent(picture: Any) -> bool:
    return picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info


def _eight_bits(picture: Any) -> Any:
    """A picture of more than eight bits a pixel, its darkest value black and its brightest white."""
    import numpy as np
    from PIL import Image

    values = np.asarray(picture, dtype=np.float32)
    low, high = float(values.min()), float(values.max())
    return Image.fromarray(((values - low) * (255 / max(high - low, 1.0))).astype(np.uint8))


def _check_size(source: Source, picture: Any) -> None:
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise LimitExceeded(
            f"{source.uri!r} is a picture of {width} x {height} pixels; at most {MAX_PIXELS:,} are read: scale it down"
        )


@contextmanager
def _opened(source: Source, data: BinaryIO) -> Iterator[Any]:
    import warnings

    from PIL import Image, UnidentifiedImageError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large pictures, which are refused here, and of odd metadata
        try:
            picture = Image.open(data)
        except Image.DecompressionBombError as error:
            raise LimitExceeded(f"{source.uri!r} is a picture of far more pixels than are read: {error}") from error
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
            raise BrokenSource(f"{source.uri!r} is no picture that can be opened: {error}") from error
        with picture:
            _check_size(source, picture)
            yield picture
