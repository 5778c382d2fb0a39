"""What a run changed, in Markdown, as Prefect's page shows it."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Any

from penstock.flows.artifacts.markdown import code, plain
from penstock.loaders import shown
from penstock.model import OUTCOMES

NAMED = 20
"""Sources of each kind that are named one by one."""
READ = ("indexed", "partial")
KINDS: Mapping[str, Callable[[Mapping[str, Any], Container[str]], bool]] = {
    "Added": lambda source, new: source["outcome"] in READ and source["uri"] in new,
    "Changed": lambda source, new: source["outcome"] in READ and source["uri"] not in new,
    "Removed": lambda source, _new: source["outcome"] == "removed",
    "Failed": lambda source, _new: source["outcome"] == "failed",
}
"""How the summary groups the sources, by the outcome of each."""


def headline(report: Mapping[str, Any]) -> str:
    """The run in one line."""
    counts = [f"{report[outcome]} {outcome}" for outcome in OUTCOMES if report[outcome]]
    return f"{report['collection']}, revision {report['revision']}: {', '.join(counts) or 'no sources'}"


def summary(report: Mapping[str, Any], new: Container[str]) -> str:
    """The account of a run: what was added, changed, removed and failed; chunks, revision, seconds by stage.

    Args:
        report: as `penstock.pipelines.reporting.reports.run_report` gives it.
        new: URIs of sources that the collection did not know before.
    """
    return "\n".join(_lines(report, new)) + "\n"


def _lines(report: Mapping[str, Any], new: Container[str]) -> Iterator[str]:
    chunks = report["chunks"]
    yield f"# {plain(report['collection'])}, revision {report['revision']}"
    kinds = {title: [source for source in report["sources"] if kind(source, new)] for title, kind in KINDS.items()}
    yield from ("", f"Of {_sources(report['discovered'])}: " + ", ".join(_counts(report, kinds)) + ".")
    yield from (
        "",
        f"Chunks: {chunks['catalog']} in the catalog, {chunks['keyword']} in the keyword index, {chunks['vector']} in "
        f"the vector index. Parsed {_sources(report['parsed'])} and embedded {report['embedded']} texts in "
        f"{report['seconds']:.1f} s.",
    )
    for remark in report["attention"]:
        yield from ("", f"**Attention:** {plain(remark)}")
    for title, found in kinds.items():
        yield from _named(title, found)
    yield from _stages(report["stage_seconds"])


def _counts(report: Mapping[str, Any], kinds: Mapping[str, Sequence[object]]) -> list[str]:
    counts = [f"{len(found)} {title.lower()}" for title, found in kinds.items() if title != "Removed"]
    other_counts = [f"{report[name]} {name}" for name in ("unchanged", "partial", "empty", "skipped") if report[name]]
    return [*counts, *other_counts, f"and {report['removed']} removed"]


def _named(title: str, found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not found:
        return
    yield from ("", f"## {title}", "")
    for source in found[:NAMED]:
        yield f"- {code(shown(source['uri']))}" + (f": {plain(source['reason'])}" if source["reason"] else "")
    if len(found) > NAMED:
        yield f"- and {len(found) - NAMED} more"


def _stages(seconds: Mapping[str, float]) -> Iterator[str]:
    if seconds:
        yield from ("", "## Seconds by stage", "", "| stage | seconds |", "|---|---:|")
        yield from (f"| {stage} | {spent:.1f} |" for stage, spent in seconds.items())


def _sources(count: int) -> str:
    return "1 source" if count == 1 else f"{count} sources"
