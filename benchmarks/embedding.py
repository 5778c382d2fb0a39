"""How fast the ONNX engine embeds, against sentence-transformers' own default call, on the same texts in the same run.

    python -m benchmarks.embedding [--json] [--texts N] [--rounds N]

Both use all cores and float32. The rounds of the two alternate, so that another load on the machine meets both; each
is as fast as its best round. The texts are made from a fixed seed: English, in the lengths that chunks and questions
have.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from penstock.engines.embedders.onnx import OnnxEmbedder
from penstock.engines.models.models import resolve
from penstock.engines.models.published import DEFAULT_MODEL

TEXT = """
the of and to in for is on that by this with from water pressure turbine valve gate river dam power plant flow report
annual leave employee policy request approval manager days carry over year holiday contract section error code system
driver update install restart network device failed memory storage backup 0x80070005 utf-8
"""
WORDS = TEXT.split()
LONGEST_WORDS = 220
QUESTION_WORDS = 9


def made_texts(count: int) -> list[str]:
    """Texts of 5 to 220 words, of every length alike."""
    chance = random.Random(7)
    return [" ".join(chance.choices(WORDS, k=chance.randint(5, LONGEST_WORDS))) for _ in range(count)]


def measure(texts: Sequence[str], rounds: int) -> dict[str, Any]:
    """Seconds of both engines over the texts and over one question, their ratios, and the largest difference."""
    from sentence_transformers import SentenceTransformer

    question = [" ".join(WORDS[:QUESTION_WORDS])]
    with tempfile.TemporaryDirectory() as home:
        ours = OnnxEmbedder(home=Path(home))
        theirs = SentenceTransformer(str(resolve("default", Path(home))), device="cpu")
        both: dict[str, Callable[[Sequence[str]], Any]] = {
            "penstock": lambda texts: ours.embed(texts, role="passage"),
            "sentence_transformers": lambda texts: theirs.encode(list(texts), show_progress_bar=False),
        }
        vectors = {name: call(texts) for name, call in both.items()}
        seconds = _fastest(both, texts, rounds)
        single = _fastest(both, question, rounds * 10)
    return {
        "model": DEFAULT_MODEL.name,
        "texts": len(texts),
        "cores": os.cpu_count(),
        "seconds": seconds,
        "ratio": seconds["sentence_transformers"] / seconds["penstock"],
        "question_ms": {name: value * 1000 for name, value in single.items()},
        "question_ratio": single["sentence_transformers"] / single["penstock"],
        "largest_difference": float(np.abs(vectors["penstock"] - vectors["sentence_transformers"]).max()),
    }


def _fastest(both: dict[str, Callable[[Sequence[str]], Any]], texts: Sequence[str], rounds: int) -> dict[str, float]:
    best = dict.fromkeys(both, float("inf"))
    for _ in range(rounds):
        for name, call in both.items():
            start = time.perf_counter()
            call(texts)
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def main() -> None:
    """Prints the comparison, as a line or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--texts", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    found = measure(made_texts(args.texts), args.rounds)
    if args.json:
        json.dump(found, sys.stdout)
        print()
        return
    print(
        f"{found['texts']} texts on {found['cores']} cores: {found['ratio']:.2f} times sentence-transformers; seconds:"
    )
    print("  " + ", ".join(f"{name} {value:.2f}" for name, value in found["seconds"].items()))
    print(f"one question: {found['question_ratio']:.2f} times; ms:")
    print("  " + ", ".join(f"{name} {value:.1f}" for name, value in found["question_ms"].items()))
    print(f"largest difference {found['largest_difference']:.1e}")


if __name__ == "__main__":
    main()
