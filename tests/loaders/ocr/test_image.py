"""Pictures as OCR reads them; every picture is drawn here."""

import io
from collections.abc import Sequence
from typing import Any

import pymupdf
import pytest
from PIL import Image

from penstock.errors import BrokenSource, EngineError, LimitExceeded
from penstock.loaders.ocr import image
from penstock.loaders.ocr.image import ImageLoader
from penstock.loaders.ocr.ocr import Recognised
from penstock.model import Extraction, Source


def read(data: bytes, **options: Any) -> Extraction:
    source = Source(uri="scan.png", media_type="image/png", sha256="", size=len(data), labels={})
    return ImageLoader(**options).load(source, io.BytesIO(data))


def drawn(
    lines: Sequence[tuple[float, float, str]], *, size: float = 20, width: int = 400, high: int = 160
) -> Image.Image:
    document = pymupdf.open()
    page = document.new_page(width=width, height=high)
    for left, top, text in lines:
        page.insert_text((left, top), text, fontsize=size, fontname="helv" if text.isascii() else "china-s")
    picture = page.get_pixmap(dpi=108)
    return Image.frombytes("RGB", (picture.width, picture.height), picture.samples)


def saved(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def plain(extraction: Extraction) -> str:
    return "".join(extraction.text.split())


HELLO = [(30, 50, "年假 policy"), (30, 80, "每年十五天")]


def test_chinese_and_english_are_read_with_their_places() -> None:
    extraction = read(saved(drawn(HELLO)))
    assert plain(extraction) == "年假policy每年十五天"
    assert extraction.problems == ()
    (place,) = extraction.blocks[0].places
    assert place.page == 1
    assert place.box is not None
    assert place.box.left == pytest.approx(0.07, abs=0.04)
    assert place.box.top == pytest.approx(0.2, abs=0.06)


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        pytest.param("JPEG", "RGB", id="jpeg"),
        pytest.param("WEBP", "RGB", id="webp"),
        pytest.param("BMP", "1", id="bmp, one bit"),
        pytest.param("GIF", "P", id="gif, palette"),
        pytest.param("PNG", "LA", id="png, grey with alpha"),
    ],
)
def test_formats_and_modes_are_read(kind: str, mode: str) -> None:
    assert plain(read(saved(drawn([(30, 50, "Staff policy")], high=80).convert(mode), kind))) == "Staffpolicy"


def test_transparent_background_is_white() -> None:
    picture = drawn([(30, 50, "Staff policy")], high=80).convert("L")
    black = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    black.putalpha(picture.point(lambda value: 255 - value))
    assert plain(read(saved(black))) == "Staffpolicy"


def test_sixteen_bits_a_pixel_are_read() -> None:
    picture = drawn([(30, 50, "Staff policy")], high=80).convert("L")
    deep = Image.frombytes("I;16", picture.size, b"".join(bytes((0, value)) for value in picture.tobytes()))
    assert plain(read(saved(deep))) == "Staffpolicy"


def test_camera_turn_is_followed() -> None:
    turned = drawn(HELLO).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned clockwise
    assert plain(read(saved(turned, "JPEG", exif=exif, quality=95))) == "年假policy每年十五天"


def test_every_page_of_a_tiff_is_a_page_and_of_a_gif_only_the_first_frame() -> None:
    pages = [drawn([(30, 50, word)], high=80, width=200) for word in ("first", "second")]
    extraction = read(saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert [(block.places[0].page, extraction.text[slice(*block.span)]) for block in extraction.blocks] == [
        (1, "first"),
        (2, "second"),
    ]
    assert plain(read(saved(pages[0], "GIF", save_all=True, append_images=pages[1:]))) == "first"


def test_columns_are_read_one_after_the_other() -> None:
    left = [
        (20, 40 + 16 * at, f"left column has line {word} here") for at, word in enumerate(("one", "two", "six", "ten"))
    ]
    right = [(300, top, text.replace("left", "right")) for _, top, text in left]
    text = read(saved(drawn([*left, *right], size=12, width=560, high=140))).text
    assert text.index("line ten here") < text.index("right column has line one here")


def test_long_line_is_read_to_its_end() -> None:
    line = "Leave that was not taken by the end of a year carries over into the next one and is lost after March"
    extraction = read(saved(drawn([(10, 30, line)], size=11, width=560, high=60)))
    assert plain(extraction) == line.replace(" ", "")
    assert extraction.text.count(" ") >= line.count(" ") - 2


@pytest.mark.parametrize("size", [(400, 300), (3, 3)], ids=["plain", "tiny"])
def test_picture_without_text_is_empty(size: tuple[int, int]) -> None:
    extraction = read(saved(Image.new("RGB", size, "white")))
    assert (extraction.text, extraction.blocks, extraction.problems) == ("", (), ())


def test_picture_with_too_many_pixels_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(Image.new("1", (3000, 3000)))
    monkeypatch.setattr(image, "MAX_PIXELS", 1_000_000)
    with pytest.raises(LimitExceeded, match="3000 x 3000"):
        read(data)


def test_decompression_bomb_is_refused_before_it_is_unpacked() -> None:
    data = bytearray(saved(Image.new("1", (8, 8))))
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    data[29:33] = _crc(bytes(data[12:29]))
    with pytest.raises(LimitExceeded):
        read(bytes(data))


def _crc(part: bytes) -> bytes:
    from zlib import crc32

    return crc32(part).to_bytes(4, "big")


def test_tiff_with_too_many_pages_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "MAX_PAGES", 1)
    page = Image.new("1", (20, 20))
    with pytest.raises(LimitExceeded, match="2 pages"):
        read(saved(page, "TIFF", save_all=True, append_images=[page]))


@pytest.mark.parametrize("part", [0, 30, 0.5], ids=["empty", "head only", "half"])
def test_broken_picture_is_reported(part: float) -> None:
    data = saved(drawn(HELLO))
    with pytest.raises(BrokenSource, match=r"scan\.png"):
        read(data[: int(part * len(data)) if part < 1 else int(part)])


def test_text_is_no_picture() -> None:
    with pytest.raises(BrokenSource):
        read(b"not a picture")


def test_ocr_off_is_a_problem_and_not_silence() -> None:
    extraction = read(saved(Image.new("RGB", (50, 50))), ocr="never")
    assert "OCR is off" in extraction.problems[0].message


def test_page_on_which_ocr_fails_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def fails_first(pixels: object) -> Recognised:
        calls.append(1)
        if len(calls) == 1:
            raise EngineError("out of memory")
        return Recognised(pieces=(), unsure=40)

    monkeypatch.setattr(image, "recognise", fails_first)
    page = Image.new("L", (20, 20))
    extraction = read(saved(page, "TIFF", save_all=True, append_images=[page]))
    assert [(problem.page, problem.message[:12]) for problem in extraction.problems] == [
        (1, "the page is "),
        (2, "much of the "),
    ]
    calls.clear()
    with pytest.raises(BrokenSource, match="out of memory"):
        read(saved(page))


def test_fingerprint_distinguishes_options_that_matter() -> None:
    assert ImageLoader().fingerprint != ImageLoader(ocr="never").fingerprint
    assert ImageLoader().fingerprint == ImageLoader(ocr_dpi=300).fingerprint
