"""The operations on the collection, and its possible states afterwards: small texts, the same for the same seed."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Literal, NamedTuple, get_args

from penstock.pipelines.ingest.records import Record

WORDS = ("turbine", "valve", "reservoir", "gate", "年假", "pump", "pressure", "水轮机", "压力", "leave")
EVERYWHERE = "water"
"""A word of every document: a search for it finds all of them."""
URIS = tuple(f"record:{number:02}" for number in range(14))
ROLLED_BACK = "rolled back"
"""What a child sends when a rollback is done."""
BATCH = 3
"""Documents a commit."""
Kind = Literal[
    "add", "change", "remove", "move", "search", "repair", "switch", "analyser", "compact", "rollback", "import"
]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Held(NamedTuple):
    """What the collection holds of one source."""

    text: str
    team: str


State = Mapping[str, Held]
"""Sources by URI, as they are after a commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A call of the program; each batch of it is a commit."""

    kind: Kind
    upserts: tuple[tuple[str, Held], ...] = ()
    removed: tuple[str, ...] = ()
    to: int = 0
    """The revision that a rollback goes back to."""
    past: State | None = None
    """The state at that revision."""

    @property
    def records(self) -> list[Record]:
        """The upserts as records."""
        return [Record(uri=uri, text=held.text, labels={"team": held.team}) for uri, held in self.upserts]

    @property
    def batches(self) -> list[tuple[str, ...]]:
        """URIs of each commit, in order."""
        if self.past is not None:
            return [(ROLLED_BACK,)]
        if self.removed:
            return [self.removed]
        uris = [uri for uri, _ in self.upserts]
        return [tuple(uris[start : start + BATCH]) for start in range(0, len(uris), BATCH)]

    def states(self, before: State) -> list[State]:
        """The state before, and the states after each commit."""
        if self.past is not None:
            return [before, self.past]
        found, given = [before], dict(self.upserts)
        for uris in self.batches:
            after = {uri: held for uri, held in found[-1].items() if uri not in self.removed}
            after.update((uri, given[uri]) for uri in uris if uri in given)
            found.append(after)
        return found


def text_of(uri: str, edition: int) -> str:
    """A text of some paragraphs, of a chunk or two each; no two are alike."""
    chance = Random(f"{uri} {edition}")
    number = uri.rpartition(":")[2]
    return "\n\n".join(
        f"{' '.join(chance.choices(WORDS, k=18))} {EVERYWHERE} n{number}e{edition}p{paragraph}"
        for paragraph in range(chance.randint(1, 4))
    )


def operation(kind: Kind, before: State, *, number: int, chance: Random) -> Operation:
    """An operation of that kind, which changes the collection; `number` makes its texts unlike all others."""
    present, absent = sorted(before), sorted(set(URIS) - set(before))
    if kind in ("remove", "move") and not present:
        kind = "add"
    if kind == "remove":
        return Operation(kind=kind, removed=tuple(chance.sample(present, chance.randint(1, min(5, len(present))))))
    if kind == "move":  # first a copy under another address, then the original is removed: its document moves
        twins = [uri for uri in present if sum(before[uri].text == held.text for held in before.values()) > 1]
        if twins:
            return Operation(kind=kind, removed=(twins[0],))
        copied = before[chance.choice(present)]
        return Operation(kind=kind, upserts=((chance.choice(absent or present), Held(copied.text, "red")),))
    if kind in ("search", "repair", "analyser", "compact", "rollback", "import"):
        return Operation(kind=kind)
    among = absent if kind == "add" and absent else list(URIS)
    chosen = chance.sample(among, min(len(among), chance.randint(2, 6)))
    upserts = tuple((uri, Held(text_of(uri, number), chance.choice(("red", "blue")))) for uri in chosen)
    return Operation(kind=kind, upserts=upserts)
