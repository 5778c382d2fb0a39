"""Whatever is written, renamed, removed and ingested, in any order: no reader sees what was not given to them."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.catalog.commit.addresses import folders_of
from penstock.loaders import Sandbox, path_of, uri_of
from penstock.model import EVERYBODY, Access, Filter, may_see
from penstock.pipelines import assembly
from penstock.pipelines.stepwise import Stepwise
from penstock.testing.doubles.embedders import LittleModel
from tests.examples import examples

FOLDERS = ("", "hr", "hr/board", "menu")
READERS = (frozenset[str](), frozenset({"staff"}), frozenset({"board"}))
ACCESS = st.sampled_from(
    (None, None, EVERYBODY, frozenset({"staff"}), frozenset({"board"}), frozenset({"staff", "eve"}))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """An action of a user, and the run after it."""

    folder: str
    """The folder in which a file is written, renamed or removed."""
    does: str
    address: str
    access: Access | None
    in_steps: bool


ACTS = st.lists(
    st.builds(
        Act,
        folder=st.sampled_from(FOLDERS),
        does=st.sampled_from(("write", "write", "rename", "remove", "move folder")),
        address=st.sampled_from(FOLDERS),
        access=ACCESS,
        in_steps=st.booleans(),
    ),
    min_size=2,
    max_size=5,
)


def do(act: Act, root: Path, number: int) -> None:
    folder = root / act.folder
    files = sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    if act.does == "write" or not files:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.txt").write_text(f"paper number {number} about leave", "utf-8")
    elif act.does == "rename":
        files[0].rename(files[0].with_name(f"renamed {number}.txt"))
    elif act.does == "remove":
        files[0].unlink()
    elif act.folder:
        shutil.move(folder, root / f"moved {number}")


def ingest(penstock: Stepwise, address: Path, act: Act) -> None:
    if not act.in_steps:
        penstock.ingest(address, access=act.access)
        return
    plan, run = penstock.plan(address, access=act.access), penstock.begin("ingest")
    penstock.finish(plan, [penstock.take(batch, run=run) for batch in plan.batches(1)], run=run)


class Expected:
    """The access that was given, and the access of each source that follows from it."""

    def __init__(self) -> None:
        self.said: dict[str, tuple[int, Access]] = {}
        self.seen: dict[str, Access] = {}
        self.texts: dict[str, Access] = {}

    def after(self, number: int, address: str, access: Access | None, there: dict[str, str]) -> None:
        """`there` are all files below the address with their texts."""
        if access is not None:
            self.said[address] = number, access
        for uri, text in there.items():
            if access is not None:
                self.seen[uri] = access
            else:
                words = [
                    (*self.said[address], len(address)) for address in (uri, *folders_of(uri)) if address in self.said
                ]
                latest = max(words, key=lambda word: (word[0], word[2]), default=None)
                if uri not in self.seen and latest:
                    self.seen[uri] = latest[1]
                elif uri not in self.seen:
                    self.seen[uri] = self.texts.get(text, EVERYBODY)  # moved, or new where no access was ever given
            self.texts[text] = self.seen[uri]


@pytest.fixture
def one_parser(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All runs parse in one process: starting it takes longer than a run, and access is not decided there."""
    started, start, close = list[Sandbox](), assembly.sandbox, Sandbox.close

    def the_one(*given: Any, **named: Any) -> Sandbox:
        if not started:
            started.append(start(*given, **named))
        return started[0]

    monkeypatch.setattr(assembly, "sandbox", the_one)
    monkeypatch.setattr(Sandbox, "close", lambda _: None)
    yield
    for sandbox in started:
        close(sandbox)


@pytest.mark.usefixtures("one_parser")
@settings(max_examples=examples(6), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_nobody_sees_more_than_was_last_given(
    model: LittleModel, tmp_path_factory: pytest.TempPathFactory, acts: list[Act]
) -> None:
    base = tmp_path_factory.mktemp("case")
    root, expected = base / "documents", Expected()
    (root / "hr" / "board").mkdir(parents=True)
    (root / "menu").mkdir()
    (root / "first.txt").write_text("the first paper about leave", "utf-8")
    with Stepwise(base / "home", embedder=model) as penstock:
        penstock.ingest(root)
        expected.after(-1, uri_of(root), None, {uri_of(root / "first.txt"): "the first paper about leave"})
        for number, act in enumerate(acts):
            do(act, root, number)
            address = root / act.address
            if not address.exists():
                continue
            ingest(penstock, address, act)
            there = {uri_of(path): path.read_text("utf-8") for path in address.rglob("*.txt")}
            expected.after(number, uri_of(address), act.access, there)
            check(penstock, expected)
        assert penstock.doctor().ok


def check(penstock: Stepwise, expected: Expected) -> None:
    known = {known.source.uri: known.source.access for known in penstock.collection.sources()}
    for uri, access in known.items():
        for reader in (*READERS, frozenset({"eve"})):
            assert may_see(expected.seen[uri], reader) or not may_see(access, reader), (str(path_of(uri)), reader)
    for reader in READERS:
        hits = penstock.search("leave", k=50, where=Filter(principals=reader)).hits
        assert {hit.source.uri for hit in hits} == {uri for uri, access in known.items() if may_see(access, reader)}
        counted = penstock.status(principals=reader)
        assert counted.chunks.catalog == counted.chunks.keyword == counted.chunks.vector == len(hits)
