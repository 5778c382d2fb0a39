"""Text in pictures, by RapidOCR with the models that lie in its wheel: simplified and traditional Chinese, English and
other Latin scripts. Nothing is downloaded: the model files are named by path, and a missing one is an error.

The engine is loaded once a process, at its first picture.
"""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from statistics import median
from threading import Lock
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from penstock.errors import EngineError, ModelNotFound
from penstock.loaders.pages import Piece, Rect

OcrMode = Literal["auto", "always", "never"]
Pixels = NDArray[np.uint8]
"""Shape (height, width, 3), red green blue."""

LONGEST_SIDE = 2000
"""Pixels; a larger picture is scaled down. 3000 took 1.4 times the memory and read no more on 18 pages of documents."""
SURE = 0.5
"""A line whose score is lower is dropped."""
LETTER_SHARE = 0.78
"""Size of the letters as a share of the height of the box that is found around a line."""
SAME_SIZE = 0.25
"""Letter sizes that differ by a smaller share are taken for the same."""
THREADS = 2
BATCH = 4
"""Lines that are recognised at once; more take memory and, padded to the longest, no less time."""

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


def recognise(pixels: Pixels) -> Recognised:
    """The lines of text in a picture, in no particular order.

    Raises:
        EngineError: the models are not there, or fail on this picture.
    """
    height, width = pixels.shape[:2]
    if min(height, width) < 8:
        return Recognised(pieces=(), unsure=0)
    found = _read(_engine(), pixels[:, :, ::-1])
    if found.boxes is None or found.txts is None:
        return Recognised(pieces=(), unsure=0)
    lines = list(zip(found.boxes, found.txts, found.scores, strict=True))
    pieces = [_piece(quad, text) for quad, text, score in lines if score >= SURE and text.strip()]
    return Recognised(pieces=tuple(_evened(pieces)), unsure=sum(len(text) for _, text, score in lines if score < SURE))


def _piece(quad: Any, text: str) -> Piece:
    across, down = [float(x) for x in quad[:, 0]], [float(y) for y in quad[:, 1]]
    height = (float(np.linalg.norm(quad[0] - quad[3])) + float(np.linalg.norm(quad[1] - quad[2]))) / 2
    rect = Rect(min(across), min(down), max(across), max(down))
    return Piece(text=text, rect=rect, size=max(height * LETTER_SHARE, 1.0))


def _evened(pieces: list[Piece]) -> list[Piece]:
    """The pieces with equal sizes where they are nearly equal: the box of `on` is lower than that of `by`."""
    sizes = [piece.size for piece in pieces]
    return [
        replace(piece, size=median(size for size in sizes if abs(size - piece.size) <= SAME_SIZE * piece.size))
        for piece in pieces
    ]


def _read(engine: Any, pixels: Pixels) -> Any:
    import cv2
    from rapidocr.inference_engine.onnxruntime.main import ONNXRuntimeError

    try:
        with _running:
            return engine(np.ascontiguousarray(pixels))
    except (ONNXRuntimeError, cv2.error, ValueError, MemoryError) as error:
        reason = str(error).strip().splitlines()[-1:] or [type(error).__name__]
        raise EngineError(
            f"text recognition failed on a picture of {pixels.shape[1]} x {pixels.shape[0]} pixels: {reason[0]}"
        ) from error


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
            "Rec.rec_batch_num": BATCH,
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
    import onnxruntime

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
