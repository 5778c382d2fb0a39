"""What a run over little costs beside a large collection: `python -m benchmarks.scale [--sizes 1000 10000 100000]`.

Collections of so many small files are made by commits with vectors from nowhere; no model is loaded. Each step runs in
a process of its own, first over a collection of a hundred files, which loads what is loaded once, and again over the
large collection. Printed are the least time of several runs, the processor's time of the process (without the one that
parses), how many times that is what it takes beside a hundred files, and how far the process grew at most.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from penstock import Penstock, loaders
from penstock.catalog import Batch, Upsert
from penstock.ids import text_hash
from penstock.loaders.sources.files import listed_file
from penstock.model import RunReport, Source
from penstock.pipelines import assembly
from penstock.pipelines.cleaning.cleaning import CLEANING_VERSION
from penstock.settings import read_settings
from penstock.testing.contracts.catalog import make_put
from penstock.testing.doubles.embedders import LittleModel

SMALL = 100
IN_A_FOLDER = 1000
IN_A_COMMIT = 1000
TIMES = 2
"""How many times a step is timed; the least time counts, as other programs make single runs slower."""
MIB = 1024
NAME = "scale"


def opened(place: Path) -> Penstock:
    """The workspace of a place made by `build`, without a model."""
    return Penstock(collection=NAME, settings=read_settings(home=place / "home"), embedder=LittleModel())


def build(place: Path, count: int) -> None:
    """Files, and the collection that ingesting them would make."""
    with opened(place) as penstock:
        collection = penstock.catalog.collection(NAME, create=True)
        embedder = LittleModel()
        collection.know_model(embedder.identity, embedder.dimension)
        for upserts in in_commits(puts_of(penstock, place / "files", count)):
            texts = [chunk.context for upsert in upserts for chunk in upsert.chunks]
            vectors = np.random.default_rng(len(texts)).standard_normal((len(texts), embedder.dimension), np.float32)
            kept = dict(zip(map(text_hash, texts), vectors, strict=True))
            penstock.catalog.vectors.put(embedder.identity, kept)
            collection.commit(Batch(puts=tuple(upserts)), run=None, embedder=embedder.identity)
        collection.remember([(f"file://{place}/files", frozenset())], run=0)
        assert penstock.retriever is not None  # the indexes follow


def puts_of(penstock: Penstock, folder: Path, count: int) -> Iterator[Upsert]:
    """The upserts that reading `count` files would give."""
    chunker = assembly.chunker(penstock.settings, LittleModel()).fingerprint
    loader = f"{loaders.fingerprint(assembly.loader_options(penstock.settings), 'text/plain')}; {CLEANING_VERSION}"
    for number in range(count):
        path = path_of(folder, number)
        text = f"Turbine {number} turned {number * 7919 % 1000} times in the year of the flood."
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", "utf-8")
        listed = listed_file(str(path), path.stat())
        source = Source(
            uri=listed.uri,
            media_type="text/plain",
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            size=listed.size or 0,
            modified=listed.modified,
            labels={},
        )
        yield make_put(NAME, source, [text], chunker=chunker, loader=loader)


def path_of(folder: Path, number: int) -> Path:
    """The file of that number."""
    return folder / f"{number // IN_A_FOLDER:04}" / f"{number:07}.txt"


def in_commits(upserts: Iterator[Upsert]) -> Iterator[list[Upsert]]:
    """The upserts in lists of one commit each."""
    while batch := [upsert for upsert, _ in zip(upserts, range(IN_A_COMMIT), strict=False)]:
        yield batch


def unchanged(penstock: Penstock, folder: Path) -> RunReport:
    """One file, as it was."""
    return penstock.ingest(path_of(folder, 5))


def changed(penstock: Penstock, folder: Path) -> RunReport:
    """One file that says something else each time."""
    path_of(folder, 6).write_text(f"It is {time.time_ns()} now, said the turbine.\n", "utf-8")
    return penstock.ingest(path_of(folder, 6))


def new(penstock: Penstock, folder: Path) -> RunReport:
    """One file that was not there."""
    path = path_of(folder, 7).with_name(f"{time.time_ns()}.txt")
    path.write_text(f"It is {time.time_ns()} now, said the other turbine.\n", "utf-8")
    return penstock.ingest(path)


def removed(penstock: Penstock, folder: Path) -> RunReport:
    """One source of those that are there."""
    paths = (path_of(folder, number) for number in range(8, SMALL))
    return penstock.remove(next(path for path in paths if penstock.collection.known(loaders.uri_of(path))))


def whole(penstock: Penstock, folder: Path) -> RunReport:
    """All files, none of them changed."""
    return penstock.ingest(folder)


STEPS: dict[str, tuple[str, Callable[[Penstock, Path], RunReport]]] = {
    "unchanged": ("one unchanged file", unchanged),
    "changed": ("one changed file", changed),
    "new": ("one new file", new),
    "removed": ("one source removed", removed),
    "whole": ("the folder, unchanged", whole),
}


def measured(step: str, small: Path, place: Path) -> dict[str, float]:
    """Seconds and memory of a step beside a collection, and beside the small one; in this process."""
    work = STEPS[step][1]
    taken(work, small)
    first = taken(work, place)
    base = [taken(work, small) for _ in range(TIMES)]
    more = [first, *(taken(work, place) for _ in range(TIMES))]
    return {
        "base": min(run["processor"] for run in base),
        "processor": min(run["processor"] for run in more),
        "wall": min(run["wall"] for run in more),
        "mib": first["mib"],
    }


def taken(work: Callable[[Penstock, Path], RunReport], place: Path) -> dict[str, float]:
    """Seconds and MiB of one step, from opening the workspace to closing it."""
    Path("/proc/self/clear_refs").write_text("5", "ascii")  # resets the peak
    held = memory("VmRSS")
    begun, used = time.perf_counter(), time.process_time()
    with opened(place) as penstock:
        report = work(penstock, place / "files")
    wall, processor = time.perf_counter() - begun, time.process_time() - used
    if report.failure or any(result.outcome == "failed" for result in report.results):
        raise SystemExit(f"the step failed: {report}")
    return {"wall": wall, "processor": processor, "mib": memory("VmHWM") - held}


def memory(figure: str) -> float:
    """A memory figure of this process, in MiB."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) / MIB for line in lines if line.startswith(f"{figure}:"))


def in_own_process(step: str, small: Path, place: Path) -> dict[str, float]:
    """What `measured` gives, run in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.scale", "--step", step, str(small), str(place)]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    found: dict[str, float] = json.loads(output)
    return found


def main() -> None:
    """Prints a table, or what one step took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--keep", type=Path, help="a folder for the collections, which are used again")
    parser.add_argument("--step", nargs=3, metavar=("STEP", "SMALL", "PLACE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.step:
        print(json.dumps(measured(args.step[0], Path(args.step[1]), Path(args.step[2]))))
        return
    with TemporaryDirectory() as scratch:
        show(args.keep or Path(scratch), args.sizes)


def show(root: Path, sizes: list[int]) -> None:
    """Builds what is not there, and prints the figures as they come."""
    places = {size: root / str(size) for size in (SMALL, *sizes)}
    for size, place in places.items():
        if not (place / "home").exists():
            begun = time.perf_counter()
            build(place, size)
            print(f"built {size:,} sources in {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    print(f"{'':24}" + "".join(f"{f'beside {size:,}':>42}" for size in sizes))
    for step, (name, _) in STEPS.items():
        found = [in_own_process(step, places[SMALL], places[size]) for size in sizes]
        print(f"{name:24}" + "".join(map(cell, found)), flush=True)
    each = [f"{run['processor'] / size * 1e6:.0f} µs of the processor" for run, size in zip(found, sizes, strict=True)]
    print(f"{'  of that a source':24}" + "".join(f"{cost:>44}" for cost in each))


def cell(found: dict[str, Any]) -> str:
    """One figure: seconds, the processor's, how many times those beside a hundred sources, and memory."""
    times = found["processor"] / found["base"]
    return f"{found['wall']:9.3f} s {found['processor']:8.3f} s {times:6.1f} x {found['mib']:5.0f} MiB"


if __name__ == "__main__":
    main()
