"""What the loaders find in real files, against what a person says is in them.

    python -m benchmarks.parsing FOLDER [FOLDER ...] [--json] [--limit N] [--pdf ENGINE] [--ocr MODE] [--clean]
                                 [--beside LOADER [--blank] [--leave-out MEDIA_TYPE ...]]

With `--beside unstructured` the files of the types that this loader takes, and no others, are read by it too, and the
figures of both are side by side.

FOLDER holds `manifest.jsonl`, one line a file or page: `file`, `kind`, and `gold_text`, or `must_contain`,
`must_not_contain` and `order` (pairs of which the first must come first); `page`, from 0, where a line speaks of one
page. Reported, as averages over the lines:

- `similarity`: Levenshtein ratio, 1 - insertions and deletions / both lengths, white space made alike;
- `letters`: the same over letters and digits only, for gold that is full of markup;
- `found`: share of the gold's words (Chinese: characters) that are in the text, each as often as there, in any order;
- `contains`, `contains_not`, `order`: shares of the strings and pairs that are as they must be;
- `failed`: files that could not be read; `problems`: files of which a part could not; `pages_per_second`: of all pages.
"""

import argparse
import json
import re
import time
import unicodedata
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from rapidfuzz.distance import Indel

from penstock import registry
from penstock.errors import SourceError
from penstock.loaders.detection.kinds import PDF
from penstock.loaders.detection.sniffing import sniff
from penstock.loaders.formats import LoaderOptions, loader_for
from penstock.model import Extraction, Source
from penstock.pipelines.cleaning.cleaning import clean

Scores = dict[str, list[float]]
OWN = "penstock"
"""What the loaders are called that read where nothing else is said."""
MEASURES = ("similarity", "letters", "found", "contains", "contains_not", "order")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What came out of one file."""

    extraction: Extraction | None
    seconds: float
    pages: int
    reason: str = ""


def main() -> None:
    """Prints the scores of each folder."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parsing", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--json", action="store_true", help="one JSON object, a key for each folder")
    parser.add_argument("--limit", type=int, help="only so many lines of the manifest, spread evenly")
    parser.add_argument("--pdf", default="pymupdf", help="PDF engine: pymupdf or pypdfium2")
    parser.add_argument("--ocr", default="auto", choices=("auto", "always", "never"))
    parser.add_argument("--clean", action="store_true", help="after the cleaning step, without running headers")
    parser.add_argument("--each", action="store_true", help="the scores of each line too")
    parser.add_argument("--beside", help="a loader that reads the files of its types too, such as unstructured")
    parser.add_argument("--blank", action="store_true", help="unstructured without its spaCy model")
    parser.add_argument("--leave-out", action="append", default=[], help="a media type that is not compared")
    args = parser.parse_args()
    ways = _ways(args)
    results: dict[str, Any] = {}
    for folder in args.folders:
        found = {
            name: measure(folder, options, only=only, limit=args.limit, cleaned=args.clean, each=args.each)
            for name, (options, only) in ways.items()
        }
        results[folder.resolve().name] = found if args.beside else found[OWN]
        if not args.json:
            _show(folder.name, found)
    if args.json:
        print(json.dumps(results, ensure_ascii=False, indent=2))


def _ways(args: argparse.Namespace) -> dict[str, tuple[LoaderOptions, Container[str] | None]]:
    """The ways to read that are measured, each with the media types of which files are read; None: of all."""
    own = LoaderOptions(engines={PDF: f"pdf-{args.pdf}"}, ocr=args.ocr)
    if not args.beside:
        return {OWN: (own, None)}
    takes = {kind.media_type for kind in registry.load("loaders", args.beside).takes} - set(args.leave_out)
    options = {args.beside: {"model": "blank"}} if args.blank else {}
    beside = LoaderOptions(engines=dict.fromkeys(takes, args.beside), options=options, ocr=args.ocr)
    return {OWN: (own, takes), args.beside: (beside, takes)}


def _show(folder: str, found: Mapping[str, Mapping[str, Any]]) -> None:
    print(f"{folder:<24}", *(f"{name:>14}" for name in found))
    for key in dict.fromkeys(key for figures in found.values() for key in figures if key != "each"):
        print(f"    {key:<20}", *(f"{figures.get(key, '')!s:>14}" for figures in found.values()))
    for name, figures in found.items():
        for line in figures.get("each", ()):
            print("        ", name, *line.values())


def measure(
    folder: Path,
    options: LoaderOptions,
    *,
    only: Container[str] | None = None,
    limit: int | None,
    cleaned: bool,
    each: bool,
) -> dict[str, Any]:
    """The averages over a folder's manifest; files that several lines speak of are read once.

    With `only` those over files of these media types.
    """
    lines = [json.loads(line) for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines()]
    if only is not None:
        lines = [line for line in lines if sniff(folder / line["file"], line["file"]) in only]
    if limit and limit < len(lines):
        lines = [lines[at * len(lines) // limit] for at in range(limit)]
    by_file: dict[str, list[Mapping[str, Any]]] = {}
    for line in lines:
        by_file.setdefault(line["file"], []).append(line)
    scores: Scores = {}
    each_line: list[dict[str, Any]] = []
    reads: list[Read] = []
    for file, about in by_file.items():
        read = _read(folder / file, options, cleaned=cleaned)
        reads.append(read)
        for line in about:
            score = _scores(line, read.extraction, cleaned=cleaned)
            each_line.append({"id": line["id"], "reason": read.reason, **score})
            for name, value in score.items():
                scores.setdefault(name, []).append(value)
    seconds = sum(read.seconds for read in reads)
    result: dict[str, Any] = {name: round(fmean(scores[name]), 4) for name in MEASURES if name in scores}
    result |= {
        "lines": len(lines),
        "files": len(reads),
        "failed": sum(read.extraction is None for read in reads),
        "problems": sum(bool(read.extraction and read.extraction.problems) for read in reads),
        "seconds": round(seconds, 2),
        "pages_per_second": round(sum(read.pages for read in reads) / max(seconds, 1e-9), 2),
    }
    return result | ({"each": each_line} if each else {})


def _read(path: Path, options: LoaderOptions, *, cleaned: bool) -> Read:
    media_type = sniff(path, path.name, "")
    source = Source(uri=path.name, media_type=media_type, sha256="", size=path.stat().st_size, labels={})
    started = time.perf_counter()
    try:
        with path.open("rb") as data:
            extraction = loader_for(media_type, options).load(source, data)
    except SourceError as error:
        return Read(extraction=None, seconds=time.perf_counter() - started, pages=0, reason=str(error))
    seconds = time.perf_counter() - started
    pages = {place.page for block in extraction.blocks for place in block.places}
    return Read(
        extraction=clean(extraction) if cleaned else extraction,
        seconds=seconds,
        pages=max(pages, default=1),
        reason="; ".join(problem.message for problem in extraction.problems),
    )


def _scores(line: Mapping[str, Any], extraction: Extraction | None, *, cleaned: bool) -> dict[str, float]:
    text = "" if extraction is None else _text(extraction, line.get("page"), furniture=not cleaned)
    scores: dict[str, float] = {}
    if line.get("gold_text"):
        gold = str(line["gold_text"])
        scores["similarity"] = Indel.normalized_similarity(_spaced(text), _spaced(gold))
        scores["letters"] = Indel.normalized_similarity(_letters(text), _letters(gold))
        scores["found"] = _found(text, gold)
    plain = _letters(text)
    if line.get("must_contain"):
        scores["contains"] = fmean(_letters(part) in plain for part in line["must_contain"])
    if line.get("must_not_contain"):
        scores["contains_not"] = fmean(_letters(part) not in plain for part in line["must_not_contain"])
    if line.get("order"):
        scores["order"] = fmean(_in_order(plain, pair) for pair in line["order"])
    return {name: round(value, 4) for name, value in scores.items()}


def _text(extraction: Extraction, page: int | None, *, furniture: bool) -> str:
    """The text of a document, or of one of its pages, counted from 0."""
    spans = (
        block.span
        for block in extraction.blocks
        if (furniture or block.kind != "furniture") and (page is None or page + 1 in {at.page for at in block.places})
    )
    return "\n\n".join(extraction.text[start:end] for start, end in spans)


def _spaced(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


def _found(text: str, gold: str) -> float:
    have, wanted = Counter(_words(text)), Counter(_words(gold))
    return (have & wanted).total() / max(wanted.total(), 1)


def _words(text: str) -> Iterable[str]:
    return re.findall(r"[\u4e00-\u9fff]|[^\W_\u4e00-\u9fff]+", unicodedata.normalize("NFKC", text).casefold())


def _in_order(text: str, pair: list[str]) -> bool:
    first, second = text.find(_letters(pair[0])), text.rfind(_letters(pair[1]))
    return 0 <= first < second


if __name__ == "__main__":
    main()
