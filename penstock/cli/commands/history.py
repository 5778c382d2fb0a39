"""`penstock history`, `compact` and `rollback`: which revisions there are, making room, going back."""

from typing import Annotated

import typer

from penstock.cli.options import AsJson, Assignments, CollectionName, Home, Principals, opened
from penstock.cli.output.ending import emit, reporting_errors


def history(
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="How many to list.")] = 20,
    before: Annotated[
        int | None, typer.Option(metavar="REVISION", help="List those before this one.", show_default=False)
    ] = None,
    home: Home = None,
    collection: CollectionName = None,
    principals: Principals = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """List the revisions that are kept, newest first: when, what made them, how many sources they changed."""
    with reporting_errors(as_json), opened(home, collection, assignments) as penstock:
        entries = penstock.history(limit=limit, before=before, principals=principals)
        use = penstock.disk_use()
        from penstock.pipelines.reporting import reports

        if as_json:
            emit(reports.history(entries, use))
        else:
            from penstock.cli.commands.upkeep import show_history

            show_history(entries, use, oldest=penstock.collection.history.kept().oldest)


def compact(
    keep: Annotated[
        int | None,
        typer.Option("--keep", min=1, metavar="N", help="Leave the newest N revisions (default: history.keep)."),
    ] = None,
    older_than: Annotated[
        float | None,
        typer.Option("--older-than", min=0, metavar="DAYS", help="Drop what was replaced longer ago than that."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go; write nothing.")] = False,
    home: Home = None,
    collection: CollectionName = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Make room: drop earlier revisions, vectors that nothing needs, and indexes that were set aside."""
    with reporting_errors(as_json), opened(home, collection, assignments) as penstock:
        from penstock.pipelines.reporting import reports
        from penstock.pipelines.upkeep import days

        age = None if older_than is None else days(older_than)
        done = penstock.compact(keep=keep, older_than=age, dry_run=dry_run)
        if as_json:
            emit(reports.compacted(done))
        from penstock.cli.commands.upkeep import show_compacted

        show_compacted(done, stderr=as_json)


def rollback(
    revision: Annotated[int, typer.Argument(metavar="REVISION", help="To go back to; `penstock history` lists them.")],
    home: Home = None,
    collection: CollectionName = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Make a new revision that holds what an earlier one held; nothing is parsed or embedded."""
    with reporting_errors(as_json), opened(home, collection, assignments) as penstock:
        done = penstock.rollback(revision)
        from penstock.cli.commands.upkeep import show_rolled_back
        from penstock.pipelines.reporting import reports

        if as_json:
            emit(reports.rolled_back(done))
        show_rolled_back(done, stderr=as_json)


def diff(
    first: Annotated[int, typer.Argument(metavar="A", help="A revision.")],
    second: Annotated[int, typer.Argument(metavar="B", help="Another one.")],
    home: Home = None,
    collection: CollectionName = None,
    principals: Principals = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Show which sources were added, changed and removed from revision A to revision B."""
    with reporting_errors(as_json), opened(home, collection, assignments) as penstock:
        found = penstock.diff(first, second, principals=principals)
        if as_json:
            from penstock.pipelines.reporting import reports

            emit(reports.differing(found))
        else:
            from penstock.cli.commands.upkeep import show_difference

            show_difference(found)
