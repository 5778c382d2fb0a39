"""Kill after kill: chooses the next moment, lets a child work until then, and has another child check what is left."""

import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from random import Random

from benchmarks.faults import checking, children
from benchmarks.faults.bases import Base, copied
from benchmarks.faults.broken import WHOLE, Variant
from benchmarks.faults.children import Tell
from benchmarks.faults.moments import Clock, Moment
from benchmarks.faults.places import ARRIVED, DIMENSIONS, Place, opened, prepare, warm
from benchmarks.faults.steps import RANDOM
from benchmarks.faults.tables import History
from benchmarks.faults.work import EVERYWHERE, ROLLED_BACK, Kind, Operation, State, operation
from penstock.model import SourceResult
from penstock.pipelines.indexing import rebuilding
from penstock.pipelines.workspace import Penstock

FEWEST = 3
"""Steps with fewer kills than this are killed first: some have few moments, most of which are reached rarely."""
KILLS_A_HOME = 25
"""Kills of a collection, one after the other; then the next collection starts as a copy of the first."""
RANDOM_SHARE = 0.25
"""Share of kills at random times; the others are at named moments."""
FOLLOWED = 0.7
"""Share of operations whose indexes follow each commit; the others' follow at the end."""
DAMAGES_A_HOME = 4
"""Damages to one collection's indexes: after each, an old index is moved away."""
FARTHEST = 6
"""A moment that is reached often kills at one of its first times."""


@dataclass(slots=True, kw_only=True)
class Report:
    """What a campaign found."""

    kills: Counter[str] = field(default_factory=Counter)
    """By step."""
    moments: Counter[Moment] = field(default_factory=Counter)
    known: set[Moment] = field(default_factory=set)
    missed: int = 0
    """Operations that ended before their moment was reached; they were checked all the same."""
    violations: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """All kills."""
        return self.kills.total()


@dataclass(slots=True, kw_only=True)
class Life:
    """One collection through its kills."""

    place: Place
    state: State
    history: History
    number: int = 0
    damaged: bool = False
    damages: int = 0
    folders: tuple[Path, ...] = ()
    """Folders of the indexes that are in use."""
    past: dict[int, State] = field(default_factory=dict)
    """The states of the revisions that are kept, including the newest."""


def ignore(_: Report) -> None:
    """Watches nothing."""


class Campaign:
    """Kills of one program, on one kind of database."""

    def __init__(self, base: Base, folder: Path, *, seed: int, variant: Variant = WHOLE) -> None:
        """The variant says what is broken, and which steps and operations to kill."""
        self._base = base
        self._folder = folder
        self._chance = Random(seed)
        self._variant = variant
        self._patch = variant.patch
        self._reached: dict[Moment, dict[Kind, int]] = defaultdict(dict)
        self._seconds: dict[Kind, float] = {}
        self._homes = 0
        self._first: Place | None = None
        self._begun: State = {}
        self.report = Report()

    def run(self, kills: int, *, stop_at_first: bool = False, watch: Callable[[Report], None] = ignore) -> Report:
        """Runs until `kills` processes were killed, or until the first violation; calls `watch` for each home."""
        with self._base.first() as url:
            self._make_first(url)
            self._count_moments()
            while self.report.total < kills and not (stop_at_first and self.report.violations):
                watch(self.report)
                with self._life() as life:
                    for _ in range(KILLS_A_HOME):
                        seen = len(self.report.violations)
                        if self.report.total >= kills:
                            break
                        self._die(life)
                        if len(self.report.violations) > seen:
                            break  # the same violation would be reported again and again
        return self.report

    def _make_first(self, url: str) -> None:
        warm()
        self._first = Place(home=self._folder / "first", url=url)
        self._first.home.mkdir(parents=True)
        filling = replace(operation("add", {}, number=1, chance=Random(1)), kind="add")
        self._must(children.run(lambda tell: self._work(self._place, filling, None, 1, tell)))
        self._begun = filling.states({})[-1]

    @property
    def _place(self) -> Place:
        assert self._first is not None
        return self._first

    @contextmanager
    def _life(self) -> Iterator[Life]:
        self._homes += 1
        folder = self._folder / f"home-{self._homes}"
        keyword = "rank-bm25" if self._homes % 4 == 2 and not self._variant.steps else "tantivy"
        with self._base.copy() as url, ExitStack() as stack:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            place = copied(self._place, folder, url=url, keyword=keyword)
            yield Life(place=place, state=self._begun, history=History(), number=10 * KILLS_A_HOME * self._homes)

    def _count_moments(self) -> None:
        """Finds which moments each kind of operation reaches, and how long it takes."""
        for _ in range(1 if self._variant.steps else 2):  # homes of both keyword indexes among them
            with self._life() as life:
                for kind in self._variant.kinds:
                    asked = self._next(life, kind)
                    ended = children.run(partial(self._count, life.place, asked))
                    self._must(ended)
                    self._seconds[kind] = ended.seconds
                    for step, function, line, times in ended.messages[-1]["moments"]:
                        found = Moment(step, function, line)
                        if not self._variant.steps or step in self._variant.steps:
                            self._reached[found][kind] = min(times, FARTHEST)
                    self._look(life, asked, asked.states(life.state)[-1:], "no death")
        self.report.known = set(self._reached)

    def _die(self, life: Life) -> None:
        at_random = not self._variant.steps and self._chance.random() < RANDOM_SHARE
        moment = None if at_random else self._least_tried(life)
        kind = self._chance.choice(self._variant.kinds if moment is None else list(self._reached[moment]))
        asked = self._next(life, kind)
        nth = 1 if moment is None else self._chance.randint(1, self._reached[moment][kind])
        after = children.LONGEST_SECONDS if moment else self._chance.uniform(0, 1.2 * self._seconds[kind])
        ended = children.run(lambda tell: self._work(life.place, asked, moment, nth, tell), kill_after=after)
        where = f"{moment}, time {nth}" if moment else f"{RANDOM}: after {after:.4f} s"
        if ended.error:
            self.report.violations.append(f"{asked.kind} at {where}: {ended.error}")
            return
        if ended.killed:
            self.report.kills[moment.step if moment else RANDOM] += 1
        else:
            self.report.missed += 1
        if moment:
            self.report.moments[moment] += 1
        done = set(ended.messages)
        committed = sum(any(uri in done for uri in uris) for uris in asked.batches)
        states = asked.states(life.state)
        self._look(life, asked, states[committed : committed + 2] if ended.killed else states[-1:], where)

    def _least_tried(self, life: Life) -> Moment:
        """The moment with the fewest kills that can be reached: without another damage there is nothing to repair."""
        tried, steps = self.report.moments, self.report.kills
        comes = [
            moment for moment, kinds in self._reached.items() if set(kinds) != {"repair"} or self._may_damage(life)
        ]
        return min(
            comes,
            key=lambda moment: (steps[moment.step] >= FEWEST, tried[moment], steps[moment.step], self._chance.random()),
        )

    def _next(self, life: Life, kind: Kind) -> Operation:
        life.number += 1
        if kind == "switch":
            life.place = replace(life.place, model=1 - life.place.model)
        if kind == "analyser":
            life.place = replace(life.place, words=1 - life.place.words)
        if kind == "repair" and self._may_damage(life):
            life.damages += 1
            life.damaged = self._damage(life.folders)
        if kind == "rollback" and life.past:
            to = self._chance.choice(sorted(life.past))
            return Operation(kind=kind, to=to, past=life.past[to])
        return operation(kind, life.state, number=life.number, chance=self._chance)

    def _may_damage(self, life: Life) -> bool:
        return life.damages < (KILLS_A_HOME if self._variant.steps else DAMAGES_A_HOME)

    def _damage(self, folders: Sequence[Path]) -> bool:
        """Cuts a file of an index that is in use in half, so that the index has to be rebuilt.

        Deletes the record of rebuilds: for the same cause an index is rebuilt only once an hour.
        """
        for folder in folders:
            folder.with_name(rebuilding.NAME).unlink(missing_ok=True)
        files = [
            path for folder in folders for path in folder.rglob("*") if path.is_file() and path.stat().st_size > 16
        ]
        if not files:
            return False
        chosen = self._chance.choice(sorted(files))
        chosen.write_bytes(chosen.read_bytes()[: chosen.stat().st_size // 2])
        return True

    def _work(self, place: Place, asked: Operation, deadly: Moment | None, nth: int, tell: Tell) -> None:
        follows = self._chance.random() < FOLLOWED  # the child's own copy: it is the same for the same seed
        self._patch()
        prepare(follow_each_commit=follows)
        with opened(place) as penstock:
            if deadly is None:
                perform(penstock, asked, place.exported, tell)
                return
            with Clock(deadly, nth).running():
                perform(penstock, asked, place.exported, tell)

    def _count(self, place: Place, asked: Operation, tell: Tell) -> None:
        self._patch()
        prepare(follow_each_commit=True)
        clock = Clock()
        with opened(place) as penstock, clock.running():
            perform(penstock, asked, place.exported, tell)
        tell({"moments": [[*moment, times] for moment, times in clock.seen.items()]})

    def _look(self, life: Life, asked: Operation, states: Sequence[State], where: str) -> None:
        """Has a child check everything, and stores what it found."""
        self._base.settle(life.place.url)
        aside = life.place.aside
        ended = children.run(lambda tell: self._check(life, asked.kind, states, tell))
        wrong = [ended.error] if ended.error or not ended.messages else ended.messages[0]["wrong"]
        if not life.damaged and life.place.aside > (0 if life.damages == 0 else aside):
            wrong = [*wrong, "an index was moved away that was not damaged on purpose"]
        self.report.violations += [f"{asked.kind} at {where}: {problem}" for problem in wrong]
        if ended.messages:
            message = ended.messages[0]
            life.state = states[message["state"]]
            life.past[message["newest"]] = life.state
            life.past = {revision: state for revision, state in life.past.items() if revision >= message["oldest"]}
            life.place = replace(life.place, model=message["model"])
            life.folders = tuple(map(Path, message["folders"]))
            life.history = History(
                digests={int(revision): digest for revision, digest in message["digests"].items()}, rows=message["rows"]
            )
        life.damaged = False

    def _check(self, life: Life, kind: Kind, states: Sequence[State], tell: Tell) -> None:
        self._patch()
        place = life.place
        wrong = self._arrived(place, states) if kind == "import" else []
        wrong += checking.tables(life.place, life.history)
        with opened(place) as penstock:
            model = DIMENSIONS.index(penstock.collection.dimension() or DIMENSIONS[place.model])
        with opened(replace(place, model=model)) as penstock:
            state, problems = checking.documents(penstock, states)
            wrong += problems
            wrong += checking.as_found(penstock, damaged=life.damaged)
            penstock.search(EVERYWHERE)
            wrong += checking.agreement(penstock)
            wrong += checking.answers(penstock, states[state])
            folders = checking.in_use(penstock)
            _, oldest, newest = penstock.collection.history.kept()
        found = {"wrong": wrong, "state": state, "model": model, "folders": folders, "oldest": oldest, "newest": newest}
        tell({**found, "digests": life.history.digests, "rows": life.history.rows})

    @staticmethod
    def _arrived(place: Place, states: Sequence[State]) -> list[str]:
        """Problems of the collection that an import made, if it made one; removes that collection."""
        with opened(place, ARRIVED) as penstock:
            if penstock.present() is None:
                return []
            _, wrong = checking.documents(penstock, states)
            penstock.search(EVERYWHERE)
            wrong += [*checking.agreement(penstock), *checking.answers(penstock, states[0])]
            penstock.remove_collection(ARRIVED)
        return [f"import: {problem}" for problem in wrong]

    @staticmethod
    def _must(ended: children.Ended) -> None:
        if ended.error:
            raise RuntimeError(f"the program fails without any kill: {ended.error}")


def perform(penstock: Penstock, asked: Operation, exported: Path, tell: Tell) -> None:
    """Calls the program, and sends the URI of each source that it reports as done."""

    def watch(result: SourceResult) -> None:
        if result.outcome != "unchanged":
            tell(result.uri)

    if asked.removed:
        penstock.remove(*asked.removed, watch=watch)
    elif asked.upserts:
        penstock.add(asked.records, watch=watch)
    elif asked.kind == "repair":
        penstock.doctor(repair=True)
    elif asked.kind == "compact":
        penstock.compact(keep=3)
    elif asked.kind == "import":
        exported.unlink(missing_ok=True)
        penstock.export(exported)
        penstock.import_(exported, name=ARRIVED)
    elif asked.past is not None:
        penstock.rollback(asked.to)
        tell(ROLLED_BACK)
    else:
        penstock.search(EVERYWHERE)
