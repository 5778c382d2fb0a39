"""Not embedding the same text twice: a wrapper around any embedder, over any store of vectors."""

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Protocol

import numpy as np

from penstock.ids import text_hash
from penstock.ports import Embedder, Float32Array, Role


class VectorStore(Protocol):
    """Keeps vectors by the identity of the model and the hash of the text."""

    def get(self, identity: str, hashes: Sequence[str], /) -> Mapping[str, Float32Array]:
        """The stored vectors, by hash; each float32 of shape (d,)."""
        ...

    def put(self, identity: str, vectors: Mapping[str, Float32Array], /) -> None:
        """Stores vectors by hash; each float32 of shape (d,)."""
        ...


class CachedEmbedder:
    """An embedder that asks the inner one only for passages that the store does not hold.

    Questions go straight through: they are short, rarely repeated, and may carry another prompt than passages.
    """

    def __init__(self, inner: Embedder, store: VectorStore) -> None:
        self._inner = inner
        self._store = store
        self._lock = Lock()
        self.computed = 0
        """Texts that the inner embedder really computed."""

    @property
    def identity(self) -> str:
        """That of the inner embedder."""
        return self._inner.identity

    @property
    def dimension(self) -> int:
        """That of the inner embedder."""
        return self._inner.dimension

    @property
    def max_tokens(self) -> int:
        """That of the inner embedder."""
        return self._inner.max_tokens

    def coverage(self, text: str) -> float:
        """That of the inner embedder."""
        return self._inner.coverage(text)

    def count(self, texts: Sequence[str]) -> list[int]:
        """As the inner embedder counts."""
        return self._inner.count(texts)

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """As the inner embedder finds them."""
        return self._inner.offsets(text)

    def embed(self, texts: Sequence[str], *, role: Role) -> Float32Array:
        """Unit vectors, float32, shape (len(texts), dimension); passages that occur twice are computed once.

        Raises:
            EngineError: the model cannot be loaded or called.
        """
        if role == "query":
            return self._compute(texts, role)
        hashes = [text_hash(text) for text in texts]
        wanted = dict(zip(hashes, texts, strict=True))
        vectors = dict(self._store.get(self.identity, list(wanted)))
        missing = [key for key in wanted if key not in vectors]
        if missing:
            computed = self._compute([wanted[key] for key in missing], role)
            fresh = dict(zip(missing, computed, strict=True))
            self._store.put(self.identity, fresh)
            vectors.update(fresh)
        found = np.empty((len(texts), self.dimension), np.float32)
        for place, key in enumerate(hashes):
            found[place] = vectors[key]
        return found

    def _compute(self, texts: Sequence[str], role: Role) -> Float32Array:
        """Unit vectors of the inner embedder, float32, shape (len(texts), dimension)."""
        vectors = self._inner.embed(texts, role=role)
        with self._lock:
            self.computed += len(texts)
        return vectors


_: type[Embedder] = CachedEmbedder
