"""`penstock collections`: the list of them; dropping one, giving one another name."""

import sys
from typing import Annotated

import typer

from penstock.cli.options import AsJson, Assignments, Home, opened
from penstock.cli.output.ending import emit, reporting_errors
from penstock.errors import UsageError
from penstock.pipelines.reporting.exit_codes import NOTHING_DONE

app = typer.Typer(
    help="List the collections of the home; remove or rename one.",
    invoke_without_command=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the collection.")]


@app.callback()
def collections(
    context: typer.Context, home: Home = None, assignments: Assignments = None, as_json: AsJson = False
) -> None:
    """List the collections of the home; remove or rename one."""
    if context.invoked_subcommand:
        return
    with reporting_errors(as_json), opened(home, None, assignments) as penstock:
        from penstock.pipelines.reporting import reports

        listed = [reports.collection(info) for info in penstock.collections()]
        if as_json:
            emit({"home": str(penstock.settings.home), "collections": listed})
            return
        from penstock.cli.output.tables import show_rows

        for row in listed:
            row["updated"] = row["updated"][:16].replace("T", " ")
            del row["embedder"]  # long, and `penstock status` names it
        show_rows(listed, empty=f"no collections in {penstock.settings.home}; `penstock ingest` makes one")


@app.command("remove")
def remove(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    home: Home = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Drop a collection with its history and its indexes; the files that it was read from stay where they are."""
    with reporting_errors(as_json), opened(home, None, assignments) as penstock:
        known = {info.name: info for info in penstock.collections()}
        if name in known and not yes and not _agreed(name, known[name].documents):
            raise typer.Exit(NOTHING_DONE)
        done = penstock.remove_collection(name)
        from penstock.cli.commands.upkeep import show_removed
        from penstock.pipelines.reporting import reports

        if as_json:
            emit(reports.removed(done))
        show_removed(done, stderr=as_json)


def _agreed(name: str, documents: int) -> bool:
    if not sys.stdin.isatty():
        raise UsageError(f"removing collection {name!r} cannot be undone, and nobody can be asked here: give --yes")
    return typer.confirm(f"Remove collection {name!r} with {documents} documents and its history?", err=True)


@app.command("rename")
def rename(
    name: Name,
    new: Annotated[str, typer.Argument(metavar="NEW", help="What it is called from now on.")],
    home: Home = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Give a collection another name; its documents keep their ids, and nothing is rebuilt."""
    with reporting_errors(as_json), opened(home, None, assignments) as penstock:
        done = penstock.rename_collection(name, new)
        described = name in penstock.settings.collections
        from penstock.cli.commands.upkeep import show_renamed
        from penstock.pipelines.reporting import reports

        if as_json:
            emit(reports.renamed(done))
        show_renamed(done, described=described, stderr=as_json)
