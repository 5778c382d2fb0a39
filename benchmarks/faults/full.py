"""A disk that is really full: `python -m benchmarks.faults.full --megabytes 1 4 16 64`.

A small file system in memory is mounted where only this process and its children see it. A collection grows until it
does not fit; its content must be intact, and with some space free again the next run must succeed.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from benchmarks.faults import checking
from benchmarks.faults.places import Place, opened, prepare
from benchmarks.faults.tables import History
from benchmarks.faults.telling import tell
from benchmarks.faults.work import EVERYWHERE, Held
from penstock.errors import PenstockError
from penstock.pipelines.ingest.records import Record
from penstock.pipelines.workspace import Penstock

INSIDE = "--inside"
"""The process already has its own mount namespace."""
DOCUMENTS_A_RUN = 6
SPARE = 0.4
"""Share of the file system that a spare file uses; it is deleted in the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The result for a collection on a file system of some size."""

    megabytes: int
    documents: int
    """How many documents it holds in the end."""
    refused: str
    """The program's error about the full disk."""
    wrong: tuple[str, ...]


def fill(folder: Path, megabytes: int) -> Filled:
    """Fills the file system mounted at the folder, checks, frees space, and checks again."""
    spare = folder / "spare"
    spare.write_bytes(bytes(int(megabytes * SPARE * 1024 * 1024)))
    place = Place(home=folder / "home")
    place.home.mkdir()
    prepare(follow_each_commit=True)
    held: dict[str, Held] = {}
    refused = ""
    wrong: list[str] = []
    for run in range(10_000):
        records = _records(run, size=megabytes * 400)
        done: set[str] = set()
        try:
            with opened(place) as penstock:
                penstock.add(records, watch=lambda result, done=done: done.add(result.uri))  # type: ignore[misc] # a lambda's default
        except PenstockError as error:
            refused = f"{type(error).__name__}: {error}"
        held.update((record.uri, Held(record.text, "red")) for record in records if record.uri in done)
        if refused:
            break
    with opened(place) as penstock:
        wrong += _wrong(place, penstock, held, "full")
    spare.unlink()
    with opened(place) as penstock:
        penstock.add(_records(10_000, size=10))
        held.update((record.uri, Held(record.text, "red")) for record in _records(10_000, size=10))
        wrong += _wrong(place, penstock, held, "with space again")
        wrong += [f"with space again: {problem}" for problem in checking.agreement(penstock)]
    return Filled(megabytes=megabytes, documents=len(held), refused=refused, wrong=tuple(wrong))


def _records(run: int, *, size: int) -> list[Record]:
    """Texts that do not compress, with a word that all of them contain."""
    chance = Random(run)
    return [
        Record(
            uri=f"record:{run}-{number}",
            text=f"{EVERYWHERE} n{run}x{number}\n\n"
            + " ".join(f"{chance.getrandbits(60):x}" for _ in range(size // 16)),
            labels={"team": "red"},
        )
        for number in range(DOCUMENTS_A_RUN)
    ]


def _wrong(place: Place, penstock: Penstock, held: dict[str, Held], when: str) -> Iterator[str]:
    """Problems of the catalog and of an answer, while the indexes may be behind."""
    for problem in checking.tables(place, History()):
        yield f"{when}: {problem}"
    present = {source.uri for stored in penstock.collection.documents() for source in stored.sources}
    if lost := set(held) - present:
        yield f"{when}: {len(lost)} acknowledged documents are not there"
    with suppress(PenstockError):  # the search may fail now; what it finds must be right
        found = penstock.search(EVERYWHERE, k=50)
        live = penstock.collection.live_rows(at=found.revision)
        ids = set(penstock.collection.chunk_ids(live).values())
        if any(hit.chunk.id not in ids for hit in found.hits):
            yield f"{when}: an answer shows what was not there at its revision"
        if present and not found.hits:
            yield f"{when}: nothing is found"


@contextmanager
def mounted(megabytes: int) -> Iterator[Path]:
    """A file system of that size; for a process that has its own mount namespace."""
    with TemporaryDirectory(prefix="penstock-full-") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "penstock", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


def can_mount() -> bool:
    """Whether this user may mount a file system that nobody else sees."""
    try:
        tried = subprocess.run(
            [*_alone(), "mount", "-t", "tmpfs", "penstock", "/mnt"], capture_output=True, check=False
        )
    except OSError:
        return False
    return tried.returncode == 0


def _alone() -> list[str]:
    """The beginning of a command that runs in its own mount namespace."""
    return ["unshare", "--mount", "--user", "--map-root-user"]


def main() -> int:
    """Returns 1 where there was a problem."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32, 64])
    parser.add_argument("--json", action="store_true")
    parser.add_argument(INSIDE, action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if not args.inside:
        command = [*_alone(), sys.executable, "-m", "benchmarks.faults.full", INSIDE, *sys.argv[1:]]
        return subprocess.run(command, check=False).returncode
    wrong = 0
    for megabytes in args.megabytes:
        with mounted(megabytes) as folder:
            found = fill(folder, megabytes)
        wrong += len(found.wrong)
        summary = f"{megabytes:3} MB: full with {found.documents} documents ({found.refused[:90]})"
        tell(found, summary, as_json=args.json)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
