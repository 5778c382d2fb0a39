"""One process writes, four search: does each answer match a single revision? `python -m benchmarks.faults.readers`."""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from benchmarks.faults import children
from benchmarks.faults.children import Tell
from benchmarks.faults.places import Place, opened, prepare, warm
from benchmarks.faults.telling import tell
from benchmarks.faults.work import BATCH, EVERYWHERE, Kind, Operation, State, operation
from penstock.errors import CollectionLocked
from penstock.model import Filter, Retrieved, RunReport
from penstock.pipelines.workspace import Penstock
from penstock.retrievers.hybrid import WRITTEN_MEANWHILE
from penstock.settings import Legs

LEGS: tuple[Legs, ...] = ("keyword", "vector", "both")
SEARCHES_A_WORKSPACE = 10
"""After this many searches a reader opens everything again."""
LISTED = 20
"""Wrong answers that are listed individually."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What readers found while another process wrote."""

    revisions: int
    answers: int
    noted: int
    """Answers with the note that a part of the last change may be missing."""
    wrong: tuple[str, ...]


def steps(seed: int) -> Iterator[tuple[Operation, State]]:
    """Operations of one commit each, without end, with the state after them."""
    chance = Random(seed)
    state: State = {}
    number = 0
    while True:
        number += 1
        kinds: tuple[Kind, ...] = ("add", "change", "change", "remove") if len(state) > 4 else ("add",)
        asked = operation(chance.choice(kinds), state, number=number, chance=chance)
        asked = Operation(kind=asked.kind, upserts=asked.upserts[:BATCH], removed=asked.removed)
        state = dict(asked.states(state)[-1])
        yield asked, state


class Sayings:
    """The state of each revision, computed when it is first needed."""

    def __init__(self, seed: int) -> None:
        self._steps = steps(seed)
        self._states: list[State] = [{}]

    def at(self, revision: int) -> State:
        """The state at a revision."""
        while len(self._states) <= revision:
            self._states.append(next(self._steps)[1])
        return self._states[revision]


def write(place: Place, seconds: float, seed: int, done: int, tell: Tell) -> None:
    """Commits at least once, until the time is over, and sends the last revision; `done` steps were made before."""
    prepare(follow_each_commit=True)
    deadline, revision = time.monotonic() + seconds, done
    with opened(place) as penstock:
        for asked, _ in islice(steps(seed), done, None):
            report = _written(penstock, asked)
            revision += 1
            assert report.revision == revision
            if time.monotonic() > deadline:
                break
    tell(revision)


def _written(penstock: Penstock, asked: Operation) -> RunReport:
    while True:
        try:
            return penstock.remove(*asked.removed) if asked.removed else penstock.add(asked.records)
        except CollectionLocked:  # a reader is updating the indexes
            time.sleep(0.005)


def read(place: Place, seconds: float, seed: int, tell: Tell) -> None:
    """Searches until the time is over, and sends the number of answers and the wrong ones."""
    deadline, sayings = time.monotonic() + seconds, Sayings(seed)
    answers, noted = 0, 0
    wrong: list[str] = []
    while time.monotonic() < deadline:
        with opened(place) as penstock:
            for number in range(SEARCHES_A_WORKSPACE):
                legs = LEGS[number % len(LEGS)]
                found = penstock.retriever_of(legs).retrieve(EVERYWHERE, k=100, where=Filter())
                answers += 1
                noted += WRITTEN_MEANWHILE in found.notes
                wrong += [f"{legs}: {difference}" for difference in differences(found, sayings.at(found.revision))]
    tell([answers, noted, wrong[:LISTED]])


def differences(found: Retrieved, state: State) -> Iterator[str]:
    """How an answer differs from the state of its revision."""
    uris = {source.uri for hit in found.hits for source in hit.sources}
    where = f"at revision {found.revision}"
    for hit in found.hits:
        uri = hit.source.uri
        if uri not in state or hit.chunk.text not in state[uri].text:
            yield f"{where} it shows {hit.chunk.text[-12:]!r} of {uri}, which was not there"
    if WRITTEN_MEANWHILE not in found.notes and uris != set(state):
        yield f"{where} it finds {sorted(uris)}, there were {sorted(state)}"


def measure(place: Place, seconds: float, *, readers: int = 4, seed: int = 1) -> Outcome:
    """Lets one process write and others read for `seconds`."""
    warm()
    first = children.run(partial(write, place, 0.0, seed, 0))  # makes the catalog
    assert not first.error, first.error
    jobs = [partial(write, place, seconds, seed, 1), *[partial(read, place, seconds, seed)] * readers]
    running = [children.Child(job) for job in jobs]
    writer, *searchers = [child.ended(kill_after=seconds + children.LONGEST_SECONDS) for child in running]
    failed = tuple(
        ended.error or "it was killed: it did not end" for ended in (writer, *searchers) if ended.error or ended.killed
    )
    results = [ended.messages[-1] for ended in searchers if ended.messages]
    return Outcome(
        revisions=writer.messages[-1] if writer.messages else 0,
        answers=sum(result[0] for result in results),
        noted=sum(result[1] for result in results),
        wrong=(*failed, *(problem for result in results for problem in result[2])),
    )


def main() -> int:
    """Returns 1 where an answer was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument("--keyword", choices=("tantivy", "rank-bm25"), default="tantivy")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with TemporaryDirectory(prefix="penstock-readers-") as folder:
        place = Place(home=Path(folder), keyword=args.keyword)
        found = measure(place, args.seconds, readers=args.readers)
    summary = f"{found.revisions} revisions, {found.answers} answers, of which {found.noted} said that something may"
    tell(found, f"{summary}\nbe missing; {len(found.wrong)} wrong", as_json=args.json)
    return 1 if found.wrong or not found.answers else 0


if __name__ == "__main__":
    sys.exit(main())
