"""Which differences a reader sees in answers because of a hidden document: numbers, and the order of the hits.

    python -m benchmarks.hidden FOLDER [FOLDER ...] [--questions N]

FOLDER is in BEIR's layout (see `benchmarks.retrieval`). A document that the reader may not see holds, once the rarest
word of every question, once as many words that nobody asks for; the reader's answers to both are compared.
"""

import argparse
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.retrieval import questions_of, records_of
from penstock.model import Filter
from penstock.pipelines.ingest.records import Record
from penstock.pipelines.reporting import reports
from penstock.pipelines.workspace import Penstock

READER = Filter(principals=frozenset({"reader"}))
TOP = 10


def main() -> None:
    """Prints how many questions have another order, and how many any other difference."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hidden", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--questions", type=int, help="only so many questions, spread evenly")
    args = parser.parse_args()
    for folder in args.folders:
        print(json.dumps({"set": folder.name, **compare(folder, args.questions)}))


def compare(folder: Path, questions: int | None) -> dict[str, Any]:
    """The questions of one folder, counted by what differs."""
    asked = [question for question, _ in questions_of(folder, questions)]
    rarest = _rarest(asked, [record.text for record in records_of(folder)])
    idle = [f"zq{number}x" for number in range(len(rarest))]
    with TemporaryDirectory() as scratch:
        with_word, without_word = (_answers(folder, Path(scratch) / words[0], words, asked) for words in (rarest, idle))
    orders = [
        ([hit["chunk_id"] for hit in here], [hit["chunk_id"] for hit in there])
        for here, there in zip(with_word, without_word, strict=True)
    ]
    return {
        "questions": len(asked),
        "other_order": sum(here != there for here, there in orders),
        "other_first": sum(here[:1] != there[:1] for here, there in orders),
        "other_numbers": sum(
            _plain(here) != _plain(there)
            for here, there, order in zip(with_word, without_word, orders, strict=True)
            if order[0] == order[1]
        ),
    }


def _answers(folder: Path, home: Path, hidden: Sequence[str], asked: Sequence[str]) -> list[list[dict[str, Any]]]:
    with Penstock(home) as penstock:
        penstock.add(records_of(folder))
        penstock.add([Record(uri="memo:hidden", text=" ".join(hidden), access=frozenset({"board"}))])
        return [reports.retrieved(penstock.search(question, k=TOP, where=READER))["hits"] for question in asked]


def _plain(hits: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Hits without the ranks in either leg, which are an order too."""
    return [{**hit, "trace": {name: value for name, value in hit["trace"].items() if name != "ranks"}} for hit in hits]


def _rarest(asked: Sequence[str], texts: Sequence[str]) -> list[str]:
    """For each question, its rarest word among those that some text holds."""
    held = Counter(word for text in texts for word in set(_words(text)))
    found = [
        min((word for word in _words(question) if held[word]), key=held.__getitem__, default="") for question in asked
    ]
    return sorted(set(filter(None, found)))


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.casefold())


if __name__ == "__main__":
    main()
