"""The graph of an encoder whose weights are stored in blocks of four bits: products in int8, the vocabulary as stored.

What goes into a product is rounded to eight bits by the largest value of its own token, so that a text's vector does
not depend on its neighbours. Weights are rounded to seven bits by the largest of their column: sums of pairs then fit
sixteen bits, which processors without VNNI add them in, and every processor comes to the same integers.

Source: https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html (on U8S8 and its overflow).
"""

from typing import Any

import numpy as np

from penstock.engines.embedders.onnx_graph import GraphWriter
from penstock.engines.models import blocks
from penstock.engines.models.model_folder import ModelFolder
from penstock.engines.models.tensors import Tensors

WORDS = "embeddings.word_embeddings.weight"
LARGEST, MIDDLE = 127, 128
"""Rounded inputs are bytes, 127 to either side of 128."""
LARGEST_WEIGHT = 63
SMALLEST = 1e-9
"""Stands in for the largest value of a token that is all zeros."""


class Int8GraphWriter(GraphWriter):
    """Collects the nodes and weights of one encoder in blocks."""

    def __init__(self, folder: ModelFolder, tensors: Tensors) -> None:
        super().__init__(folder, tensors)
        self._blocks = tensors.blocks
        self._written: set[str] = set()

    def _embeddings(self) -> str:
        stored = self._blocks(self._prefix + WORDS)
        halves = self._looked_up("words", np.ascontiguousarray(stored[..., 2:]))
        scales = self._looked_up("scales", blocks.scales(stored)[..., None])
        four = self._constant("four", np.array(4, np.uint8))
        upper = self._plain("BitShift", [halves, four], "words.upper", direction="RIGHT")
        lower = self._plain("BitShift", [halves, four], "words.left", direction="LEFT")
        lower = self._plain("BitShift", [lower, four], "words.lower", direction="RIGHT")
        numbers = self._plain("Concat", [lower, upper], "words.numbers", axis=-1)
        numbers = self._plain("Cast", [numbers], "words.floats", to=_float())
        numbers = self._plain("Sub", [numbers, self._constant("zero", np.float32(blocks.ZERO))], "words.values")
        values = self._plain("Mul", [numbers, scales], "words.scaled")
        words = self._plain("Reshape", [values, self._constant("flat", np.array([0, 0, -1]))], "words.flat")
        tokens = self._plain("Shape", ["input_ids"], "tokens", start=1)
        first = self._constant("first", np.zeros(1, np.int64))
        places = [self._weight("positions", self._positions()), first, tokens, first]
        placed = self._plain("Add", [words, self._plain("Slice", places, "placed")], "words.placed")
        return self._normed(placed, "embeddings.")

    def _looked_up(self, name: str, table: Any) -> str:
        return self._plain("Gather", [self._keep(f"{name}.table", table), "input_ids"], name)

    def _add_and_norm(self, value: str, skip: str, at: str) -> str:
        bias = self._weight(at + "dense.bias", self._tensor(at + "dense.bias"))
        added = self._plain("Add", [self._times(value, at + "dense"), bias], at + "biased")
        return self._normed(self._plain("Add", [added, skip], at + "added"), at)

    def _normed(self, value: str, at: str) -> str:
        """Layer normalisation in plain steps: a third of the time that ONNX Runtime's own takes, which is one loop."""
        scale, shift = self._norm(at)
        mean = self._plain("ReduceMean", [value], at + "mean", axes=[-1])
        apart = self._plain("Sub", [value, mean], at + "apart")
        squares = self._plain("Mul", [apart, apart], at + "squares")
        spread = self._plain("ReduceMean", [squares], at + "variance", axes=[-1])
        spread = self._plain("Add", [spread, self._constant("epsilon", np.float32(self._epsilon))], at + "spread")
        shrunk = self._plain("Reciprocal", [self._plain("Sqrt", [spread], at + "deviation")], at + "shrunk")
        normed = self._plain("Mul", [apart, shrunk], at + "normed")
        return self._plain("Add", [self._plain("Mul", [normed, scale], at + "scaled"), shift], at + "shifted")

    def _times(self, value: str, name: str) -> str:
        matrix = self._tensor(name + ".weight").T
        steps = np.maximum(np.abs(matrix).max(axis=0), SMALLEST) / LARGEST_WEIGHT
        rounded = self._keep(name + ".rounded", np.ascontiguousarray(np.rint(matrix / steps).astype(np.int8)))
        unit = self._constant("one", np.float32(1))
        given, sizes = self._rounded(value, len(matrix))
        middle = self._constant("middle", np.array(MIDDLE, np.uint8))
        inputs = [given, rounded, unit, self._weight(name + ".steps", steps), middle]
        product = self._plain(
            "Mul", [self._node("MatMulIntegerToFloat", inputs, name + ".sums"), sizes], name + ".rows"
        )
        width = matrix.shape[1]
        shape = self._once(
            "Concat", ["shape", self._constant(f"width.{width}", np.array([width]))], f"to.{width}", axis=0
        )
        return self._plain("Reshape", [product, shape], name + ".product")

    def _rounded(self, value: str, width: int) -> tuple[str, str]:
        """A value's tokens as rows of bytes, and the size of one step of each row."""
        self._once("Shape", ["input_ids"], "shape")
        rows = self._once("Reshape", [value, self._constant(f"rows.{width}", np.array([-1, width]))], value + ".rows")
        least = self._once("Neg", [self._once("ReduceMin", [rows], value + ".least", axes=[1])], value + ".below")
        most = self._once("ReduceMax", [rows], value + ".most", axes=[1])
        smallest = self._constant("smallest", np.full((1, 1), SMALLEST, np.float32))
        largest = self._once("Max", [most, least, smallest], value + ".largest")
        steps = self._once("Mul", [largest, self._constant("step", np.float32(1 / LARGEST))], value + ".steps")
        flat = self._once("Reshape", [steps, self._constant("all", np.array([-1]))], value + ".flat")
        counted = self._once("Shape", [flat], value + ".count")
        middles = self._once(
            "Expand", [self._constant("middles", np.array([MIDDLE], np.uint8)), counted], value + ".zero"
        )
        return self._once("QuantizeLinear", [rows, flat, middles], value + ".bytes", axis=0), steps

    def _plain(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        return self._node(kind, inputs, output, domain="", **attributes)

    def _once(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """A node that several others ask for, and that is written the first time."""
        if output not in self._written:
            self._written.add(output)
            self._plain(kind, inputs, output, **attributes)
        return output

    def _constant(self, name: str, value: Any) -> str:
        """A constant of the graph itself: what sizes follow from cannot lie beside it."""
        from onnx import numpy_helper

        return self._once("Constant", [], name, value=numpy_helper.from_array(np.asarray(value)))


def _float() -> int:
    from onnx import TensorProto

    return int(TensorProto.FLOAT)
