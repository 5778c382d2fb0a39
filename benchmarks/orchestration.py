"""What orchestration costs: small documents through the flow, against the plain pipeline, in the same run.

    python -m benchmarks.orchestration --documents 5000

Both write to new homes; a Prefect server runs beside them on loopback. Each is timed twice, in the order plain, flow,
flow, plain, so that a machine that becomes slower or faster weighs on both. Processor seconds are those of this process
and of those that parse, and of the server too: on a busy machine they are more reliable than wall time.
"""

import argparse
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

import penstock.flows.prefect_setup  # noqa: F401 - before prefect: switches its telemetry off
from penstock import Penstock
from penstock.flows.serving import server

WORDS = ("water", "pipe", "turbine", "valve", "dam", "gate", "pressure", "水库", "压力管道", "阀门", "年假", "flow")


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the seconds of each run and the ratio of the better ones."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.orchestration", description=__doc__)
    parser.add_argument("--documents", type=int, default=5000)
    parser.add_argument("--batch", type=int, default=64, help="sources a task")
    args = parser.parse_args(arguments)
    with TemporaryDirectory() as scratch, server.running(Path(scratch) / "prefect", None) as running:
        os.environ["PREFECT_API_URL"] = running.api  # before prefect is imported
        os.environ["PREFECT_API_AUTH_STRING"] = running.password
        folder = write(Path(scratch) / "documents", args.documents)
        report(compare(folder, Path(scratch), args.batch, running), args.documents)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a run took."""

    wall: float
    processor: float


def compare(folder: Path, scratch: Path, batch: int, running: server.PrefectServer) -> dict[str, list[Spent]]:
    """What each run of the plain pipeline and of the flow took, in seconds."""
    from penstock.flows.ingest import ingest

    def plain(home: Path) -> None:
        with Penstock(home, "bench") as penstock:
            penstock.ingest(folder)

    def flow(home: Path) -> None:
        ingest([str(folder)], "bench", str(home), batch)

    runs: dict[str, Callable[[Path], None]] = {"plain": plain, "flow": flow}
    spent: dict[str, list[Spent]] = {name: [] for name in runs}
    for number, name in enumerate(("plain", "flow", "flow", "plain")):
        begun, before = time.perf_counter(), processor(running)
        runs[name](scratch / f"home-{number}")
        spent[name].append(Spent(wall=time.perf_counter() - begun, processor=processor(running) - before))
    return spent


def processor(running: server.PrefectServer) -> float:
    """Processor seconds so far of this process, of the processes that it started and that ended, and of the server."""
    ours, theirs = os.times(), psutil.Process(running.pid).cpu_times()
    return ours.user + ours.system + ours.children_user + ours.children_system + float(theirs.user + theirs.system)


def report(spent: dict[str, list[Spent]], documents: int) -> None:
    """Prints what was measured."""
    for name, all_runs in spent.items():
        walls = ", ".join(f"{run.wall:.1f} (processor {run.processor:.1f})" for run in all_runs)
        print(f"{name:<6} {walls} s for {documents} documents")
    for measure in ("wall", "processor"):
        best = {name: min(getattr(run, measure) for run in all_runs) for name, all_runs in spent.items()}
        print(f"the flow adds {best['flow'] / best['plain'] - 1:+.1%} of {measure} time")


def write(folder: Path, documents: int) -> Path:
    """A folder of so many small texts, in Chinese and English, the same every time."""
    folder.mkdir()
    dice = random.Random(4)
    for number in range(documents):
        text = " ".join(dice.choices(WORDS, k=40))
        (folder / f"{number:05}.txt").write_text(f"Document {number}. {text}.\n", "utf-8")
    return folder


if __name__ == "__main__":
    main()
