"""What it costs to close the processes that parse: a start of one, parsing and ingest of small files.

    python -m benchmarks.confinement [--files N] [--rounds N] [--json]

Closed and open runs take turns, so that another load on the machine meets both. Open runs leave out what the kernel
does (Landlock, seccomp, capabilities) and nothing else. Each ingest is a process of its own over a fresh home. A ratio
is that of neighbours, closed to open, in the median over the rounds.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

_OPEN = """
import penstock.loaders.sandbox.child
boot = penstock.loaders.sandbox.child._BOOT.removesuffix("main()")
boot += "from penstock.loaders.confinement import confinement; confinement._close = lambda *_: None; main()"
penstock.loaders.sandbox.child._BOOT = boot
"""
_START = """
import sys, time
from pathlib import Path
from penstock.loaders import LoaderOptions, Sandbox, uri_of
from penstock.model import Source
path = Path(sys.argv[1])
source = Source(uri=uri_of(path), media_type="text/plain", sha256="", size=0, labels={})
begun = time.perf_counter()
with Sandbox(options=LoaderOptions(), seconds=60, memory_mib=1536, text_mib=64, workers=1) as sandbox:
    sandbox.parse(source, path)
    print(time.perf_counter() - begun)
"""
_CLOSE = """
import sys, tempfile, time
from pathlib import Path
from penstock.loaders.confinement import confinement
from penstock.loaders.confinement import readable
begun = time.process_time()
within = readable.reach(sys.path, libraries=(), home=Path.home())
confinement._close(within, (tempfile.gettempdir(),))
print(time.process_time() - begun)
"""
_PARSE = """
import sys
from pathlib import Path
from penstock.loaders import LoaderOptions, Sandbox, uri_of
from penstock.model import Extraction, Source
with Sandbox(options=LoaderOptions(), seconds=60, memory_mib=1536, text_mib=64, workers=1) as sandbox:
    for path in Path(sys.argv[1]).iterdir():
        source = Source(uri=uri_of(path), media_type="text/plain", sha256="", size=0, labels={})
        assert isinstance(sandbox.parse(source, path), Extraction)
"""
_INGEST = """
import sys
from penstock import Penstock
with Penstock(home=sys.argv[2]) as penstock:
    assert penstock.ingest(sys.argv[1]).count("indexed") == int(sys.argv[3])
"""


def main() -> None:
    """Prints what was measured, as lines or as one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        found = {
            "start": starts(Path(scratch), args.rounds * 4),
            "parse": compared(Path(scratch), args, _PARSE),
            "ingest": compared(Path(scratch), args, _INGEST),
        }
    if args.json:
        print(json.dumps(found))
        return
    for kind, figures in found.items():
        print(f"{kind:<7}", "  ".join(f"{name} {value:.4g}" for name, value in figures.items()))


def starts(scratch: Path, rounds: int) -> Mapping[str, float]:
    """Seconds until the first answer of a sandbox, closed and open, and processor time of closing alone."""
    path = scratch / "a.txt"
    path.write_text("A line.")
    taken = [{how: float(ran(how, _START, str(path))[2]) for how in ("open", "closed")} for _ in range(rounds)]
    middle = {f"{how}_seconds": statistics.median(times[how] for times in taken) for how in ("open", "closed")}
    closing = statistics.median(float(ran("closed", _CLOSE)[2]) for _ in range(rounds))
    return {**middle, "closing_milliseconds": closing * 1000}


def compared(scratch: Path, args: argparse.Namespace, program: str) -> Mapping[str, float]:
    """Wall and processor seconds of a program that reads a folder of small files, closed and open."""
    folder = scratch / "documents"
    folder.mkdir(exist_ok=True)
    for number in range(args.files):
        (folder / f"{number}.txt").write_text(
            f"Note {number}.\n\nThe valve of basin {number * 7} is open on day {number}."
        )
    taken: list[dict[str, tuple[float, float]]] = []
    for turn in range(args.rounds + 1):
        order = ("open", "closed") if turn % 2 else ("closed", "open")
        home = {how: tempfile.mkdtemp(dir=scratch) for how in order}
        taken.append({how: ran(how, program, str(folder), home[how], str(args.files))[:2] for how in order})
    counted = taken[1:]  # the first warms the disk
    return {
        f"{how}_{name}": statistics.median(times[how][which] for times in counted)
        for how in ("open", "closed")
        for which, name in enumerate(("wall_seconds", "cpu_seconds"))
    } | {
        name: statistics.median(times["closed"][which] / times["open"][which] for times in counted)
        for which, name in enumerate(("wall_ratio", "cpu_ratio"))
    }


def ran(how: str, program: str, *arguments: str) -> tuple[float, float, str]:
    """Wall and processor seconds of a program in a process of its own, children included, and what it printed."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-c", (_OPEN if how == "open" else "") + program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stderr)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


if __name__ == "__main__":
    main()
