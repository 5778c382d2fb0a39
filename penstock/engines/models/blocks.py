"""Values of four bits in blocks (Q4_0): 32 of them share a scale, and stand eight below what is stored.

A block is 18 bytes: the scale as a half-precision number, then 16 bytes of which each holds the value of its place in
the lower half and the value 16 places further in the upper half.

Source: https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h (`block_q4_0`).
"""

import numpy as np
from numpy.typing import NDArray

from penstock.ports import Float32Array

BYTES, VALUES = 18, 32
ZERO = 8
ROWS = 4096

Blocks = NDArray[np.uint8]
"""Shape (rows, blocks of a row, BYTES)."""


def scales(blocks: Blocks) -> Float32Array:
    """The scale of each block, shape (rows, blocks of a row)."""
    return np.ascontiguousarray(blocks[..., :2]).view("<f2")[..., 0].astype(np.float32)


def stored(blocks: Blocks) -> NDArray[np.uint8]:
    """The stored numbers, 0 to 15, shape (rows, blocks of a row, VALUES)."""
    halves = blocks[..., 2:]
    return np.concatenate([halves & 0x0F, halves >> 4], axis=-1)


def widened(blocks: Blocks) -> Float32Array:
    """The values themselves, shape (rows, values of a row); some rows at a time, for the sake of memory."""
    values = np.empty((*blocks.shape[:2], VALUES), np.float32)
    for first in range(0, len(blocks), ROWS):
        some = blocks[first : first + ROWS]
        np.subtract(stored(some), ZERO, out=values[first : first + ROWS], dtype=np.float32)
        values[first : first + ROWS] *= scales(some)[..., None]
    return values.reshape(len(blocks), -1)
