"""Do both backends rank alike? The same collections searched in the embedded indexes and in Elasticsearch.

    python -m benchmarks.parity FOLDER [FOLDER ...] [--url URL] [--questions N] [--shown N]

FOLDER is as for `benchmarks.retrieval`. Without `--url` a server is started on loopback for the run. For each way to
search it prints nDCG@10 of both backends, how many questions have another top ten, and why the first of those differ.
"""

import argparse
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.retrieval import CHUNKS, WAYS, Question, questions_of, records_of
from penstock.evals import metrics
from penstock.model import Filter, Hit
from penstock.pipelines.workspace import Penstock
from penstock.ports import Retriever
from penstock.settings import read_settings
from tests.servers.elasticsearch import elasticsearch_server

TOP = 10
ROUNDING = 1e-5
"""Relative difference of scores that 32-bit floats make when the same sum is taken in another order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """The first rank at which both backends put another chunk."""

    question: str
    rank: int
    ours: Hit
    theirs: Hit
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One way to search, over all questions of one folder."""

    embedded: float
    """Mean nDCG@10 of the embedded indexes."""
    elasticsearch: float
    differences: Sequence[Mismatch]
    questions: int


def main() -> None:
    """Prints one line for each folder and way to search, and the differences below it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parity", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--url", help="a running Elasticsearch; default: one is started for the run")
    parser.add_argument("--questions", type=int, help="only so many questions, spread evenly")
    parser.add_argument("--shown", type=int, default=3, help="differences shown for each way to search")
    parser.add_argument("--home", type=Path, help="keep the ingested collections here for the next run")
    args = parser.parse_args()
    server = nullcontext(args.url) if args.url else elasticsearch_server()
    with TemporaryDirectory() as scratch, server as url:
        for folder in args.folders:
            for way, compared in compare(folder, args.home or Path(scratch), url, args.questions).items():
                show(f"{folder.name:<14} {way:<8}", compared, args.shown)


def compare(folder: Path, home: Path, url: str, most: int | None) -> dict[str, Comparison]:
    """Both backends over one catalog: neither parses or embeds what the other has."""
    asked = questions_of(folder, most)
    embedded = read_settings(home=home, collection=folder.name)
    both = {"keyword": "elasticsearch", "vector": "elasticsearch"}
    remote = read_settings(
        home=home, collection=folder.name, indexes=both, elasticsearch={"urls": [url], "replicas": 0}
    )
    with Penstock(settings=embedded) as here, Penstock(settings=remote) as there:
        here.add(records_of(folder))
        return {way: _compared(here.retriever_of(legs), there.retriever_of(legs), asked) for way, legs in WAYS.items()}


def _compared(here: Retriever, there: Retriever, asked: Sequence[Question]) -> Comparison:
    scores = [0.0, 0.0]
    differences = []
    for question, gains in asked:
        found = [retriever.retrieve(question, k=CHUNKS, where=Filter()).hits for retriever in (here, there)]
        for number, hits in enumerate(found):
            scores[number] += metrics.ndcg(list(dict.fromkeys(hit.source.uri for hit in hits)), gains)
        differences += _differences(question, *found)
    return Comparison(
        embedded=scores[0] / len(asked),
        elasticsearch=scores[1] / len(asked),
        differences=differences,
        questions=len(asked),
    )


def _differences(question: str, here: Sequence[Hit], there: Sequence[Hit]) -> list[Mismatch]:
    for rank, (ours, theirs) in enumerate(zip(here[:TOP], there[:TOP], strict=False), start=1):
        if ours.chunk.id != theirs.chunk.id:
            why = _why(ours, theirs, {hit.chunk.id: hit for hit in here}, {hit.chunk.id: hit for hit in there})
            return [Mismatch(question=question, rank=rank, ours=ours, theirs=theirs, why=why)]
    return []


def _why(ours: Hit, theirs: Hit, here: dict[str, Hit], there: dict[str, Hit]) -> str:
    if ours.chunk.id not in there or theirs.chunk.id not in here:
        return "one backend did not find what the other did"
    if abs(ours.score - here[theirs.chunk.id].score) <= ROUNDING * abs(ours.score):
        return "a tie within the rounding of 32-bit floats"
    their_hit = there[ours.chunk.id]
    legs = [
        f"{leg} {score:.6f} against {their_hit.trace.scores.get(leg, float('nan')):.6f}"
        for leg, score in ours.trace.scores.items()
        if abs(score - their_hit.trace.scores.get(leg, 0.0)) > ROUNDING * abs(score)
    ]
    return f"other scores of the same chunk: {', '.join(legs) or 'none of a leg, so the fusion'}"


def show(name: str, compared: Comparison, shown: int) -> None:
    """Figures, then the first differences."""
    print(
        f"{name} nDCG@10 embedded {compared.embedded:.4f}  Elasticsearch {compared.elasticsearch:.4f}  "
        f"difference {compared.elasticsearch - compared.embedded:+.4f}  "
        f"other top ten in {len(compared.differences)} of {compared.questions} questions",
        flush=True,
    )
    for difference in compared.differences[:shown]:
        print(
            f"    rank {difference.rank} of {difference.question[:50]!r}: {difference.ours.score:.7f} | "
            f"{difference.theirs.score:.7f}: {difference.why}"
        )


if __name__ == "__main__":
    main()
