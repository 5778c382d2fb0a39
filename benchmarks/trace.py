"""How many modules of Penstock does one operation go through, and what does a search cost beside its bare engines?

    python -m benchmarks.trace [--names] [--rounds N]

Each operation runs in a process of its own, over one PDF of the sample handbook: from opening the collection to
closing it, and once more in a collection that is open and has done the same twice (`again`). A module is entered when a
function that is written in it is called by the operation: neither importing it counts, nor what runs while a module is
imported, nor the `__init__` that a dataclass is given. `sys.setprofile` sees the calls, in all threads. The process
that parses is seen too: before it confines itself, the same watch is set there, which writes each module once to its
standard error, and that goes to a file of ours. `--names` lists the modules.

The search is timed in a process that is not watched, over the whole handbook, every question in turn after a first
round. Its bound, taken question by question beside it, is what no search can do without: the tokens and the vector of
the question, and a search in each of the two indexes, one after the other.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

HANDBOOK = Path(__file__).resolve().parents[1] / "examples" / "handbook"
PDF = HANDBOOK / "leave-policy.pdf"
QUESTIONS = (
    "How many days of leave carry over?",
    "When is the line manager told of an illness?",
    "How many weeks may parents take?",
    "年假怎么申请",
    "住宿标准是多少",
    "密码长度不少于多少位",
)
OPERATIONS = {
    "ingest": f"penstock.ingest({str(PDF)!r})",
    "unchanged": f"penstock.ingest({str(PDF)!r})",
    "search": f"penstock.search({QUESTIONS[0]!r})",
    "ask": f"penstock.ask({QUESTIONS[0]!r})",
}
WARMING = 2
"""How often an operation is run before it is watched again."""
PARSES = "from penstock.loaders."
"""What the program of the process that parses begins with, once it knows where modules lie."""
ENTERED, IMPORTED = "entered", "imported"
COLUMNS = ("entered", "here", "parsing", "again", "imported", "parsing")


@dataclass(slots=True)
class Watch:
    """Notes which modules are imported, and which are entered by calls outside of any import."""

    out: int
    """The descriptor of the file to which each is written once."""
    _seen: set[tuple[str, str]] = field(default_factory=set)
    _importing: threading.local = field(default_factory=threading.local)

    def start(self) -> None:
        """Watches this thread and those that are started from now on."""
        threading.setprofile(self)
        sys.setprofile(self)

    @staticmethod
    def stop() -> None:
        """Watches no longer."""
        threading.setprofile(None)
        sys.setprofile(None)

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        """Called by the interpreter for each call and return."""
        name: str = frame.f_globals.get("__name__", "")
        if event not in ("call", "return") or not name.startswith("penstock") or frame.f_code.co_filename[0] == "<":
            return
        depth = getattr(self._importing, "depth", 0)
        if frame.f_code.co_name == "<module>":
            self._importing.depth = depth + (1 if event == "call" else -1)
            self._note(IMPORTED, name)
        elif not depth:
            self._note(ENTERED, name)

    def _note(self, event: str, name: str) -> None:
        if (event, name) not in self._seen:
            self._seen.add((event, name))
            os.write(self.out, f"{event} {name}\n".encode())


class Popen(subprocess.Popen[bytes]):
    """Starts processes, and has the one that parses watched: what it prints goes to a file beside its parent's."""

    def __init__(self, command: list[str], **options: Any) -> None:
        program = next((word for word in command if PARSES in word), None)
        if program is None:
            super().__init__(command, **options)
            return
        watched = program.replace(PARSES, f"from benchmarks.trace import Watch; Watch(2).start(); {PARSES}", 1)
        command = [watched if word is program else word for word in command]
        with (Path(os.environ["TRACED"]) / "child").open("ab", buffering=0) as printed:
            super().__init__(command, **options | {"stderr": printed})


def run(home: str, operation: str, warming: int) -> None:
    """One operation in this process, watched from its first import, or when it has been run some times."""
    subprocess.Popen = Popen  # type: ignore[assignment, misc]  # the module that starts the process that parses
    with (Path(os.environ["TRACED"]) / "parent").open("ab", buffering=0) as noted:
        watch = Watch(noted.fileno())
        if not warming:
            watch.start()
        from penstock import Penstock

        with Penstock(home) as penstock:
            for _ in range(warming):
                exec(operation, {"penstock": penstock})
            if warming:
                watch.start()
            exec(operation, {"penstock": penstock})
            if warming:
                watch.stop()
        watch.stop()


def traced(home: str, operation: str, warming: int = 0) -> Mapping[str, Mapping[str, set[str]]]:
    """The modules that an operation enters and imports, by process."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.trace", "--run", home, operation, str(warming)]
        subprocess.run(command, env={**os.environ, "TRACED": folder}, check=True, capture_output=True)
        return {process: _read(Path(folder) / process) for process in ("parent", "child")}


def _read(noted: Path) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {ENTERED: set(), IMPORTED: set()}
    for line in noted.read_text("utf-8").splitlines() if noted.exists() else ():
        event, _, name = line.partition(" ")
        if event in found:
            found[event].add(name)
    return found


def timed(home: str, rounds: int) -> tuple[float, float]:
    """Median seconds of a search, and of the engines that it cannot do without."""
    from penstock import Penstock
    from penstock.model import Filter

    searches, bounds = [], []
    with Penstock(home) as penstock:
        penstock.ingest(HANDBOOK)
        for number in range(rounds + 1):
            for question in QUESTIONS:
                start = time.perf_counter()
                penstock.search(question)
                middle = time.perf_counter()
                scope = penstock.collection.scope(Filter(), at=penstock.collection.revision())
                start_of_bound = time.perf_counter()
                tokens = penstock._analyser.query_tokens(question)
                (vector,) = penstock._embedder.embed([question], role="query")
                penstock._followers.keyword.index.search(tokens, k=100, scope=scope)
                penstock._followers.vector.index.search(vector, k=100, scope=scope)
                if number:
                    searches.append(middle - start)
                    bounds.append(time.perf_counter() - start_of_bound)
    return statistics.median(searches), statistics.median(bounds)


def main() -> None:
    """The command; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trace")
    parser.add_argument("--names", action="store_true", help="list the modules that are entered")
    parser.add_argument("--rounds", type=int, default=34, help="how often each question is searched")
    parser.add_argument("--run", nargs=3, metavar=("HOME", "OPERATION", "WARMING"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.run:
        home, operation, warming = args.run
        run(home, operation, int(warming))
        return
    with tempfile.TemporaryDirectory() as home:
        print("".join(f"{title:>12}" for title in ("", *COLUMNS)))
        for name, operation in OPERATIONS.items():
            here, parsing = traced(home, operation).values()
            again = traced(home, operation, WARMING)["parent"][ENTERED]
            counts = (
                len(here[ENTERED] | parsing[ENTERED]),
                *(len(part) for part in (here[ENTERED], parsing[ENTERED], again)),
                *(len(part) for part in (here[IMPORTED], parsing[IMPORTED])),
            )
            print(f"{name:<12}{''.join(f'{count:>12}' for count in counts)}", flush=True)
            if args.names:
                _list(here[ENTERED], parsing[ENTERED], again)
        search, bound = timed(home, args.rounds)
    print(f"search {search * 1000:.2f} ms, its engines alone {bound * 1000:.2f} ms: {search / bound:.2f} times")


def _list(here: set[str], parsing: set[str], again: set[str]) -> None:
    for name in sorted(here | parsing):
        where = [phase for phase, part in (("here", here), ("parsing", parsing), ("again", again)) if name in part]
        print(f"    {name} ({', '.join(where)})")


if __name__ == "__main__":
    main()
