"""How fast the two models of the wheel embed in each precision, on the same texts in the same run.

    python -m benchmarks.precision [--json] [--texts N] [--rounds N] [--threads N] [--corpus FILE]

all-MiniLM-L6-v2 in float32 is the measure. multilingual-e5-small runs in float32, in the blocks of four bits in which
it is stored, and in ONNX Runtime's dynamic int8 (products only, a scale for each column), which Penstock does not use.
The rounds alternate, so that another load on the machine meets all; each is as fast as its best round. Texts are made
from a fixed seed, or are those of a `corpus.jsonl`.
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
from penstock.engines.models.published import E5, MINILM
from penstock.ports import Float32Array

LONGEST_TEXT = 1000
"""Characters of a text of a corpus, at most: what both models see whole, or nearly."""
MEASURE = "minilm float32"


def main() -> None:
    """Prints texts a second, milliseconds a question, and how near the vectors of each precision come to float32's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--texts", type=int, default=200)
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
        "e5 blocks": OnnxEmbedder(model=E5.name, home=home, threads=threads),
        "e5 dynamic int8": OnnxEmbedder(model=E5.name, home=home, threads=threads, precision="float32"),
    }
    full = made["e5 float32"]
    full.embed(["once"], role="query")  # its graph is written now
    made["e5 dynamic int8"]._loaded = _dynamic(onnx_cache.kept_graph(full._folder, full._checksums), threads)
    return made


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
    session = onnx_session.open_session(str(rounded), threads)

    def vectors(ids: Any) -> Float32Array:
        (found,) = session.run(None, {"input_ids": ids})
        return np.asarray(found, np.float32)

    return vectors


def measure(by_name: Mapping[str, OnnxEmbedder], texts: Sequence[str], rounds: int) -> dict[str, dict[str, float]]:
    """Figures of each embedder."""
    question = [" ".join(WORDS[:QUESTION_WORDS])]
    vectors = {name: one.embed(texts, role="passage") for name, one in by_name.items()}
    seconds = dict.fromkeys(by_name, float("inf"))
    asked: dict[str, list[float]] = {name: [] for name in by_name}
    for _ in range(rounds):
        for name, one in by_name.items():
            seconds[name] = min(seconds[name], _seconds(one, texts))
            asked[name] += [_seconds(one, question) for _ in range(10)]
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
    begun = time.perf_counter()
    embedder.embed(texts, role="passage")
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
