"""The default embedder: the graph that a model brings, or one built from its weights, run by ONNX Runtime, no torch."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import groupby
from pathlib import Path
from threading import Lock
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from penstock.engines.embedders import onnx_cache, onnx_graph, onnx_own, onnx_session
from penstock.engines.embedders.coverage import Coverage
from penstock.engines.embedders.vocabulary import TOKENIZER, Vocabulary
from penstock.engines.models.checksums import Checksums
from penstock.engines.models.model_folder import ModelFolder, read_folder
from penstock.engines.models.models import model_name, resolve
from penstock.errors import EngineError, SettingsError
from penstock.model import Blueprint
from penstock.ports import Embedder, Float32Array, PortableCounter, Role
from penstock.registry import build

Precision = Literal["auto", "float32", "bfloat16"]

WINDOW = 2048
"""Texts that are tokenized and sorted by length at a time: bounds memory, and is enough to find equal lengths."""
CALL_TOKENS = 8192
"""Tokens of one call of the graph, at most (one text is always taken): bounds memory."""


class OnnxEmbedder:
    """Unit vectors from a model folder in the sentence-transformers layout.

    A folder with a graph of its own (`onnx/model.onnx`) may hold any encoder; from weights alone, graphs are built for
    BERT and XLM-RoBERTa. Constructing it reads configuration files, and notes what a folder's own graph asks for; the
    weights are loaded when the first text is embedded. Texts longer than `max_tokens` are cut there. Threads may share
    one embedder.

    Raises:
        ModelNotFound: the model is not on this machine; says how to get it.
        UnsupportedModel: it is of a kind that the graph does not express; names the engine that takes it.
        DamagedModel: its files cannot be read.
        SettingsError: the precision is bfloat16.
    """

    def __init__(
        self,
        *,
        model: str = "default",
        home: Path,
        precision: Precision = "auto",
        batch: int = 32,
        threads: int = 0,
    ) -> None:
        if precision not in ("auto", "float32"):
            raise SettingsError(
                f"the onnx engine computes in float32, or in int8 where weights are stored in four bits; "
                f"precision {precision!r} needs the sentence-transformers engine"
            )
        path = resolve(model, home)
        self._folder: ModelFolder = read_folder(path, model_name(path, home))
        self._checksums = Checksums(home)
        onnx_graph.check_layout(self._folder)
        self._own = onnx_own.find(self._folder, self._checksums)
        if self._own is None:
            onnx_graph.check_expressed(self._folder)
        self._int8 = self._own is None and self._folder.in_blocks and precision == "auto"
        self._batch = batch
        self._threads = threads
        self._lock = Lock()
        self._loaded: Callable[[NDArray[np.int32]], Float32Array] | None = None

    @cached_property
    def identity(self) -> str:
        """Model, weights (or the graph that brings them), pooling and precision.

        Raises:
            DamagedModel: the weights cannot be read, or the default model's are not the published ones.
        """
        own = self._own.checksum if self._own else None
        precision = "int8" if self._int8 else "float32"
        return self._folder.identity(self._checksums, precision, checksum=own)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._folder.dimension

    @property
    def max_tokens(self) -> int:
        """How much of a text the model sees, in its own tokens, special tokens included."""
        return self._folder.max_tokens

    def embed(self, texts: Sequence[str], *, role: Role) -> Float32Array:
        """Unit vectors, float32, shape (len(texts), dimension).

        Raises:
            DamagedModel: the weights cannot be read.
            EngineError: ONNX Runtime failed.
        """
        vectors = np.empty((len(texts), self.dimension), np.float32)
        prompt = self._folder.prompt(role)
        for first in range(0, len(texts), WINDOW):
            window = [prompt + text for text in texts[first : first + WINDOW]]
            ids = self._vocabulary.ids(window, max_tokens=self.max_tokens)
            for places in _calls([len(tokens) for tokens in ids], self._batch):
                vectors[[first + place for place in places]] = self._run([ids[place] for place in places])
        return vectors

    def coverage(self, text: str) -> float:
        """Share of the text that the model's vocabulary can distinguish, 0 to 1."""
        return self._coverage.of(text)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without special tokens."""
        return self._vocabulary.count(texts)

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """The position of each token in the text, as half-open ranges of code points, in order."""
        return self._vocabulary.offsets(text)

    @property
    def counter(self) -> Blueprint:
        """Makes the model's token counter in another process."""
        return Vocabulary.blueprint(self._folder.path / TOKENIZER, lower_case=self._folder.lower_case)

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        made: Vocabulary = build(self.counter)
        return made

    @cached_property
    def _coverage(self) -> Coverage:
        return Coverage(self._vocabulary)

    def _encoder(self) -> Callable[[NDArray[np.int32]], Float32Array]:
        """The function from token ids, shape (texts, tokens), to unit vectors, shape (texts, dimension)."""
        with self._lock:
            if self._loaded is None:
                if self._own is not None:
                    self._loaded = self._own.open(self._threads)
                else:
                    self._loaded = onnx_cache.open_encoder(
                        self._folder, self._checksums, self._threads, int8=self._int8
                    )
            return self._loaded

    def _run(self, ids: list[list[int]]) -> Float32Array:
        """Unit vectors, float32, shape (len(ids), dimension), of texts with equally many token ids."""
        encoder = self._encoder()
        try:
            return encoder(np.array(ids, np.int32))
        except onnx_session.errors() as error:
            raise EngineError(f"ONNX Runtime failed on {len(ids)} texts of {len(ids[0])} tokens: {error}") from error


def _calls(lengths: Sequence[int], batch: int) -> Iterator[list[int]]:
    """Positions of texts of equal length, at most `batch` of them and CALL_TOKENS tokens together; longest first."""
    order = sorted(range(len(lengths)), key=lambda place: -lengths[place])
    for length, group in groupby(order, key=lambda place: lengths[place]):
        places = list(group)
        size = max(1, min(batch, CALL_TOKENS // max(length, 1)))
        for first in range(0, len(places), size):
            yield places[first : first + size]


_: tuple[type[Embedder], type[PortableCounter]] = (OnnxEmbedder, OnnxEmbedder)
