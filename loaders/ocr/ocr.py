"""Text in pictures, by RapidOCR with the models that lie in its wheel: simplified and traditional Chinese, English and
other Latin scripts. Nothing is downloaded: the model files are named by path, and a missing one is an error.

The engine is loaded once a process, at its first picture.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from statistics import median
from threading import Lock
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from penstock import telemetry
from penstock.analysis.wide import stand_solid
from penstock.errors import EngineError, ModelNotFound
from penstock.loaders.layout.pages import Piece, Rect

OcrMode = Literal["auto", "always", "never"]
Pixels = NDArray[np.uint8]
"""Shape (height, width, 3), red green blue."""

LONGEST_SIDE = 2000
"""Pixels; a larger picture is scaled down. 3000 took 1.4 times the memory and read no more on 18 pages of documents."""
SEEN = 0.3
"""Score from which a place is taken for a line. With the library's 0.5, lines with formulas in them were lost."""
SURE = 0.5
"""A line whose score is lower is dropped."""
LETTER_SHARE = 0.78
"""Size of the letters as a share of the height of the box that is found around a line."""
SAME_SIZE = 0.25
"""Letter sizes that differ by a smaller share are taken for the same."""
THREADS = 2
LONGEST_LINE = 16
"""A line longer than this many times its height, and a quarter, is read in parts."""
INK = 48
"""A column whose pixels differ from the background by less (of 255) has no ink."""
BLANK_SHARE = 0.15
"""A gap between words is wider than this share of the line's height."""

_running = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """What OCR found in a picture, in pixels of that picture."""

    pieces: tuple[Piece, ...]
    unsure: int
    """Characters that were dropped because their line could not be read with certainty."""

    @property
    def much_unsure(self) -> bool:
        """Whether so much was dropped that a reader should know."""
        read = sum(len(piece.text) for piece in self.pieces)
        return self.unsure >= 10 and self.unsure > 0.2 * (read + self.unsure)


@dataclass(frozen=True, slots=True, kw_only=True)
class OcrLine:
    """A line of text as the engine finds it."""

    text: str
    score: float
    """0 to 1."""
    quad: NDArray[np.float32]
    """Shape (4, 2): the corners from the top left, clockwise, in pixels."""


def recognise(pixels: Pixels) -> Recognised:
    """The lines of text in a picture (`Pixels`: uint8, shape (height, width, 3), RGB), in no particular order.

    Raises:
        EngineError: the models are not there, or fail on this picture.
    """
    height, width = pixels.shape[:2]
    if min(height, width) < 8:
        return Recognised(pieces=(), unsure=0)
    lines = _read(_engine(), np.ascontiguousarray(pixels[:, :, ::-1]))
    pieces = [_piece(line) for line in lines if line.score >= SURE and line.text.strip()]
    return Recognised(pieces=tuple(_evened(pieces)), unsure=sum(len(line.text) for line in lines if line.score < SURE))


def _piece(line: OcrLine) -> Piece:
    across, down = [float(x) for x in line.quad[:, 0]], [float(y) for y in line.quad[:, 1]]
    height = (
        float(np.linalg.norm(line.quad[0] - line.quad[3])) + float(np.linalg.norm(line.quad[1] - line.quad[2]))
    ) / 2
    rect = Rect(min(across), min(down), max(across), max(down))
    return Piece(text=line.text, rect=rect, size=max(height * LETTER_SHARE, 1.0))


def _evened(pieces: list[Piece]) -> list[Piece]:
    """The pieces with equal sizes where they are nearly equal: the box of `on` is lower than that of `by`."""
    sizes = [piece.size for piece in pieces]
    return [
        replace(piece, size=median(size for size in sizes if abs(size - piece.size) <= SAME_SIZE * piece.size))
        for piece in pieces
    ]


def _read(engine: Any, pixels: Pixels) -> list[OcrLine]:
    """The lines that the engine finds in a picture, shape (height, width, 3), in the order blue green red."""
    import cv2

    telemetry.switch_off("onnxruntime")
    from rapidocr.inference_engine.onnxruntime.main import ONNXRuntimeError
    from rapidocr.utils.process_img import get_rotate_crop_image

    try:
        with _running:
            quads = engine(pixels, use_det=True, use_cls=False, use_rec=False).boxes
            quads = [] if quads is None else [np.asarray(quad, np.float32) for quad in quads]
            return [_line(engine, quad, get_rotate_crop_image(pixels, quad.copy())) for quad in quads]
    except (ONNXRuntimeError, cv2.error, ValueError, MemoryError) as error:
        reason = str(error).strip().splitlines()[-1:] or [type(error).__name__]
        raise EngineError(
            f"text recognition failed on a picture of {pixels.shape[1]} x {pixels.shape[0]} pixels: {reason[0]}"
        ) from error


def _line(engine: Any, quad: NDArray[np.float32], strip: Pixels) -> OcrLine:
    """The text of a strip, shape (height, width, 3), read in parts where it is long; the worst part's score.

    `quad` has shape (4, 2): the strip's corners on the page, in pixels.
    """
    text, worst = "", 1.0
    for part, apart in parts_of(strip):
        found = engine(part, use_det=False, use_cls=True, use_rec=True)
        words, score = (found.txts[0].strip(), float(found.scores[0])) if found.txts else ("", 1.0)
        spaced = apart and text and words and not stand_solid(text, words)
        text, worst = text + (" " if spaced else "") + words, min(worst, score)
    return OcrLine(text=text, score=worst, quad=quad)


def parts_of(strip: Pixels) -> Iterator[tuple[Pixels, bool]]:
    """A line of text, shape (height, width, 3), cut into parts that the model reads well, each of the same height.

    With each part comes whether there is a gap before it.

    The model was made for short lines: lines 40 times as long as high lost words or came out as scattered letters, with
    a high score. They are cut in the widest gap near the place where an even cut would be.
    """
    height, width = strip.shape[:2]
    count = max(round(width / (height * LONGEST_LINE)), 1) if width > 1.25 * height * LONGEST_LINE else 1
    ink = strip.min(axis=2).astype(np.int16)
    dark = np.abs(ink - int(np.median(ink))).max(axis=0)
    start, gap = 0, False
    for at in range(1, count + 1):
        cut, wide = (width, 0) if at == count else _gap_near(dark, at * width // count, reach=3 * height)
        yield strip[:, start:cut], gap
        start, gap = cut, wide > BLANK_SHARE * height


def _gap_near(dark: NDArray[np.int16], middle: int, *, reach: int) -> tuple[int, int]:
    """The middle and the width, in pixels, of the widest run of columns without ink near a place.

    `dark` is the darkest pixel of each column: int16, shape (width,), as its distance from the background.
    """
    first = max(middle - reach, 1)
    blank = dark[first : middle + reach] < INK
    best, width, run = middle, 0, 0
    for at, empty in enumerate(blank):
        run = run + 1 if empty else 0
        if run > width:
            best, width = first + at - run // 2, run
    return best, width


@cache
def _engine() -> Any:
    import rapidocr
    from omegaconf import flag_override

    folder = Path(rapidocr.__file__).parent / "models"
    engine: Any = rapidocr.RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.max_side_len": LONGEST_SIDE,
            "Global.text_score": 0.0,
            "Det.box_thresh": SEEN,
        }
    )
    with flag_override(engine.cfg, "allow_objects", True):
        for part, section in (("det", engine.cfg.Det), ("cls", engine.cfg.Cls), ("rec", engine.cfg.Rec)):
            section.session = _session(folder, part)
    return engine


def _session(folder: Path, part: str) -> Any:
    """A model of RapidOCR's wheel, on a bounded number of threads that sleep while they wait.

    Raises:
        ModelNotFound: it is not there, or is of a release whose models would fetch their characters from the network.
    """
    onnxruntime = telemetry.onnxruntime()
    paths = sorted(folder.glob(f"*_{part}_*.onnx"))
    if not paths:
        raise ModelNotFound(
            f"no {part!r} model in {str(folder)!r}: RapidOCR brings its models in its wheel; "
            "install it again (pip install --force-reinstall rapidocr)"
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.enable_cpu_mem_arena = False  # its arena keeps the memory of the largest picture for good
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(paths[0]), options, providers=["CPUExecutionProvider"])
    if part == "rec" and "character" not in session.get_modelmeta().custom_metadata_map:
        raise ModelNotFound(f"{str(paths[0])!r} does not say which characters it reads; install rapidocr 3.10 or later")
    return session
