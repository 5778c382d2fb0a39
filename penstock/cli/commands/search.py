"""`penstock search`: the best chunks for a question."""

from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.filters import filtered
from penstock.cli.options import AsJson, Assignments, CollectionName, Home, Question, Top, opened
from penstock.cli.output.ending import emit, reporting_errors
from penstock.limits import MOST_NEIGHBOURS

if TYPE_CHECKING:
    from penstock.model import Filter


@filtered
def search(
    question: Question,
    where: "Filter",
    home: Home = None,
    collection: CollectionName = None,
    k: Top = None,
    trace: Annotated[bool, typer.Option("--trace", help="Show why each hit has its rank.")] = False,
    neighbours: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=MOST_NEIGHBOURS,
            metavar="N",
            help="Also show this many chunks before and after.",
            show_default=False,
        ),
    ] = None,
    at: Annotated[
        int | None,
        typer.Option(
            metavar="REVISION", help="As the collection was then; `penstock history` lists them.", show_default=False
        ),
    ] = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Find the best chunks for a question, by words and by meaning."""
    with reporting_errors(as_json), opened(home, collection, assignments) as penstock:
        found = penstock.search(question, k=k, where=where, neighbours=neighbours, at=at)
        if as_json:
            from penstock.pipelines.reporting import reports

            emit(reports.retrieved(found))
        else:
            from penstock.cli.output.tables import show_hits

            show_hits(found, trace=trace)
