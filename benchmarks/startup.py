"""What a first look costs: `penstock --help` and a cold search on a small collection, beside `python -c pass`.

    python -m benchmarks.startup [--json] [--rounds N]

Every run is a process of its own; the programs take turns, so that another load on the machine meets all of them. The
figures are medians; `ratio` is to `python -c pass`. Modules are compiled in a first round that is not counted, as an
installation with pip compiles them. The collection holds the sample documents of `examples/handbook`.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MAIN = "import sys; from penstock.cli import main; main()"
Figures = Mapping[str, Mapping[str, float]]


def measure(rounds: int) -> Figures:
    """Wall and processor seconds of each program, and their ratios to an empty one."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "PENSTOCK_HOME": home, "PYTHONPYCACHEPREFIX": f"{home}/bytecode"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        penstock = [sys.executable, "-c", MAIN]
        run([*penstock, "ingest", str(ROOT / "examples" / "handbook")], environment)
        programs = {
            "pass": [sys.executable, "-c", "pass"],
            "help": [*penstock, "--help"],
            "search": [*penstock, "search", "年假怎么申请"],
            "search_english": [*penstock, "search", "How many days of leave carry over?"],
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
        for _ in range(rounds + 1):
            for name, program in programs.items():
                taken[name].append(run(program, environment))
    middle = {
        name: [statistics.median(column) for column in zip(*times[1:], strict=True)] for name, times in taken.items()
    }
    return {
        name: {
            "seconds": round(wall, 3),
            "cpu_seconds": round(cpu, 3),
            "ratio": round(wall / middle["pass"][0], 1),
            "cpu_ratio": round(cpu / middle["pass"][1], 1),
        }
        for name, (wall, cpu) in middle.items()
    }


def run(program: Sequence[str], environment: Mapping[str, str]) -> tuple[float, float]:
    """Wall and processor seconds of one process."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(program, env=environment, check=True, capture_output=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """The command; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup")
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each program; the first is not counted")
    args = parser.parse_args()
    figures = measure(args.rounds)
    if args.json:
        print(json.dumps(figures, indent=2))
        return
    print(f"{'program':<16}{'seconds':>10}{'cpu':>10}{'ratio':>10}{'cpu ratio':>12}")
    for name, measured in figures.items():
        times = f"{measured['seconds']:>10.3f}{measured['cpu_seconds']:>10.3f}"
        print(f"{name:<16}{times}{measured['ratio']:>10.1f}{measured['cpu_ratio']:>12.1f}")


if __name__ == "__main__":
    main()
