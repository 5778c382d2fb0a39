"""`penstock schedule`: runs what penstock.toml schedules, for as long as it is left running."""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli.options import Assignments, Home, given_settings
from penstock.cli.output.ending import reporting_errors

if TYPE_CHECKING:
    from penstock.settings import Settings


def schedule(
    home: Home = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            metavar="PORT",
            help="Of Prefect's page (default: 4200, or a free one).",
            show_default=False,
        ),
    ] = None,
    assignments: Assignments = None,
) -> None:
    """Sync the collections of penstock.toml when they are due, until Ctrl-C.

    A Prefect server is started on this machine for as long as it is needed, unless PREFECT_API_URL names one.
    """
    with reporting_errors(as_json=False):
        from penstock.settings import leaves, read_settings

        overrides = given_settings(home, None, assignments)
        settings = read_settings(**overrides)
        _pass_on(leaves(overrides))
        _check(settings)
        from penstock.flows import working_folder

        working_folder.check(Path.cwd())
        os.environ["PYTHONSAFEPATH"] = "1"  # or each `python -m` of Prefect would import what lies in this folder
        from penstock.flows.serving import serving

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _interrupt)
        with suppress(KeyboardInterrupt), serving.reached(settings.home, port) as reached:
            _print_schedules(settings, reached.page, reached.password)
            if reached.is_open:
                _warn(reached.api)
            serving.serve(settings.collections, own=reached.own)
        typer.echo("stopped; what was committed stays")


def _pass_on(values: Iterable[tuple[str, Any]]) -> None:
    """Lets the processes that run the flows have the settings of the command line too."""
    for name, value in values:
        path = isinstance(value, Path)
        os.environ[f"PENSTOCK_{name.replace('.', '__').upper()}"] = str(value.absolute() if path else value)


def _check(settings: "Settings") -> None:
    from penstock.errors import UsageError

    if not settings.collections:
        raise UsageError(
            f"there is nothing to schedule: penstock.toml in {Path.cwd()} describes no collection; "
            "write [collections.NAME] with sources and a schedule"
        )


def _print_schedules(settings: "Settings", page: str, password: str) -> None:
    for name, described in settings.collections.items():
        typer.echo(f"{name}: {_when(described.schedule)}")
    typer.echo(f"Prefect's page: {page}" + (f", password: {password}" if password else ""))


def _warn(api: str) -> None:
    typer.echo(
        f"warning: the Prefect server at {api} (PREFECT_API_URL) asks for no password: whoever reaches it can run any "
        "program here, as this user. Start it with PREFECT_SERVER_API_AUTH_STRING=USER:PASSWORD, and set "
        "PREFECT_API_AUTH_STRING to the same here.",
        err=True,
    )


def _when(schedule: "Any") -> str:
    from penstock.settings.times import duration_text

    if schedule is None:
        return "when asked for"
    return f"every {duration_text(schedule.every)}" if schedule.every else f"{schedule.cron} ({schedule.timezone})"


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt
