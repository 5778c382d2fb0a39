"""Models that bring a graph of their own: it is used, it gives the same vectors, and the identity says so."""

import json
import logging
import re
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from penstock.engines.embedders import onnx_own
from penstock.engines.embedders.onnx import OnnxEmbedder
from penstock.errors import DamagedModel, ModelNotFound, UnsupportedModel
from penstock.ports import Embedder
from penstock.testing.contracts.embedders import EmbedderContract
from penstock.testing.doubles.tiny_graphs import write_graph
from penstock.testing.doubles.tiny_models import Kind, write_model

TEXTS = ["ten days of leave", "年假怎么申请", "the turbine " * 40, ""]


class TestOwnGraph(EmbedderContract):
    @pytest.fixture
    def embedder(self, tmp_path: Path) -> Embedder:
        write_graph(write_model(tmp_path / "bert"))
        return OnnxEmbedder(model=str(tmp_path / "bert"), home=tmp_path / "home")


@pytest.mark.parametrize("external", [pytest.param(False, id="one file"), pytest.param(True, id="weights beside")])
@pytest.mark.parametrize(
    ("kind", "pooling", "types", "output"),
    [
        pytest.param("bert", "mean", True, "last_hidden_state", id="bert"),
        pytest.param("bert", "cls", True, "token_embeddings", id="bert, cls"),
        pytest.param("xlm-roberta", "mean", False, "last_hidden_state", id="xlm-roberta"),
    ],
)
def test_the_graph_of_the_folder_gives_the_vectors_of_its_weights(
    tmp_path: Path, kind: Kind, pooling: Literal["mean", "cls"], types: bool, output: str, external: bool
) -> None:
    model, home = write_model(tmp_path / "m", kind, pooling=pooling), tmp_path / "home"
    built = OnnxEmbedder(model=str(model), home=home)
    expected, identity = built.embed(TEXTS, role="passage"), built.identity
    write_graph(model, external=external, types=types, output=output)
    (model / "model.safetensors").unlink()  # it is not needed
    brought = OnnxEmbedder(model=str(model), home=home)
    assert np.allclose(brought.embed(TEXTS, role="passage"), expected, atol=1e-6)
    assert brought.identity != identity
    again = OnnxEmbedder(model=str(model), home=home)
    assert again.identity == brought.identity


def test_a_graph_brings_encoders_that_are_not_built_here(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m", changes={"model_type": "mpnet-like"})
    with pytest.raises(UnsupportedModel, match="mpnet-like"):
        OnnxEmbedder(model=str(model), home=tmp_path / "home")
    (model / "config.json").write_text(json.dumps(_config(model) | {"model_type": "bert"}))
    write_graph(model)
    (model / "config.json").write_text(json.dumps(_config(model) | {"model_type": "mpnet-like"}))
    vectors = OnnxEmbedder(model=str(model), home=tmp_path / "home").embed(TEXTS, role="passage")
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def _config(model: Path) -> Any:
    return json.loads((model / "config.json").read_text())


def test_another_graph_or_other_weights_beside_it_are_another_identity(tmp_path: Path) -> None:
    home, identities = tmp_path / "home", set()
    for place in ("a", "b"):
        model = write_model(tmp_path / place / "m")
        path = write_graph(model, external=True)
        identities.add(OnnxEmbedder(model=str(model), home=home).identity)
    data = path.with_name("model.onnx_data")
    data.write_bytes(data.read_bytes()[:-4] + b"\x00\x00\x80\x3f")
    identities.add(OnnxEmbedder(model=str(model), home=home).identity)
    assert len(identities) == 2


def _break_output(path: Path) -> None:
    import onnx

    model = onnx.load(path)
    model.graph.output[0].name = model.graph.node[-1].output[0] = "scores"
    onnx.save(model, path)


def _ask_for_more(path: Path) -> None:
    import onnx

    model = onnx.load(path)
    model.graph.input.append(onnx.helper.make_tensor_value_info("pixels", onnx.TensorProto.FLOAT, [1]))
    onnx.save(model, path)


def _point_elsewhere(path: Path) -> None:
    import onnx

    model = onnx.load(path)
    (path.parent.parent / "weights").write_bytes(b"x" * 1000)
    for tensor in model.graph.initializer:
        onnx.external_data_helper.set_external_data(tensor, "../weights")
        tensor.data_location = onnx.TensorProto.EXTERNAL
    path.write_bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        pytest.param(_break_output, "scores, and no vectors", id="other outputs"),
        pytest.param(_ask_for_more, "pixels", id="other inputs"),
        pytest.param(_point_elsewhere, r"\.\./weights", id="weights outside its folder"),
        pytest.param(lambda path: path.write_bytes(b"x" * 99), "no ONNX graph", id="no graph"),
        pytest.param(lambda path: path.write_bytes(b""), "does not take", id="empty"),
    ],
)
def test_a_graph_of_an_unusual_form_is_left_for_one_built_from_the_weights(
    tmp_path: Path, harm: Any, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    model, home = write_model(tmp_path / "m"), tmp_path / "home"
    expected = OnnxEmbedder(model=str(model), home=home)
    assert expected.identity
    harm(write_graph(model))
    with caplog.at_level(logging.WARNING, "penstock"):
        left = OnnxEmbedder(model=str(model), home=home)
    assert left.identity == expected.identity
    assert np.array_equal(left.embed(TEXTS, role="query"), expected.embed(TEXTS, role="query"))
    assert "onnx/model.onnx" in caplog.text
    assert re.search(message, caplog.text)
    (model / "model.safetensors").unlink()
    with pytest.raises(ModelNotFound, match="no weights"):
        OnnxEmbedder(model=str(model), home=home)


def test_a_graph_is_looked_into_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, home = write_model(tmp_path / "m"), tmp_path / "home"
    write_graph(model)
    first = OnnxEmbedder(model=str(model), home=home)
    monkeypatch.setattr(onnx_own, "_read", lambda _path: pytest.fail("read again"))
    again = OnnxEmbedder(model=str(model), home=home)
    assert again.identity == first.identity
    assert np.array_equal(again.embed(TEXTS, role="query"), first.embed(TEXTS, role="query"))


def test_weights_that_are_gone_are_reported(tmp_path: Path) -> None:
    model, home = write_model(tmp_path / "m"), tmp_path / "home"
    path = write_graph(model, external=True)
    OnnxEmbedder(model=str(model), home=home)
    path.with_name("model.onnx_data").unlink()
    with pytest.raises(DamagedModel, match="the model's graph"):
        OnnxEmbedder(model=str(model), home=home)


def test_modules_that_are_not_computed_here_are_refused_beside_a_graph_too(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m")
    write_graph(model)
    (model / "1_Pooling" / "config.json").write_text('{"pooling_mode": "lasttoken"}')
    with pytest.raises(UnsupportedModel, match="lasttoken"):
        OnnxEmbedder(model=str(model), home=tmp_path / "home")
