"""Results as a person reads them on a terminal."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from penstock.catalog import StoredDocument
from penstock.loaders import shown
from penstock.model import OUTCOMES, Answer, Hit, Leg, Place, Prompt, Retrieved, RunReport, SourceResult

LISTED = 50
"""Sources named one by one; the rest are counted, and `--json` gives them all."""


def show_report(report: RunReport, *, stderr: bool) -> None:
    """The account of a run: numbers that add up, and the reason for each source that is not plainly indexed."""
    console = Console(stderr=stderr, highlight=False)
    table = Table("outcome", "sources", title=f"{report.collection}, revision {report.revision}", title_justify="left")
    table.columns[1].justify = "right"
    for outcome in OUTCOMES[:-1]:
        table.add_row(outcome, str(report.count(outcome)))
    table.add_section()
    table.add_row("discovered", str(report.discovered))
    table.add_section()
    table.add_row("removed", str(report.count("removed")))
    console.print(table)
    _show_reasons(console, [one for one in report.results if one.outcome not in ("indexed", "unchanged", "removed")])
    counts = report.chunks
    console.print(
        f"parsed {report.parsed}, embedded {report.embedded} in {report.seconds:.1f} s; chunks: {counts.catalog} in "
        f"the catalog, {counts.keyword} in the keyword index, {counts.vector} in the vector index",
        soft_wrap=True,
    )
    for remark in report.attention:
        console.print(f"[yellow]attention:[/] {escape(remark)}", soft_wrap=True)
    if report.interrupted:
        console.print("[yellow]interrupted:[/] what was committed stays; run the same command again to go on")


def _show_reasons(console: Console, results: Sequence[SourceResult]) -> None:
    for result in results[:LISTED]:
        console.print(f"  {result.outcome:<8} {escape(shown(result.uri))}: {escape(result.reason)}", soft_wrap=True)
    if len(results) > LISTED:
        console.print(f"  ... and {len(results) - LISTED} more; --json lists them all")


def show_hits(found: Retrieved, *, trace: bool) -> None:
    """Hits, best first: where to look, and what stands there."""
    console = Console(highlight=False)
    for note in found.notes:
        console.print(f"[yellow]note:[/] {escape(note)}", soft_wrap=True)
    if not found.hits:
        console.print("nothing was found")
    for number, hit in enumerate(found.hits, start=1):
        where = f"{shown(hit.source.uri)}{place_text(hit.chunk.places)}"
        console.print(f"\n[bold]{number}. {escape(hit.title)}[/]  {hit.score:.3f}", soft_wrap=True)
        console.print(f"[dim]{escape(where)}[/]", soft_wrap=True)
        if hit.chunk.headings:
            console.print(f"[dim]{escape(' > '.join(hit.chunk.headings))}[/]", soft_wrap=True)
        console.print(escape(hit.chunk.text), soft_wrap=True)
        if trace:
            _show_trace(console, hit)


def _show_trace(console: Console, hit: Hit) -> None:
    trace = hit.trace
    for leg in trace.ranks:
        console.print(f"  [cyan]{leg:<8}[/] {_leg_text(hit, leg)}")
    if trace.matched:
        console.print(f"  [cyan]matched [/] {escape(' '.join(trace.matched))}", soft_wrap=True)
    for note in trace.notes:
        console.print(f"  [cyan]note    [/] {escape(note)}", soft_wrap=True)


def _leg_text(hit: Hit, leg: Leg) -> str:
    trace = hit.trace
    share, weight = trace.shares.get(leg, 0.0), trace.weights.get(leg, 0.0)
    return f"rank {trace.ranks[leg]}, score {trace.scores[leg]:.4f}, weight {weight:.2f}, share {share:.4f}"


def place_text(places: Sequence[Place]) -> str:
    """Pages as a person cites them: `, page 3` or `, pages 3-4`, by the document's own labels where it has them."""
    if not places:
        return ""
    names = list(dict.fromkeys(place.label or str(place.page) for place in places))
    return f", page {names[0]}" if len(names) == 1 else f", pages {names[0]}-{names[-1]}"


def show_answer(answer: Answer) -> None:
    """The answer, then each citation with its place and quote."""
    console = Console(highlight=False)
    console.print(escape(answer.text), soft_wrap=True)
    if answer.citations:
        console.print("\n[bold]Citations[/]")
    for citation in answer.citations:
        where = f"{shown(citation.source.uri)}{place_text(citation.places)}"
        console.print(f"  [dim]{escape(where)}[/]", soft_wrap=True)
        console.print(f"  “{escape(citation.quote)}”", soft_wrap=True)
    console.print(f"\n[dim]{escape(answer.model)}[/]")


def show_prompt(prompt: Prompt) -> None:
    """The messages as they would be sent, and what they cost."""
    console = Console(highlight=False)
    for message in prompt.messages:
        console.print(f"[bold]{message.role}[/]")
        console.print(escape(message.content), soft_wrap=True)
        console.print()
    console.print(f"[dim]{prompt.tokens} tokens, {len(prompt.passages)} sources, sent nowhere[/]")
    for left in prompt.left_out:
        console.print(f"[dim]left out {left.chunk_id}: {escape(left.reason)}[/]", soft_wrap=True)


def show_document(stored: StoredDocument) -> None:
    """A document's text, chunk by chunk."""
    console = Console(highlight=False)
    document = stored.document
    console.print(f"[bold]{escape(document.title or shown(document.source.uri))}[/]", soft_wrap=True)
    for source in stored.sources:
        console.print(f"[dim]{escape(shown(source.uri))}[/]", soft_wrap=True)
    characters, blocks = len(document.text), len(document.blocks)
    console.print(
        f"[dim]{document.id}  {document.source.media_type}  language {document.language}, {characters} characters, "
        f"{blocks} blocks, {len(stored.chunks)} chunks[/]",
        soft_wrap=True,
    )
    for chunk in stored.chunks:
        head = f"{chunk.id}  characters {chunk.span.start}-{chunk.span.end}{place_text(chunk.places)}"
        console.print(f"\n[cyan]{head}[/]", soft_wrap=True)
        console.print(escape(chunk.text), soft_wrap=True)


def show_rows(rows: Sequence[Mapping[str, object]], *, empty: str) -> None:
    """Dictionaries of equal keys as a table."""
    console = Console(highlight=False)
    if not rows:
        console.print(empty, soft_wrap=True)
        return
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*(escape(str(value)) for value in row.values()))
    console.print(table)


def show_fields(fields: Mapping[str, object], *, prefix: str = "") -> None:
    """Nested fields, one a line, by their dotted names."""
    console = Console(highlight=False)
    for name, value in fields.items():
        if isinstance(value, Mapping) and value:
            show_fields(value, prefix=f"{prefix}{name}.")
        else:
            console.print(f"[cyan]{prefix}{name}[/] {escape(str(value))}", soft_wrap=True)
