"""Ranking quality of keyword, vector and hybrid search on a set of questions, through the real pipeline.

    python -m benchmarks.retrieval FOLDER [FOLDER ...] [--json] [--questions N]

FOLDER is in BEIR's layout: `corpus.jsonl` (`_id`, `title`, `text`), `queries.jsonl` (`_id`, `text`), `qrels.tsv`. Every
entry of the corpus is ingested as a document, cut into chunks, embedded and indexed as any other; a document ranks
where its best chunk ranks.
"""

import argparse
import csv
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from penstock.evals import metrics
from penstock.model import Filter
from penstock.pipelines.ingest.records import Record
from penstock.pipelines.workspace import Penstock
from penstock.ports import Retriever
from penstock.settings import Legs

WAYS: Mapping[str, Legs] = {"keyword": "keyword", "vector": "vector", "hybrid": "both"}
Question = tuple[str, Mapping[str, float]]
"""The text of a question, and the gain of each relevant document."""
CHUNKS = 30
"""Chunks asked for a question, from which the first ten documents are taken."""


def main() -> None:
    """Prints nDCG@10, recall@10 and MRR@10 of each way to search, for each folder."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.retrieval", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--json", action="store_true", help="one JSON object (of objects, for several folders)")
    parser.add_argument("--questions", type=int, help="only so many questions, spread evenly")
    parser.add_argument("--home", type=Path, help="keep the ingested collections here for the next run")
    args = parser.parse_args()
    with TemporaryDirectory() as scratch:
        scores = {}
        for folder in args.folders:
            scores[folder.name] = score(folder, args.home or Path(scratch), args.questions)
            if not args.json:
                show(folder.name, scores[folder.name])
    if args.json:
        print(json.dumps(scores if len(scores) > 1 else next(iter(scores.values()))))


def score(folder: Path, home: Path, questions: int | None) -> dict[str, dict[str, float]]:
    """Mean metrics over the questions of one folder, by way to search."""
    asked = questions_of(folder, questions)
    with Penstock(home=home, collection=folder.name) as penstock:
        begun = time.perf_counter()
        report = penstock.add(records_of(folder))
        ingest = {
            "documents": report.discovered,
            "chunks": report.chunks.catalog,
            "seconds": time.perf_counter() - begun,
        }
        return {**{way: _mean(penstock.retriever_of(legs), asked) for way, legs in WAYS.items()}, "ingest": ingest}


def _mean(retriever: Retriever, asked: Sequence[Question]) -> dict[str, float]:
    sums = dict.fromkeys(("ndcg@10", "recall@10", "mrr@10", "recall@5"), 0.0)
    begun = time.perf_counter()
    for question, gains in asked:
        hits = retriever.retrieve(question, k=CHUNKS, where=Filter()).hits
        ranking = list(dict.fromkeys(hit.source.uri for hit in hits))
        sums["ndcg@10"] += metrics.ndcg(ranking, gains)
        sums["recall@10"] += metrics.recall(ranking, gains)
        sums["recall@5"] += metrics.recall(ranking, gains, k=5)
        sums["mrr@10"] += metrics.reciprocal_rank(ranking, gains)
    seconds = time.perf_counter() - begun
    return {**{name: total / len(asked) for name, total in sums.items()}, "ms": 1000 * seconds / len(asked)}


def records_of(folder: Path) -> Iterator[Record]:
    """The folder's corpus."""
    with (folder / "corpus.jsonl").open(encoding="utf-8") as lines:
        for entry in map(json.loads, lines):
            yield Record(uri=entry["_id"], title=entry.get("title", ""), text=entry["text"])


def questions_of(folder: Path, most: int | None) -> list[Question]:
    """The folder's questions that have an answer; at most about `most`, spread evenly."""
    gains: dict[str, dict[str, float]] = {}
    with (folder / "qrels.tsv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            gains.setdefault(row["query-id"], {})[row["corpus-id"]] = float(row["score"])
    with (folder / "queries.jsonl").open(encoding="utf-8") as lines:
        asked: list[Question] = [
            (question["text"], gains[question["_id"]])
            for question in map(json.loads, lines)
            if question["_id"] in gains
        ]
    return asked[:: max(1, len(asked) // most)] if most else asked


def show(name: str, scores: Mapping[str, Mapping[str, float]]) -> None:
    """One folder's figures as lines."""
    for way, figures in scores.items():
        shown = "  ".join(f"{figure} {value:.4f}" for figure, value in figures.items())
        print(f"{name:<14} {way:<8} {shown}", flush=True)


if __name__ == "__main__":
    main()
