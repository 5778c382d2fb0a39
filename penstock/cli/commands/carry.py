"""`penstock export` and `penstock import`: a collection as one file."""

from pathlib import Path
from typing import Annotated

import typer

from penstock.cli.options import AsJson, Assignments, CollectionName, Home, opened
from penstock.cli.output.ending import emit, reporting_errors


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="To write; there must be none of that name.")],
    home: Home = None,
    collection: CollectionName = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Write a collection as it is now into one file: texts, vectors, and who may see what."""
    with reporting_errors(as_json), opened(home, collection, assignments) as penstock:
        done = penstock.export(file)
        from penstock.cli.commands.upkeep import show_exported
        from penstock.pipelines.reporting import reports

        if as_json:
            emit(reports.exported(done))
        show_exported(done, stderr=as_json)


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="That `penstock export` wrote.")],
    home: Home = None,
    collection: CollectionName = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Make a collection of such a file, under the name that it had or that of --collection; nothing is read again."""
    with reporting_errors(as_json), opened(home, collection, assignments) as penstock:
        done = penstock.import_(file, name=collection)
        from penstock.cli.commands.upkeep import show_imported
        from penstock.pipelines.reporting import reports

        if as_json:
            emit(reports.imported(done))
        show_imported(done, stderr=as_json)
