"""How fast the published models embed in each precision, on the same texts in the same run.

    python -m benchmarks.precision [--json] [--texts N] [--rounds N] [--threads N] [--corpus FILE]

all-MiniLM-L6-v2 in float32 is the measure. multilingual-e5-small runs in float32, in int8 as Penstock computes it by
default, and in two ways that Penstock does not use: ONNX Runtime's dynamic int8 (a scale for each column of weights,
one for all inputs of a call), and its products with the stored blocks (MatMulNBits, accuracy level 4). The rounds
alternate, and what is measured is the process's CPU time, so that another load on the machine meets all alike and
little; each is as fast as its best round. Texts are made from a fixed seed, or are those of a `corpus.jsonl`.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.embedding import QUESTION_WORDS, WORDS, made_texts
from penstock.engines.embedders import onnx_cache, onnx_session
from penstock.engines.embedders.onnx import OnnxEmbedder
from penstock.engines.embedders.onnx_int8_graph import Int8GraphWriter
from penstock.engines.models import blocks
from penstock.engines.models.model_folder import ModelFolder
from penstock.engines.models.published import E5, MINILM
from penstock.engines.models.tensors import Tensors
from penstock.ports import Float32Array

LONGEST_TEXT = 1000
"""Characters of a text of a corpus, at most: what both models see whole, or nearly."""
MEASURE = "minilm float32"


def main() -> None:
    """Prints texts a second, milliseconds a question, and how near the vectors of each precision come to float32's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--texts", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--corpus", type=Path)
    given = parser.parse_args()
    texts = read_texts(given.corpus, given.texts) if given.corpus else made_texts(given.texts)
    with tempfile.TemporaryDirectory() as home:
        found = measure(embedders(Path(home), given.threads), texts, given.rounds)
    if given.json:
        print(json.dumps(found))
        return
    for name, figures in found.items():
        print(f"{name:<20}" + "  ".join(f"{figure} {value:.4g}" for figure, value in figures.items()))


def read_texts(corpus: Path, count: int) -> list[str]:
    """The first texts of a corpus."""
    with corpus.open(encoding="utf-8") as lines:
        return [json.loads(line)["text"][:LONGEST_TEXT] for line, _ in zip(lines, range(count), strict=False)]


def embedders(home: Path, threads: int) -> Mapping[str, OnnxEmbedder]:
    """One of each kind."""
    made = {
        MEASURE: OnnxEmbedder(model=MINILM.name, home=home, threads=threads),
        "e5 float32": OnnxEmbedder(model=E5.name, home=home, threads=threads, precision="float32"),
        "e5 int8": OnnxEmbedder(model=E5.name, home=home, threads=threads),
        "e5 dynamic int8": OnnxEmbedder(model=E5.name, home=home, threads=threads),
        "e5 blocks": OnnxEmbedder(model=E5.name, home=home, threads=threads),
    }
    full = made["e5 float32"]
    full.embed(["once"], role="query")  # its graph is written now
    made["e5 dynamic int8"]._loaded = _dynamic(onnx_cache.kept_graph(full._folder, full._checksums), threads)
    made["e5 blocks"]._loaded = _in_blocks(full._folder, threads)
    return made


class BlockGraphWriter(Int8GraphWriter):
    """Products with the stored blocks."""

    def _times(self, value: str, name: str) -> str:
        stored = self._blocks(self._prefix + name + ".weight")
        numbers = blocks.stored(stored)
        packed = self._keep(name + ".blocks", numbers[..., 0::2] | numbers[..., 1::2] << 4)
        inputs = [value, packed, self._keep(name + ".scales", blocks.scales(stored))]
        sizes = {"N": len(stored), "K": stored.shape[1] * blocks.VALUES, "bits": 4, "block_size": blocks.VALUES}
        return self._node("MatMulNBits", inputs, name + ".product", accuracy_level=4, **sizes)


def _in_blocks(folder: ModelFolder, threads: int) -> Callable[..., Float32Array]:
    writer = BlockGraphWriter(folder, Tensors(folder.weight_files()[0]))
    graph = writer.write()
    onnx_cache._name_weights(graph, writer.weights, "none.data")
    return _called(onnx_session.open_session(graph.SerializeToString(), threads, writer.weights), writer.weights)


def _dynamic(graph: Path, threads: int) -> Callable[..., Float32Array]:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    rounded = graph.with_name("dynamic.onnx")
    quantize_dynamic(
        graph,
        rounded,
        per_channel=True,
        op_types_to_quantize=["MatMul"],
        weight_type=QuantType.QInt8,
        use_external_data_format=True,
        extra_options={"DefaultTensorType": 1},  # a float; of fused operators it is not inferred
    )
    return _called(onnx_session.open_session(str(rounded), threads))


def _called(session: Any, kept: Any = None) -> Callable[..., Float32Array]:
    def vectors(ids: Any, _kept: Any = kept) -> Float32Array:
        (found,) = session.run(None, {"input_ids": ids})
        return np.asarray(found, np.float32)

    return vectors


def measure(by_name: Mapping[str, OnnxEmbedder], texts: Sequence[str], rounds: int) -> dict[str, dict[str, float]]:
    """Figures of each embedder."""
    question = [" ".join(WORDS[:QUESTION_WORDS])]
    vectors = {name: embedder.embed(texts, role="passage") for name, embedder in by_name.items()}
    seconds = dict.fromkeys(by_name, float("inf"))
    asked: dict[str, list[float]] = {name: [] for name in by_name}
    for _ in range(rounds):
        for name, embedder in by_name.items():
            seconds[name] = min(seconds[name], _seconds(embedder, texts))
            asked[name] += [_seconds(embedder, question) for _ in range(10)]
    return {
        name: {
            "texts/s": len(texts) / seconds[name],
            "of minilm": seconds[MEASURE] / seconds[name],
            "question ms": 1000 * float(np.median(asked[name])),
            "cosine": float((vectors[name] * vectors["e5 float32"]).sum(axis=1).min()) if name != MEASURE else 1.0,
        }
        for name in by_name
    }


def _seconds(embedder: OnnxEmbedder, texts: Sequence[str]) -> float:
    begun = time.process_time()
    embedder.embed(texts, role="passage")
    return time.process_time() - begun


if __name__ == "__main__":
    main()
