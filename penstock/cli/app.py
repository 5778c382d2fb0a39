"""The commands and their order in `penstock --help`."""

from typing import Annotated

import typer

from penstock import __version__
from penstock.cli.commands import (
    ask,
    carry,
    collections,
    history,
    ingest,
    inspect,
    models,
    schedule,
    search,
    sync,
    trust,
)

app = typer.Typer(
    name="penstock",
    help="Documents in Chinese and English: ingest them, search them, get cited answers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # panels cost three times as long as all the rest of `--help`
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"penstock {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    _version_asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    verbose: Annotated[
        int,
        typer.Option(
            "--verbose",
            "-v",
            count=True,
            show_default=False,
            metavar="",
            help="Log on stderr what was slow, tried again, repaired or refused; -vv: also what libraries warn of.",
        ),
    ] = 0,
) -> None:
    if verbose:
        from penstock.cli.output.logs import showing_logs

        context.with_resource(showing_logs(verbose))


app.command("ingest", short_help="Read what is new or changed; forget what is gone.")(ingest.ingest)
app.command("sync", short_help="Bring collections to what penstock.toml says of them.")(sync.sync)
app.command("search")(search.search)
app.command("ask", short_help="Answer a question from the sources, with citations.")(ask.ask)
app.command("prompt", short_help="Show the prompt for a question; it is sent nowhere.")(ask.prompt)
app.command("status", short_help="Show the state of a collection.")(inspect.status)
app.command("doctor", short_help="Prove that catalog and indexes hold the same.")(inspect.doctor)
app.command("show")(inspect.show)
app.command("remove", short_help="Take sources out of the collection.")(ingest.remove)
app.add_typer(collections.app, name="collections", short_help="List the collections; remove or rename one.")
app.command("history", short_help="List the revisions that are kept.")(history.history)
app.command("diff", short_help="Show what differs between two revisions.")(history.diff)
app.command("rollback", short_help="Go back to what an earlier revision held.")(history.rollback)
app.command("export", short_help="Write a collection into one file.")(carry.export)
app.command("import", short_help="Make a collection of such a file.")(carry.import_)
app.command("compact", short_help="Make room: drop earlier revisions and what only they needed.")(history.compact)
app.command("schedule", short_help="Sync what penstock.toml describes when it is due.")(schedule.schedule)
app.command("settings", short_help="Show every setting, and where it comes from.")(inspect.settings)
app.command("trust", short_help="Let a penstock.toml do what that of a stranger may not.")(trust.trust)
app.add_typer(models.app, name="models", short_help="Embedding models; presets for language models.")
