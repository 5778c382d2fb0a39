"""Results as a person reads them on a terminal."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from penstock.catalog import RunInfo, StoredDocument
from penstock.cli.output.escaping import one_line
from penstock.cli.output.screen import Screen
from penstock.loaders import shown
from penstock.model import OUTCOMES, Answer, ChunkCounts, Hit, Leg, Place, Prompt, Retrieved, RunReport, SourceResult
from penstock.pipelines.ingest.planning import RunPlan
from penstock.pipelines.reporting.status import Status

LISTED = 50
"""Sources named one by one; the rest are counted, and `--json` gives them all."""


def show_report(report: RunReport, *, stderr: bool) -> None:
    """The report of a run: numbers that add up, and the reason for each source that is not plainly indexed."""
    screen = Screen(stderr=stderr)
    screen.say((f"{report.collection}, revision {report.revision}", "bold"))
    table = Table("outcome", "sources")
    table.columns[1].justify = "right"
    for outcome in OUTCOMES[:-1]:
        table.add_row(outcome, str(report.count(outcome)))
    table.add_section()
    table.add_row("discovered", str(report.discovered))
    table.add_section()
    table.add_row("removed", str(report.count("removed")))
    screen.draw(table)
    _show_reasons(
        screen, [result for result in report.results if result.outcome not in ("indexed", "unchanged", "removed")]
    )
    screen.say(f"parsed {report.parsed}, embedded {report.embedded} in {report.seconds:.1f} s")
    screen.say("chunks: ", _chunks(report.chunks))
    for remark in report.attention:
        screen.say(("attention: ", "yellow"), remark)
    if report.failure:
        screen.say(("failed: ", "red"), report.failure)
    if report.interrupted:
        screen.say(("interrupted: ", "yellow"), "what was committed stays; run the same command again to go on")


def show_plan(plan: RunPlan, *, stderr: bool) -> None:
    """What a run would do, by count and by name."""
    screen = Screen(stderr=stderr)
    screen.say((f"{plan.collection}: this would be done", "bold"))
    table = Table("sources", "count")
    table.columns[1].justify = "right"
    table.add_row("new", str(len(plan.new)))
    table.add_row("to look at again", str(len(plan.changed)))
    table.add_row("removed", str(len(plan.removal.removed)))
    for outcome in OUTCOMES:
        count = sum(result.outcome == outcome for result in plan.settled.results)
        if count or outcome == "unchanged":
            table.add_row(outcome, str(count))
    screen.draw(table)
    _show_named(screen, "new", [found.listed.uri for found in plan.new])
    changed = [pending.listed.uri for pending in plan.pending if pending.listed.uri in plan.changed]
    _show_named(screen, "changed", changed)
    _show_named(screen, "removed", plan.removal.removed)
    _show_reasons(screen, [result for result in plan.settled.results if result.outcome != "unchanged"])
    for remark in plan.attention:
        screen.say(("attention: ", "yellow"), remark)


def _show_named(screen: Screen, heading: str, uris: Sequence[str]) -> None:
    for uri in uris[:LISTED]:
        screen.say(f"  {heading:<8} ", shown(uri))
    if len(uris) > LISTED:
        screen.say(f"  ... and {len(uris) - LISTED} more {heading}; --json lists them all")


def _chunks(counts: ChunkCounts) -> str:
    return (
        f"{counts.catalog} in the catalog, {counts.keyword} in the keyword index, {counts.vector} in the vector index"
    )


def _show_reasons(screen: Screen, results: Sequence[SourceResult]) -> None:
    for result in results[:LISTED]:
        screen.say(f"  {result.outcome:<8} ", shown(result.uri), ": ", result.reason)
    if len(results) > LISTED:
        screen.say(f"  ... and {len(results) - LISTED} more; --json lists them all")


def show_hits(found: Retrieved, *, trace: bool) -> None:
    """Hits, best first: where each was found, and its text."""
    screen = Screen()
    for note in found.notes:
        screen.say(("note: ", "yellow"), note)
    if not found.hits:
        screen.say("nothing was found")
    for number, hit in enumerate(found.hits, start=1):
        screen.print()
        screen.say((f"{number}. {hit.title}", "bold"), f"  {hit.score:.3f}")
        screen.say((f"   {shown(hit.source.uri)}{place_text(hit.chunk.places)}", "dim"))
        if hit.chunk.headings:
            screen.say(("   " + " > ".join(hit.chunk.headings), "dim"))
        screen.quote(hit.chunk.text, indent=3)
        if trace:
            _show_trace(screen, hit)


def _show_trace(screen: Screen, hit: Hit) -> None:
    trace = hit.trace
    for leg in trace.ranks:
        screen.say((f"  {leg:<8} ", "cyan"), _leg_text(hit, leg))
    if trace.matched:
        screen.say(("  matched  ", "cyan"), " ".join(trace.matched))
    for note in trace.notes:
        screen.say(("  note     ", "cyan"), note)


def _leg_text(hit: Hit, leg: Leg) -> str:
    trace = hit.trace
    share, weight = trace.shares.get(leg, 0.0), trace.weights.get(leg, 0.0)
    if not trace.shares:  # for a reader: hidden chunks count in the scores
        score = f", score {trace.scores[leg]:.4f}" if leg in trace.scores else ""
        return f"rank {trace.ranks[leg]}{score}, weight {weight:.2f}"
    return f"rank {trace.ranks[leg]}, score {trace.scores[leg]:.4f}, weight {weight:.2f}, share {share:.4f}"


def place_text(places: Sequence[Place]) -> str:
    """Pages as a person cites them: `, page 3` or `, pages 3-4`, by the document's own labels where it has them."""
    if not places:
        return ""
    names = list(dict.fromkeys(place.label or str(place.page) for place in places))
    return f", page {names[0]}" if len(names) == 1 else f", pages {names[0]}-{names[-1]}"


def show_citations(answer: Answer) -> None:
    """What an answer rests on: each citation with its place and quote; then who answered."""
    screen = Screen()
    if answer.citations:
        screen.print()
        screen.say(("Citations", "bold"))
    for citation in answer.citations:
        screen.say((f"  {shown(citation.source.uri)}{place_text(citation.places)}", "dim"))
        screen.quote(f"{citation.quote}”", indent=4, first="  “")
    screen.print()
    screen.say((answer.model, "dim"))


def show_prompt(prompt: Prompt) -> None:
    """The messages as they would be sent, and what they cost."""
    screen = Screen()
    for message in prompt.messages:
        screen.say((message.role, "bold"))
        screen.quote(message.content)
        screen.print()
    screen.say((f"{prompt.tokens} tokens, {len(prompt.passages)} sources, sent nowhere", "dim"))
    for left in prompt.left_out:
        screen.say((f"left out {left.chunk_id}: {left.reason}", "dim"))


def show_document(stored: StoredDocument) -> None:
    """A document's text, chunk by chunk."""
    screen = Screen()
    document = stored.document
    screen.say((document.title or shown(document.source.uri), "bold"))
    for source in stored.sources:
        screen.say((shown(source.uri), "dim"))
    screen.say((f"{document.id}  {document.source.media_type}  language {document.language}", "dim"))
    screen.say((f"{len(document.text)} characters, {len(document.blocks)} blocks, {len(stored.chunks)} chunks", "dim"))
    for chunk in stored.chunks:
        screen.print()
        screen.say((f"{chunk.id}  characters {chunk.span.start}-{chunk.span.end}{place_text(chunk.places)}", "cyan"))
        screen.quote(chunk.text)


def show_status(status: Status) -> None:
    """The state of a collection, one fact a line."""
    screen = Screen()
    behind = f"keyword index {status.keyword_revision}, vector index {status.vector_revision}"
    facts = {
        "collection": status.collection,
        "home": str(status.home),
        "revision": f"{status.revision} ({behind})",
        "model": status.embedder or "none yet",
        "sources": _counted(status.sources),
        "languages": _counted(status.languages),
        "chunks": _chunks(status.chunks),
        "last run": _run(status.last_run) if status.last_run else "none",
        "quarantine": f"{len(status.quarantine)} sources" if status.quarantine else "empty",
    }
    if status.aside.folders:
        facts["set aside"] = f"{status.aside.folders} damaged indexes, {status.aside.bytes / 2**20:.1f} MiB"
    for name, fact in facts.items():
        screen.say((f"{name:<11} ", "cyan"), fact)
    for kept in status.quarantine[:LISTED]:
        screen.say("  ", shown(kept.source.uri), ": ", kept.failure.message)


def _run(of: RunInfo) -> str:
    return f"{of.command} of {of.started:%Y-%m-%d %H:%M} UTC, {of.status}"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "none"


def show_rows(rows: Sequence[Mapping[str, object]], *, empty: str) -> None:
    """Dictionaries of equal keys as a table; what does not fit goes on in the next line."""
    screen = Screen()
    if not rows:
        screen.say(empty)
        return
    marks = ("-",) if screen.is_terminal else ()  # separates a new row from one that goes on
    table = Table(*("" for _ in marks), box=None, pad_edge=False)
    for name, example in rows[0].items():
        number = isinstance(example, int)
        table.add_column(name, justify="right" if number else "left", overflow="fold", no_wrap=number)
    for row in rows:
        table.add_row(*marks, *(one_line(str(value)) for value in row.values()))
    screen.draw(table)
