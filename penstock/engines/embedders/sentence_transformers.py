"""The other embedder (extra): every model that sentence-transformers loads, on torch."""

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from penstock import telemetry
from penstock.engines.embedders.coverage import Coverage
from penstock.engines.embedders.onnx import Precision
from penstock.engines.embedders.vocabulary import TOKENIZER, Vocabulary, clean
from penstock.engines.models.checksums import Checksums
from penstock.engines.models.model_folder import read_folder
from penstock.engines.models.models import model_name, resolve
from penstock.errors import EngineError, MissingExtra, SettingsError, UnsupportedModel
from penstock.model import Blueprint
from penstock.ports import Embedder, Float32Array, PortableCounter, Role
from penstock.registry import build

EXTRA = "sentence-transformers"
BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
"""Names by which Linux states that a CPU computes in bfloat16."""
OFFLINE = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true"}
"""What the libraries read when they are imported: no name is looked up."""


class SentenceTransformersEmbedder:
    """Unit vectors from any folder that sentence-transformers loads; nothing is fetched, and no code of a model is run.

    Constructing it reads configuration files only; torch and the weights are loaded when the first text is embedded.

    Raises:
        MissingExtra: sentence-transformers is not installed.
        ModelNotFound: the model is not on this machine; says how to get it.
        UnsupportedModel: its weights are stored in blocks of four bits, which the library does not read.
        DamagedModel: its files cannot be read.
        SettingsError: bfloat16 is asked of a processor that has no instructions for it.
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
        _require()
        if precision == "bfloat16" and not has_bfloat16():
            raise SettingsError("this processor has no instructions for bfloat16, which would be slower; use float32")
        path = resolve(model, home)
        self._root = path
        self._folder = read_folder(path, model_name(path, home))
        if self._folder.in_blocks:
            raise UnsupportedModel(
                f"the weights of {self._folder.name!r} are stored in blocks of four bits, which only the onnx engine "
                "reads; set PENSTOCK_EMBEDDER__NAME=onnx"
            )
        self._checksums = Checksums(home)
        self._precision = "float32" if precision == "auto" else precision  # the same on every machine: vectors travel
        self._batch = batch
        self._threads = threads
        self._lock = Lock()
        self._loaded: Any = None

    @cached_property
    def identity(self) -> str:
        """Model, weights, pooling and precision.

        Raises:
            DamagedModel: the weights cannot be read, or the default model's are not the published ones.
        """
        return self._folder.identity(self._checksums, self._precision)

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
            EngineError: the model cannot be loaded or called.
        """
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        model = self._model()
        try:
            with self._lock:  # its modules change state while they compute
                vectors = model.encode(
                    [clean(text) for text in texts],
                    prompt=self._folder.prompt(role),
                    batch_size=self._batch,
                    show_progress_bar=False,
                    convert_to_numpy=True,
                    normalize_embeddings=True,
                )
        except (RuntimeError, ValueError, IndexError) as error:
            raise EngineError(f"sentence-transformers failed on {len(texts)} texts: {error}") from error
        return np.ascontiguousarray(vectors, dtype=np.float32)

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
        """Makes the model's token counter in another process.

        Raises:
            UnsupportedModel: the model has no tokenizer that the library `tokenizers` reads.
        """
        path = self._folder.path / TOKENIZER
        if not path.is_file():
            raise UnsupportedModel(f"{self._folder.name!r} has no {TOKENIZER}, by which chunks are sized")
        return Vocabulary.blueprint(path, lower_case=self._folder.lower_case)

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        made: Vocabulary = build(self.counter)
        return made

    @cached_property
    def _coverage(self) -> Coverage:
        return Coverage(self._vocabulary)

    def _model(self) -> Any:
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def _load(self) -> Any:
        telemetry.switch_off("huggingface_hub")
        for name, value in OFFLINE.items():
            os.environ.setdefault(name, value)
        import torch
        from sentence_transformers import SentenceTransformer

        if self._threads:
            torch.set_num_threads(self._threads)
        try:
            model = SentenceTransformer(str(self._root), local_files_only=True, trust_remote_code=False)
        except (OSError, ValueError, RuntimeError, KeyError, ImportError) as error:
            raise UnsupportedModel(f"sentence-transformers does not take {str(self._root)!r}: {error}") from error
        model = model.to(torch.bfloat16 if self._precision == "bfloat16" else torch.float32)
        model.max_seq_length = self.max_tokens
        return model.eval()


def has_bfloat16() -> bool:
    """Whether this machine's CPU computes in bfloat16; False where the system does not say."""
    try:
        cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    lines = [line.partition(":")[2] for line in cpuinfo.splitlines() if line.startswith(("flags", "Features"))]
    return bool(lines) and not BF16_FLAGS.isdisjoint(lines[0].split())


def _require() -> None:
    from importlib.util import find_spec

    if find_spec("sentence_transformers") is None or find_spec("torch") is None:
        raise MissingExtra("the sentence-transformers engine", EXTRA)


_: tuple[type[Embedder], type[PortableCounter]] = (SentenceTransformersEmbedder, SentenceTransformersEmbedder)
