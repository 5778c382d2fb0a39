"""Embedders without a model: like texts get like vectors, and nothing is loaded."""

import hashlib
from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, Field

from penstock.model import Blueprint
from penstock.ports import Embedder, Float32Array, Role
from penstock.testing.doubles.counting import WordCounter

DIMENSION = 64
"""Of the vectors of doubles."""


class HashEmbedder(WordCounter):
    """Vectors from hashed characters and their neighbours: like texts get like vectors; no model, nothing to load.

    Its tokens are the words that `WordCounter` counts.
    """

    def __init__(self, *, dimension: int = DIMENSION, covers: float = 1.0) -> None:
        super().__init__()
        self._dimension = dimension
        self._covers = covers
        self.embedded: list[str] = []
        """Every text that was embedded, in order."""

    @property
    def identity(self) -> str:
        """Names the recipe."""
        return f"hash/{self._dimension}/float32"

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._dimension

    @property
    def max_tokens(self) -> int:
        """As much as small models see."""
        return 256

    def embed(self, texts: Sequence[str], *, role: Role) -> Float32Array:
        """Unit vectors, float32, shape (len(texts), dimension); the same for either role."""
        del role
        self.embedded.extend(texts)
        vectors = np.zeros((len(texts), self._dimension), np.float32)
        for row, text in enumerate(texts):
            marked = f"^{text.casefold()}$"
            for pair in (marked[place : place + 2] for place in range(len(marked) - 1)):
                number = hashlib.blake2b(pair.encode("utf-8", "surrogatepass"), digest_size=4).digest()
                vectors[row, int.from_bytes(number, "big") % self._dimension] += 1
            vectors[row] /= np.linalg.norm(vectors[row])
        return vectors

    def coverage(self, text: str) -> float:
        """The coverage that the constructor was given; 0 for a text of white space."""
        return self._covers if text.strip() else 0.0


class LittleOptions(BaseModel):
    """The options of the little model."""

    dimension: int = Field(DIMENSION, ge=1)


class LittleModel(HashEmbedder):
    """The same with a counter that another process can make: documents are cut where they are parsed."""

    Options = LittleOptions

    def __init__(self, *, dimension: int = DIMENSION) -> None:
        super().__init__(dimension=dimension)

    @property
    def counter(self) -> Blueprint:
        """Makes a `WordCounter`."""
        return Blueprint(factory=f"{WordCounter.__module__}:{WordCounter.__qualname__}")


_: type[Embedder] = HashEmbedder
