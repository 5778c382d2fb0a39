"""The ONNX graph of a BERT or XLM-RoBERTa encoder with its pooling: token ids in, unit vectors out.

All texts of a call have the same number of tokens, so there is no padding and no mask: nothing is computed for
nothing, a text's vector does not depend on its neighbours, and ONNX Runtime may use its blocked attention.

Sources: Devlin et al. 2019 (BERT), Conneau et al. 2020 (XLM-R); fused operators of the domain `com.microsoft` as
documented in https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from numpy.typing import NDArray

from penstock.engines.models.model_folder import ModelFolder
from penstock.errors import DamagedModel, UnsupportedModel
from penstock.ports import Float32Array

VERSION = 1
"""Raised with every change to the graph: kept graphs of other versions are not used."""

FUSED = "com.microsoft"
OPSET, FUSED_OPSET, IR = 17, 1, 8
BERT = frozenset({"bert"})
ROBERTA = frozenset({"roberta", "xlm-roberta", "camembert"})
POOLINGS = frozenset({"mean", "cls"})
ACTIVATIONS = {"gelu": "BiasGelu", "relu": "Relu"}
OTHER_ENGINE = (
    "; the other engine takes it: pip install 'penstock[sentence-transformers]' "
    "and set PENSTOCK_EMBEDDER__NAME=sentence-transformers"
)


def check_layout(folder: ModelFolder) -> None:
    """Refuses a folder whose modules around the encoder are not expressed here, whatever computes the encoder.

    Raises:
        UnsupportedModel: says what it is that is not taken, and which engine takes it.
    """
    kinds = [kind for kind, _ in folder.modules]
    _refuse(
        folder,
        (folder.pooling not in POOLINGS, f"pooling {folder.pooling!r}"),
        (kinds not in (["Pooling"], ["Pooling", "Normalize"]), f"modules {kinds}"),
        (_skips_prompt(folder), "a prompt that is left out of the pooling"),
        (not (folder.path / "tokenizer.json").is_file(), "no tokenizer.json"),
    )


def check_expressed(folder: ModelFolder) -> None:
    """Refuses an encoder that this graph does not express.

    Raises:
        UnsupportedModel: says what it is that is not taken, and which engine takes it.
        ModelNotFound: there are no weights.
    """
    config = folder.config
    names = [path.name for path in folder.weight_files()]
    _refuse(
        folder,
        (config.get("model_type") not in BERT | ROBERTA, f"model type {config.get('model_type')!r}"),
        (config.get("hidden_act", "gelu") not in ACTIVATIONS, f"activation {config.get('hidden_act')!r}"),
        (config.get("position_embedding_type", "absolute") != "absolute", "relative positions"),
        (bool(config.get("is_decoder")), "a decoder"),
        (names != ["model.safetensors"], f"weights in {', '.join(names)} instead of model.safetensors"),
    )


def _refuse(folder: ModelFolder, *reasons: tuple[bool, str]) -> None:
    for wrong, reason in reasons:
        if wrong:
            raise UnsupportedModel(f"the onnx engine does not take {folder.name!r}: {reason}{OTHER_ENGINE}")


def _skips_prompt(folder: ModelFolder) -> bool:
    left_out = any(not config.get("include_prompt", True) for kind, config in folder.modules if kind == "Pooling")
    return left_out and bool(folder.prompt("query") or folder.prompt("passage"))


class GraphWriter:
    """Collects the nodes and weights of one encoder.

    `tensors` are the model's weights by name, float32, each of the shape that its name has in BERT.
    """

    def __init__(self, folder: ModelFolder, tensors: Mapping[str, Float32Array]) -> None:
        self.weights: dict[str, NDArray[Any]] = {}
        """What the graph multiplies with, by name; each array is C-contiguous."""
        self._nodes: list[Any] = []
        self._config = folder.config
        self._pooling = folder.pooling
        self._tensors = tensors
        self._prefix = _prefix(tensors)
        self._epsilon = float(folder.config.get("layer_norm_eps", 1e-12))

    def write(self) -> Any:
        """The graph as an ONNX model whose weights are named and not yet placed."""
        from onnx import TensorProto, helper

        hidden = self._embeddings()
        for number in range(int(self._config["num_hidden_layers"])):
            hidden = self._layer(f"encoder.layer.{number}.", hidden)
        self._pool(hidden)
        ids = helper.make_tensor_value_info("input_ids", TensorProto.INT32, ["texts", "tokens"])
        out = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", int(self._config["hidden_size"])])
        graph = helper.make_graph(self._nodes, "encoder", [ids], [out])
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED, FUSED_OPSET)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR, producer_name="penstock")

    def _embeddings(self) -> str:
        """Word, position and type embeddings, summed and normalised."""
        inputs = [
            "input_ids",
            "",
            self._weight("words", self._tensor("embeddings.word_embeddings.weight")),
            self._weight("positions", self._positions()),
            "",
            *self._norm("embeddings."),
        ]
        return self._node("EmbedLayerNormalization", inputs, "embedded", "unused", epsilon=self._epsilon)

    def _positions(self) -> Float32Array:
        """What each position adds; all tokens are of type 0, whose embedding is added here once and for all."""
        positions = self._tensor("embeddings.position_embeddings.weight")
        if self._config["model_type"] in ROBERTA:  # positions count from after the padding token
            positions = positions[int(self._config.get("pad_token_id", 1)) + 1 :]
        added: Float32Array = positions + self._tensor("embeddings.token_type_embeddings.weight")[0]
        return added

    def _layer(self, at: str, hidden: str) -> str:
        """Attention and feed-forward, each added to what it started from and normalised."""
        import numpy as np

        inside = at + "attention."
        parts = ("query", "key", "value")
        projected = [self._times(hidden, f"{inside}self.{part}") for part in parts]
        biases = np.concatenate([self._tensor(f"{inside}self.{part}.bias") for part in parts])
        heads = int(self._config["num_attention_heads"])
        inputs = [*projected, self._weight(inside + "bias", biases)]
        attended = self._node("MultiHeadAttention", inputs, inside + "attended", num_heads=heads)
        hidden = self._add_and_norm(attended, hidden, inside + "output.")
        widened = self._times(hidden, at + "intermediate.dense")
        return self._add_and_norm(self._activated(widened, at + "intermediate.dense"), hidden, at + "output.")

    def _activated(self, value: str, name: str) -> str:
        bias = self._weight(name + ".bias", self._tensor(name + ".bias"))
        if ACTIVATIONS[self._config.get("hidden_act", "gelu")] == "Relu":
            return self._node(
                "Relu", [self._node("Add", [value, bias], name + ".added", domain="")], name + ".relu", domain=""
            )
        return self._node("BiasGelu", [value, bias], name + ".gelu")

    def _add_and_norm(self, value: str, skip: str, at: str) -> str:
        bias = self._weight(at + "dense.bias", self._tensor(at + "dense.bias"))
        inputs = [self._times(value, at + "dense"), skip, *self._norm(at), bias]
        return self._node("SkipLayerNormalization", inputs, at + "normed", epsilon=self._epsilon)

    def _pool(self, hidden: str) -> None:
        from onnx import TensorProto, helper

        if self._pooling == "mean":
            pooled = self._node("ReduceMean", [hidden], "pooled", domain="", axes=[1], keepdims=0)
        else:
            first = helper.make_tensor("first", TensorProto.INT64, [], [0])
            self._nodes.append(helper.make_node("Constant", [], ["first"], value=first))
            pooled = self._node("Gather", [hidden, "first"], "pooled", domain="", axis=1)
        self._node("LpNormalization", [pooled], "vectors", domain="", axis=-1, p=2)

    def _times(self, value: str, name: str) -> str:
        matrix = self._weight(name + ".weight", self._tensor(name + ".weight").T)
        return self._node("MatMul", [value, matrix], name + ".product", domain="")

    def _norm(self, at: str) -> Iterable[str]:
        for new, old in (("weight", "gamma"), ("bias", "beta")):
            name = f"{at}LayerNorm.{new}"
            found = name if self._prefix + name in self._tensors else f"{at}LayerNorm.{old}"
            yield self._weight(name, self._tensor(found))

    def _tensor(self, name: str) -> Float32Array:
        """The model's weight of that name, of the shape that the file states."""
        try:
            return self._tensors[self._prefix + name]
        except KeyError:
            raise DamagedModel(
                f"the model's weights lack {self._prefix + name!r}, which its config.json calls for"
            ) from None

    def _weight(self, name: str, array: Float32Array) -> str:
        """Adds a weight of any shape to the graph; gives its name."""
        import numpy as np

        return self._keep(name, np.ascontiguousarray(array, dtype=np.float32))

    def _keep(self, name: str, array: NDArray[Any]) -> str:
        self.weights[name] = array
        return name

    def _node(self, kind: str, inputs: Iterable[str], *outputs: str, domain: str = FUSED, **attributes: Any) -> str:
        from onnx import helper

        self._nodes.append(helper.make_node(kind, list(inputs), list(outputs), domain=domain, **attributes))
        return outputs[0]


def _prefix(tensors: Mapping[str, Float32Array]) -> str:
    """The prefix of the names of the encoder's weights, of any shape: empty, or a larger model's name for it."""
    last = "embeddings.word_embeddings.weight"
    for name in tensors:
        if name.endswith(last):
            return name.removesuffix(last)
    raise DamagedModel("the model's weights hold no word embeddings")
