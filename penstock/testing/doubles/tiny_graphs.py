"""The graph that a publisher puts beside a tiny model: written from its weights with ONNX's plain operators alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from penstock.engines.models.model_folder import read_folder
from penstock.engines.models.tensors import Tensors

HIDDEN = -1e9
"""The number that is added to the attention for a token that the mask hides."""


def write_graph(folder: Path, *, external: bool = False, types: bool = True, output: str = "last_hidden_state") -> Path:
    """Writes `onnx/model.onnx` into a model folder, as exporters do: ids, mask and types in, vectors of tokens out.

    `external` puts the weights in a file beside the graph; without `types` the graph does not ask for them.
    """
    import onnx
    from onnx import TensorProto, helper

    writer = _Writer(read_folder(folder).config, Tensors(folder / "model.safetensors"))
    writer.write(output, types=types)
    names = ["input_ids", "attention_mask", *(["token_type_ids"] if types else [])]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"]) for name in names]
    value_info = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", "sequence", writer.width])
    graph = helper.make_graph(writer.nodes, "encoder", inputs, [value_info], writer.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = folder / "onnx" / "model.onnx"
    path.parent.mkdir()
    onnx.save(model, path, save_as_external_data=external, location="model.onnx_data", size_threshold=100)
    return path


class _Writer:
    """Collects the nodes and weights of one encoder."""

    def __init__(self, config: Mapping[str, Any], tensors: Mapping[str, Any]) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.width, self._heads = int(config["hidden_size"]), int(config["num_attention_heads"])
        self._config, self._tensors = config, tensors

    def write(self, output: str, *, types: bool) -> None:
        """All nodes, from the ids to `output`."""
        length = self._op("Gather", self._op("Shape", "input_ids"), self._array(1))
        first = int(self._config["pad_token_id"]) + 1 if self._config["model_type"] == "xlm-roberta" else 0
        after = self._op("Add", length, self._array(first))
        ids = {
            "word": "input_ids",
            "position": self._op("Range", self._array(first), after, self._array(1)),
            "token_type": "token_type_ids" if types else self._op("Sub", "input_ids", "input_ids"),
        }
        found = [self._op("Gather", self._weight(f"embeddings.{name}_embeddings.weight"), ids[name]) for name in ids]
        hidden = self._norm(self._op("Add", self._op("Add", *found[:2]), found[2]), "embeddings.LayerNorm")
        seen = self._op("Cast", "attention_mask", to=1)
        unseen = self._op("Mul", self._op("Sub", self._array(1.0), seen), self._array(HIDDEN))
        mask = self._op("Unsqueeze", unseen, self._array([1, 2]))
        for number in range(int(self._config["num_hidden_layers"])):
            hidden = self._layer(hidden, mask, f"encoder.layer.{number}.")
        self._op("Identity", hidden, name=output)

    def _layer(self, hidden: str, mask: str, at: str) -> str:
        size = self.width // self._heads
        query, key, value = (
            self._op(
                "Reshape", self._dense(hidden, f"{at}attention.self.{part}"), self._array([0, 0, self._heads, size])
            )
            for part in ("query", "key", "value")
        )
        query, value = (self._op("Transpose", tensor, perm=[0, 2, 1, 3]) for tensor in (query, value))
        likeness = self._op("MatMul", query, self._op("Transpose", key, perm=[0, 2, 3, 1]))
        weighed = self._op("Add", self._op("Div", likeness, self._array(float(np.sqrt(size)))), mask)
        mixed = self._op("MatMul", self._op("Softmax", weighed, axis=-1), value)
        mixed = self._op("Reshape", self._op("Transpose", mixed, perm=[0, 2, 1, 3]), self._array([0, 0, self.width]))
        hidden = self._added(hidden, mixed, f"{at}attention.output")
        return self._added(hidden, self._gelu(self._dense(hidden, f"{at}intermediate.dense")), f"{at}output")

    def _added(self, skip: str, value: str, at: str) -> str:
        return self._norm(self._op("Add", skip, self._dense(value, f"{at}.dense")), f"{at}.LayerNorm")

    def _gelu(self, value: str) -> str:
        erf = self._op("Erf", self._op("Div", value, self._array(float(np.sqrt(2)))))
        return self._op("Mul", self._op("Mul", value, self._array(0.5)), self._op("Add", erf, self._array(1.0)))

    def _dense(self, value: str, name: str) -> str:
        turned = self._op("Transpose", self._weight(f"{name}.weight"), perm=[1, 0])
        return self._op("Add", self._op("MatMul", value, turned), self._weight(f"{name}.bias"))

    def _norm(self, value: str, name: str) -> str:
        parts = self._weight(f"{name}.weight"), self._weight(f"{name}.bias")
        return self._op("LayerNormalization", value, *parts, axis=-1, epsilon=float(self._config["layer_norm_eps"]))

    def _weight(self, name: str) -> str:
        from onnx import numpy_helper

        self.weights.append(numpy_helper.from_array(np.array(self._tensors[name]), name))
        return name

    def _array(self, value: int | float | list[int]) -> str:
        from onnx import numpy_helper

        name = f"constant.{len(self.weights)}"
        dtype = np.float32 if isinstance(value, float) else np.int64
        self.weights.append(numpy_helper.from_array(np.array(value, dtype), name))
        return name

    def _op(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        from onnx import helper

        name = name or f"{kind}.{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name
