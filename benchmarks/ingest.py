"""How fast a folder of files is ingested, how much memory that takes, and what a second run over it costs.

    python -m benchmarks.ingest FOLDER [--json] [--home DIR]

The real command line runs in a process of its own, twice, over a fresh home. Memory is the proportional share (PSS) of
the process and of all that it starts, looked at several times a second. Two bounds are measured in the same run, so
that the figures of different machines can be compared: PyMuPDF's plain text of the same PDFs, and the embedding engine
alone over the same chunks. Stages overlap and are added up over all workers: their sum may exceed the run.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from penstock import Penstock
from penstock.pipelines import assembly

SAMPLE_SECONDS = 0.1
MIB = 1024 * 1024
HEAVY = ("onnxruntime", "pymupdf", "pypdfium2", "rapidocr", "tokenizers", "trafilatura")
_COMMAND = f"""
import atexit, sys
from penstock.cli import main
sys.argv[0] = "penstock"
atexit.register(lambda: print("loaded:", *[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr))
main()
"""


def main() -> None:
    """Prints what was measured, as lines or as one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--home", type=Path, help="a folder that does not exist yet; it is kept")
    args = parser.parse_args()
    if args.home and args.home.exists():
        parser.error(f"{str(args.home)!r} exists; the first run needs a fresh home")
    with TemporaryDirectory() as scratch:
        found = measure(args.folder, args.home or Path(scratch) / "home")
    if args.json:
        print(json.dumps(found))
    else:
        show(found)


def measure(folder: Path, home: Path) -> dict[str, Any]:
    """Figures of the first run, of the second, and of the bounds."""
    first, second = run(folder, home), run(folder, home)
    second["share_of_first"] = second["wall_seconds"] / first["wall_seconds"]
    return {
        "folder": str(folder),
        "first": first,
        "second": second,
        "bounds": {"pymupdf_pages_per_second": plain_pdf_speed(folder), "embedding_per_second": embedding_speed(home)},
    }


def run(folder: Path, home: Path) -> dict[str, Any]:
    """One `penstock ingest` in a process of its own: its report in short, its time and its memory."""
    command = [sys.executable, "-c", _COMMAND, "ingest", str(folder), "--home", str(home), "--json"]
    begun = time.perf_counter()
    with (
        TemporaryDirectory() as scratch,
        (Path(scratch) / "out").open("w+b") as out,
        (Path(scratch) / "err").open("w+b") as err,
    ):
        process = psutil.Popen(command, stdout=out, stderr=err)
        peak = watch(process)
        seconds = time.perf_counter() - begun
        printed, errors = ((Path(scratch) / name).read_text("utf-8") for name in ("out", "err"))
    if process.returncode not in (0, 3):
        raise SystemExit(f"penstock ingest ended with {process.returncode}:\n{errors}")
    return {
        **in_short(json.loads(printed)),
        "wall_seconds": seconds,
        "peak_mib": peak / MIB,
        "loaded": errors.rpartition("loaded:")[2].split(),
    }


def watch(process: psutil.Popen) -> int:
    """The largest memory of the process and its descendants while it ran, in bytes."""
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(map(held, [process, *_descendants(process)])))
        time.sleep(SAMPLE_SECONDS)
    return peak


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        found: list[psutil.Process] = process.children(recursive=True)
    except psutil.Error:
        return []
    return found


def held(process: psutil.Process) -> int:
    """Memory of one process: shared pages count in parts; where the system does not report them, resident pages."""
    try:
        full = process.memory_full_info()
        return int(getattr(full, "pss", full.uss))
    except psutil.AccessDenied:
        return int(process.memory_info().rss)
    except psutil.Error:  # it has ended
        return 0


def in_short(report: dict[str, Any]) -> dict[str, Any]:
    """A run's report without its sources, with its speed by stage."""
    kept = {name: value for name, value in report.items() if isinstance(value, (int, float, str))}
    pages, chunks = report["pages"], report["chunks"]["catalog"]
    worked = {stage: seconds for stage, seconds in report["stage_seconds"].items() if seconds and report["parsed"]}
    return {
        **kept,
        "chunks": chunks,
        "stage_seconds": report["stage_seconds"],
        "pages_per_second": {stage: pages / seconds for stage, seconds in worked.items()},
        "chunks_per_second": {stage: chunks / seconds for stage, seconds in worked.items()},
    }


def plain_pdf_speed(folder: Path) -> float | None:
    """Pages a second of PyMuPDF's plain text over the folder's PDFs; None where it has none that can be read."""
    import pymupdf

    pymupdf.TOOLS.mupdf_display_errors(False)
    pages = 0
    begun = time.perf_counter()
    for path in sorted(folder.rglob("*.pdf")):
        try:
            with pymupdf.open(path) as document:
                pages += sum(1 for page in document if page.get_text() is not None)
        except (pymupdf.FileDataError, ValueError):  # damaged, or a password is needed
            continue
    return pages / (time.perf_counter() - begun) if pages else None


def embedding_speed(home: Path) -> float | None:
    """Texts a second of the embedding engine alone over the chunks that were ingested; None where there are none."""
    with Penstock(home=home) as penstock:
        texts = [entry.chunk.context for entry in penstock.collection.change(0, vectors=False).added]
        embedder = assembly.embedder(penstock.settings)
        embedder.embed(texts[:1], role="passage")  # the model is loaded now
        begun = time.perf_counter()
        embedder.embed(texts, role="passage")
        return len(texts) / (time.perf_counter() - begun) if texts else None


def show(found: dict[str, Any]) -> None:
    """The figures as lines."""
    for name in ("first", "second"):
        figures = found[name]
        print(
            f"{name:<7} {figures['wall_seconds']:8.2f} s  {figures['peak_mib']:6.0f} MiB  "
            f"sources {figures['discovered']}  pages {figures['pages']}  chunks {figures['chunks']}  "
            f"parsed {figures['parsed']}  embedded {figures['embedded']}  "
            f"loaded: {' '.join(figures['loaded']) or 'nothing heavy'}"
        )
    print(f"        the second run took {found['second']['share_of_first']:.2%} of the first")
    first = found["first"]
    for stage, seconds in first["stage_seconds"].items():
        rates = (first[f"{counted}_per_second"].get(stage, 0.0) for counted in ("pages", "chunks"))
        print("{:<9} {:8.2f} s  {:10.1f} pages/s  {:10.1f} chunks/s".format(stage, seconds, *rates))
    for name, value in found["bounds"].items():
        print(f"bound: {name.replace('_', ' ')} {'none' if value is None else f'{value:.1f}'}")


if __name__ == "__main__":
    main()
