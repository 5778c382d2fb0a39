"""What a question costs more through a plug-in than through the bare call: LangChain, LlamaIndex, Haystack.

    python -m benchmarks.plugins [FOLDER] [--questions N] [--rounds N] [--json]

Every question is asked in each way in turn, and in another order each time, so that another load on the machine meets
all of them. `overhead` is the median over all questions of the difference to the bare call beside it, in milliseconds.
The collection holds the files of FOLDER, by default the sample documents of `examples/handbook`; the questions are the
beginnings of its chunks.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from penstock.integrations.haystack import PenstockRetriever as HaystackRetriever
from penstock.integrations.langchain import PenstockRetriever as LangChainRetriever
from penstock.integrations.llama_index import PenstockRetriever as LlamaIndexRetriever
from penstock.pipelines.workspace import Penstock

HANDBOOK = Path(__file__).resolve().parents[1] / "examples" / "handbook"
LONGEST = 80
"""Characters of a question."""
BARE = "bare"


def measure(folder: Path, questions: int, rounds: int) -> dict[str, dict[str, float]]:
    """Median milliseconds of each way to ask, and of what it takes more than the bare call."""
    with tempfile.TemporaryDirectory() as home, Penstock(home) as penstock:
        penstock.ingest(folder)
        asked = [text[:LONGEST] for text in penstock.collection.sample(questions)]
        ways: Mapping[str, Callable[[str], object]] = {
            BARE: penstock.search,
            "langchain": LangChainRetriever(penstock).invoke,
            "llama_index": LlamaIndexRetriever(penstock).retrieve,
            "haystack": HaystackRetriever(penstock=penstock).run,
        }
        for ask in ways.values():
            ask(asked[0])  # opens what is opened once
        taken: dict[str, list[float]] = {name: [] for name in ways}
        names = list(ways)
        for number, question in enumerate(asked * rounds):
            turn = number % len(names)
            for name in names[turn:] + names[:turn]:
                taken[name].append(milliseconds(ways[name], question))
    return {name: figures(times, taken[BARE]) for name, times in taken.items()}


def milliseconds(ask: Callable[[str], object], question: str) -> float:
    """How long an answer took."""
    start = time.perf_counter()
    ask(question)
    return (time.perf_counter() - start) * 1000


def figures(times: list[float], bare: list[float]) -> dict[str, float]:
    """Medians, rounded to the digits that are significant."""
    overhead = statistics.median(time - bare_time for time, bare_time in zip(times, bare, strict=True))
    return {
        "median_ms": round(statistics.median(times), 2),
        "overhead_ms": round(overhead, 2),
        "questions": len(times),
    }


def main() -> None:
    """The command; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plugins")
    parser.add_argument("folder", type=Path, nargs="?", default=HANDBOOK, help="what is asked for")
    parser.add_argument("--questions", type=int, default=200, help="different questions, at most one a chunk")
    parser.add_argument("--rounds", type=int, default=20, help="how often each is asked")
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    args = parser.parse_args()
    found = measure(args.folder, args.questions, args.rounds)
    if args.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{'way':<14}{'median ms':>12}{'overhead ms':>14}{'questions':>12}")
    for name, measured in found.items():
        print(f"{name:<14}{measured['median_ms']:>12.2f}{measured['overhead_ms']:>14.2f}{measured['questions']:>12}")


if __name__ == "__main__":
    main()
