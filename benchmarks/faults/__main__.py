"""Kills a number of processes, and prints what was found: `python -m benchmarks.faults --kills 3000`."""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.faults.bases import Base, InHome, OnServer
from benchmarks.faults.broken import VARIANTS, WHOLE
from benchmarks.faults.campaign import Campaign, Report
from benchmarks.faults.steps import RANDOM, STEPS, is_built


@contextmanager
def base_of(kind: str, address: str) -> Iterator[Base]:
    """Where the catalogs are; without an address, a PostgreSQL server is started."""
    if kind == "sqlite":
        yield InHome()
    elif address:
        yield OnServer(address)
    else:
        from tests.servers.postgresql import own_postgresql

        with own_postgresql() as server:
            yield OnServer(server.url)


def show(report: Report, base: str, seconds: float) -> None:
    """Prints the kills of each step and all violations."""
    for step in (*STEPS, RANDOM):
        count = f"{report.kills[step]:6}" if step == RANDOM or is_built(step) else "  not built yet: nothing to kill"
        print(f"{step:14}{count}")
    points = len([moment for moment in report.known if report.moments[moment]])
    print(f"{report.total} kills on {base} at {points} of {len(report.known)} named moments and at random ones, ")
    print(f"{report.missed} operations that ended before; {len(report.violations)} violations; {seconds:.0f} s")
    for violation in report.violations:
        print(f"- {violation}")


def tell_progress(report: Report) -> None:
    """Prints the counts so far and the last violations."""
    print(
        f"{report.total} kills, {len(report.violations)} violations",
        *report.violations[-3:],
        sep="\n- ",
        file=sys.stderr,
        flush=True,
    )


def main() -> int:
    """Returns 1 where there was a violation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--server", default="", help="address of a PostgreSQL server; default: start one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where homes are made; default: in memory, where that is a place")
    parser.add_argument("--broken", choices=VARIANTS, help="a broken program, to see that it is caught")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    memory = Path("/dev/shm")
    folder = args.folder or (memory if memory.is_dir() else None)
    begun = time.monotonic()
    with ExitStack() as stack:
        there = Path(stack.enter_context(TemporaryDirectory(dir=folder, prefix="penstock-faults-")))
        base = stack.enter_context(base_of(args.database, args.server))
        variant = VARIANTS[args.broken] if args.broken else WHOLE
        campaign = Campaign(base, there, seed=args.seed, variant=variant)
        report = campaign.run(args.kills, stop_at_first=bool(args.broken), watch=tell_progress)
    if args.json:
        steps = {step: report.kills[step] for step in (*STEPS, RANDOM) if step == RANDOM or is_built(step)}
        print(json.dumps({"kills": report.total, "steps": steps, "violations": report.violations}))
    else:
        show(report, base.name, time.monotonic() - begun)
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
