"""The commands and their order in `penstock --help`."""

from typing import Annotated

import typer

from penstock import __version__
from penstock.cli import ask, ingest, inspect, models, search

app = typer.Typer(
    name="penstock",
    help="Documents in Chinese and English: ingest them, search them, get cited answers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"penstock {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


app.command("ingest")(ingest.ingest)
app.command("search")(search.search)
app.command("ask")(ask.ask)
app.command("prompt")(ask.prompt)
app.command("status")(inspect.status)
app.command("doctor")(inspect.doctor)
app.command("show")(inspect.show)
app.command("remove")(ingest.remove)
app.command("collections")(inspect.collections)
app.command("settings")(inspect.settings)
app.add_typer(models.app, name="models")
