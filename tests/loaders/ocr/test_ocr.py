"""The OCR engine: which models it takes, and what it does when they are not there or fail."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from penstock.errors import EngineError, ModelNotFound
from penstock.loaders.layout.pages import Page, Piece, Rect
from penstock.loaders.ocr import ocr
from penstock.loaders.ocr.ocr import Recognised, recognise
from penstock.loaders.ocr.scans import Sight, letters, read_page

WHITE = np.full((60, 80, 3), 255, np.uint8)
SPECKLED = WHITE.copy()
SPECKLED[20:30, 20:30] = 0


def piece(text: str) -> Piece:
    return Piece(text=text, rect=Rect(10, 10, 60, 20), size=10)


def page(*texts: str) -> Page:
    return Page(number=1, width=80, height=60, pieces=tuple(map(piece, texts)))


def found(*texts: str, unsure: int = 0) -> Recognised:
    return Recognised(pieces=tuple(map(piece, texts)), unsure=unsure)


def test_missing_models_are_reported_and_not_downloaded(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="install it again"):
        ocr._session(tmp_path, "det")


def test_engine_is_loaded_once() -> None:
    assert ocr._engine() is ocr._engine()


def test_failure_of_a_model_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(pixels: object, **parts: bool) -> Any:
        raise ValueError("bad shape")

    monkeypatch.setattr(ocr, "_engine", lambda: fails)
    with pytest.raises(EngineError, match="80 x 60 pixels: bad shape"):
        recognise(SPECKLED)


def test_unsure_lines_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    quad = np.array([[10, 10], [60, 10], [60, 20], [10, 20]], np.float32)
    words = iter([(("sure of it",), (0.9,)), (("mumbled words",), (0.2,)), (None, None)])

    def engine(pixels: object, *, use_det: bool, use_cls: bool, use_rec: bool) -> Any:
        return (
            SimpleNamespace(boxes=[quad] * 3)
            if use_det
            else SimpleNamespace(**dict(zip(("txts", "scores"), next(words), strict=True)))
        )

    monkeypatch.setattr(ocr, "_engine", lambda: engine)
    result = recognise(SPECKLED)
    assert [piece.text for piece in result.pieces] == ["sure of it"]
    assert (result.unsure, result.much_unsure) == (13, True)


def strip(*words: tuple[int, int]) -> ocr.Pixels:
    """A white line, 20 pixels high and 1000 long, with black words from column to column."""
    pixels = np.full((20, 1000, 3), 255, np.uint8)
    for start, end in words:
        pixels[5:15, start:end] = 0
    return pixels


def test_short_line_is_read_whole() -> None:
    line = strip((10, 900))[:, :300]
    (part,) = ocr.parts_of(line)
    assert part[0].shape == line.shape
    assert part[1] is False


def test_long_line_is_cut_between_words_and_nothing_is_lost() -> None:
    line = strip((5, 300), (310, 350), (352, 640), (660, 990))
    parts = list(ocr.parts_of(line))
    widths = [part.shape[1] for part, _ in parts]
    assert sum(widths) == 1000
    assert [apart for _, apart in parts] == [False, True, True]
    assert widths[0] in range(300, 311)
    assert widths[0] + widths[1] in range(640, 661)


def test_long_line_without_a_gap_is_cut_all_the_same() -> None:
    parts = list(ocr.parts_of(strip((0, 1000))))
    assert [part.shape[1] for part, _ in parts] == [333, 333, 334]
    assert [apart for _, apart in parts] == [False, False, False]


@pytest.mark.parametrize(
    ("texts", "garbage"),
    [
        pytest.param(("plain words",), 0, id="plain"),
        pytest.param(("年假",), 0, id="chinese"),
        pytest.param(("\ue012\ue013",), 1, id="private use"),
        pytest.param(("\ufffd\ufffdab",), 0.5, id="half undecoded"),
        pytest.param(("(cid:12)(cid:7)",), 0.8, id="cid"),
        pytest.param((), 0, id="none"),
    ],
)
def test_share_of_garbage(texts: tuple[str, ...], garbage: float) -> None:
    assert letters(page(*texts))[1] == pytest.approx(garbage, abs=0.15)


WORDS = "forty letters and more are enough text for any page"
GARBAGE = "\ue001" * 60
SCAN, FORM, PHOTO = Sight(covered=1, shapes=0), Sight(covered=0, shapes=3), Sight(covered=0.2, shapes=0)


@pytest.mark.parametrize(
    ("texts", "sight", "mode", "reads", "text", "problem"),
    [
        pytest.param((WORDS,), SCAN, "auto", found("x"), WORDS, "", id="text is kept"),
        pytest.param((WORDS,), SCAN, "always", found("read"), "read", "", id="always reads"),
        pytest.param((WORDS,), SCAN, "always", found(), WORDS, "", id="always, nothing read"),
        pytest.param((), SCAN, "auto", found("read"), "read", "", id="scan is read"),
        pytest.param((), SCAN, "auto", found(), "", "no text could be recognised", id="scan without text"),
        pytest.param((), SCAN, "never", found(), "", "OCR is off", id="scan, off"),
        pytest.param((), FORM, "auto", found("x"), "", "", id="a few lines are no scan"),
        pytest.param(("3",), SCAN, "auto", found("3 and more"), "3 and more", "", id="stamped scan"),
        pytest.param(("page 3",), SCAN, "auto", found("3"), "page 3", "", id="less is read than is there"),
        pytest.param(("page 3",), SCAN, "never", found(), "page 3", "", id="stamped scan, off"),
        pytest.param(("page 3",), PHOTO, "auto", found("x" * 9), "page 3", "", id="short page with a photo"),
        pytest.param((GARBAGE,), FORM, "auto", found("read"), "read", "", id="undecodable text is read"),
        pytest.param((GARBAGE,), FORM, "never", found(), "", "cannot be decoded", id="undecodable, off"),
        pytest.param((), SCAN, "auto", found("read", unsure=50), "read", "certainty", id="much unsure"),
    ],
)
def test_which_pages_are_read_by_ocr(
    monkeypatch: pytest.MonkeyPatch,
    texts: tuple[str, ...],
    sight: Sight,
    mode: ocr.OcrMode,
    reads: Recognised,
    text: str,
    problem: str,
) -> None:
    monkeypatch.setattr("penstock.loaders.ocr.scans.recognise", lambda pixels: reads)
    reading = read_page(page(*texts), lambda: sight, lambda scale: SPECKLED, ocr=mode, dpi=72)
    assert " ".join(piece.text for piece in reading.page.pieces) == text
    assert problem in reading.problem
    assert bool(problem) == bool(reading.problem)


def test_blank_scan_is_no_problem_and_a_failure_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(pixels: object) -> Recognised:
        raise EngineError("no memory")

    monkeypatch.setattr("penstock.loaders.ocr.scans.recognise", fails)
    assert read_page(page(), lambda: SCAN, lambda scale: WHITE, ocr="auto", dpi=72).problem == ""
    assert "no memory" in read_page(page(), lambda: SCAN, lambda scale: SPECKLED, ocr="auto", dpi=72).problem


def test_huge_page_is_drawn_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    scales: list[float] = []
    monkeypatch.setattr("penstock.loaders.ocr.scans.recognise", lambda pixels: found())
    poster = Page(number=1, width=8000, height=4000, pieces=())
    read_page(poster, lambda: SCAN, lambda scale: scales.append(scale) or SPECKLED, ocr="auto", dpi=200)  # type: ignore[func-returns-value]  # list.append gives None
    assert scales == [0.5]
