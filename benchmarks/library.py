"""How much memory do many open collections take in one process, beside one of them?

    python -m benchmarks.library [COUNT]

Each count is measured in a process of its own: it opens that many collections of one library, searches each of them,
and prints its resident memory. The model, the dictionaries and the documents are the ones that Penstock ships with;
every collection holds the sample handbook.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from penstock import Library

HANDBOOK = Path(__file__).parents[1] / "examples" / "handbook"
COUNT = 20
QUESTIONS = ("年假怎么申请", "How many days of leave carry over?")


def main() -> None:
    """Ingests what is opened, and measures one collection and many."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    with tempfile.TemporaryDirectory() as home:
        with Library(home) as library:
            for number in range(count):
                library.open(f"c{number}").ingest(HANDBOOK)
        bare, single, many = (_measured(home, opened) for opened in (0, 1, count))
    print(f"imports alone       {bare:7.1f} MiB")
    print(f"1 collection        {single:7.1f} MiB")
    print(f"{count} collections      {many:7.1f} MiB")
    print(f"ratio               {many / single:7.2f}")


def _measured(home: str, count: int) -> float:
    command = [sys.executable, "-m", "benchmarks.library", "--measure", home, str(count)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def measure(home: str, count: int) -> float:
    """Resident memory of this process in MiB, with so many collections open and searched."""
    import psutil

    library = Library(home)
    opened = [library.open(f"c{number}") for number in range(count)]
    for penstock in opened:
        for question in QUESTIONS:
            penstock.search(question)
    return float(psutil.Process().memory_info().rss) / 1024**2


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(measure(sys.argv[2], int(sys.argv[3])))
    else:
        main()
