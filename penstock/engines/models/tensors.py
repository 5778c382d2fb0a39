"""Reading safetensors as float32 arrays: mapped, not copied, where they are float32 already.

Source of the format: https://huggingface.co/docs/safetensors (eight bytes of length, a JSON header, the raw arrays).
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from penstock.engines.models import blocks
from penstock.errors import DamagedModel
from penstock.ports import Float32Array

MAX_HEADER = 100_000_000
"""Bytes; the limit of the reference implementation."""
BLOCKS = "U8"
"""The type under which blocks of four bits are stored."""
Number = TypeVar("Number", bound=np.generic)


class Tensors(Mapping[str, Float32Array]):
    """The arrays of a safetensors file by name, widened to float32 when they are asked for.

    Raises:
        DamagedModel: the file is cut short or is no safetensors file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._bytes: NDArray[np.uint8] = np.memmap(path, dtype=np.uint8, mode="r")
            self._start = 8 + _header_length(self._bytes)
            header = json.loads(self._bytes[8 : self._start].tobytes())
            self._entries: dict[str, Any] = {name: entry for name, entry in header.items() if name != "__metadata__"}
        except (OSError, ValueError, AttributeError) as error:
            raise DamagedModel(f"{str(path)!r} is not a readable safetensors file: {error}") from error

    def __getitem__(self, name: str) -> Float32Array:
        """The array of that name, of the shape that the file states."""
        if str(self._entries[name].get("dtype")) == BLOCKS:
            return blocks.widened(self.blocks(name))
        return self._read(name, _widened)

    def blocks(self, name: str) -> blocks.Blocks:
        """The blocks of a tensor that is stored in them.

        Raises:
            DamagedModel: it is not stored so.
        """
        found = self._read(name, _bytes)
        if found.ndim != 3 or found.shape[-1] != blocks.BYTES:
            raise DamagedModel(f"tensor {name!r} of {str(self._path)!r} is not stored in blocks")
        return found

    def _read(self, name: str, read: Callable[[NDArray[np.uint8], str], NDArray[Number]]) -> NDArray[Number]:
        entry = self._entries[name]
        try:
            first, last = (self._start + int(offset) for offset in entry["data_offsets"])
            shape = tuple(int(size) for size in entry["shape"])
            return read(self._bytes[first:last], str(entry["dtype"])).reshape(shape)
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedModel(f"tensor {name!r} of {str(self._path)!r} cannot be read: {error}") from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def _header_length(content: NDArray[np.uint8]) -> int:
    """Bytes of the JSON header, from the bytes of the file, shape (file's size,)."""
    length = int.from_bytes(content[:8].tobytes(), "little")
    if not 0 < length <= min(MAX_HEADER, len(content) - 8):
        raise ValueError(f"its header claims {length} bytes")
    return length


def _bytes(raw: NDArray[np.uint8], dtype: str) -> NDArray[np.uint8]:
    if dtype != BLOCKS:
        raise ValueError(f"values of type {dtype} are in no blocks")
    return raw


def _widened(raw: NDArray[np.uint8], dtype: str) -> Float32Array:
    """The values in the bytes `raw`, shape (bytes,), as float32, shape (values,)."""
    match dtype:
        case "F32":
            return raw.view("<f4")
        case "F16":
            return raw.view("<f2").astype(np.float32)
        case "BF16":  # the upper half of a float32
            return (raw.view("<u2").astype(np.uint32) << 16).view(np.float32)
        case "F64":
            return raw.view("<f8").astype(np.float32)
    raise ValueError(f"values of type {dtype} are not taken; F32, F16, BF16 and F64 are")
