"""`penstock search`: the best chunks for a question."""

from typing import Annotated

import typer

from penstock.cli.ending import emit, told
from penstock.cli.options import (
    AsJson,
    Assignments,
    CollectionName,
    Home,
    LabelFilter,
    Languages,
    MediaTypes,
    Pages,
    Principals,
    Since,
    Sources,
    Top,
    Until,
    filter_of,
    opened,
)


def search(
    question: str,
    home: Home = None,
    collection: CollectionName = None,
    k: Top = None,
    trace: Annotated[bool, typer.Option("--trace", help="Say why each hit stands where it stands.")] = False,
    neighbours: Annotated[
        int | None, typer.Option(min=0, help="Also show so many chunks before and after.", show_default=False)
    ] = None,
    source: Sources = None,
    label: LabelFilter = None,
    media_type: MediaTypes = None,
    language: Languages = None,
    pages: Pages = None,
    since: Since = None,
    until: Until = None,
    principals: Principals = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Find the best chunks for a question, by words and by meaning."""
    where = filter_of(
        sources=source,
        labels=label,
        media_types=media_type,
        languages=language,
        pages=pages,
        since=since,
        until=until,
        principals=principals,
    )
    with told(as_json), opened(home, collection, assignments) as penstock:
        found = penstock.search(question, k=k, where=where, neighbours=neighbours)
        from penstock.pipelines import reports

        if as_json:
            emit(reports.retrieved(found))
        else:
            from penstock.cli.tables import show_hits

            show_hits(found, trace=trace)
