"""How a command ends: error texts, the one JSON object, signals. Exit codes are in `penstock.pipelines.reporting`."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from penstock.errors import PenstockError, UnknownName, UsageError
from penstock.pipelines.reporting.exit_codes import ALL_WELL, INTERRUPTED, NOTHING_DONE, USAGE

_STAYS = "interrupted; what was committed stays"


def emit(result: dict[str, Any]) -> None:
    """Prints the one JSON object of a command."""
    from penstock.cli.output.escaping import json_text

    sys.stdout.write(json_text(result) + "\n")


@contextmanager
def reporting_errors(as_json: bool) -> Iterator[None]:
    """Turns errors into a message for a person, or JSON for a program that asked for it, and into the exit code."""
    try:
        try:
            yield
        except PenstockError as error:
            if as_json:
                emit(described(error))
            raise typer.Exit(report_error(error)) from None
        except KeyboardInterrupt:
            if as_json:
                emit(_error("Interrupted", _STAYS, retryable=True))
            _say(_STAYS, "yellow")
            raise typer.Exit(INTERRUPTED) from None
        finally:
            sys.stdout.flush()  # here, where a reader that has gone can still be noticed
    except BrokenPipeError as error:
        # The reader of our output has gone (`penstock search ... | head`): nothing is left to say, also not at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        before = error.__context__
        raise typer.Exit(before.exit_code if isinstance(before, typer.Exit) else ALL_WELL) from None


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """A polite kill (SIGTERM) ends a run as Ctrl-C does: what is committed stays, and the report is printed."""

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def report_error(error: PenstockError, *, where: str = "") -> int:
    """Prints what went wrong for a person; gives the exit code for it."""
    _say(f"error: {where}{error}{_advice(error)}", "red")
    return USAGE if isinstance(error, UsageError) else NOTHING_DONE


def described(error: PenstockError) -> dict[str, Any]:
    """What went wrong, in the one shape in which programs get errors."""
    return _error(type(error).__name__, f"{error}{_advice(error)}", retryable=error.retryable)


def _error(kind: str, message: str, *, retryable: bool) -> dict[str, Any]:
    return {"error": {"kind": kind, "message": message, "retryable": retryable}}


def _say(message: str, colour: str) -> None:
    from penstock.cli.output.screen import Screen

    Screen(stderr=True).quote(message, first="", style=colour)


def remark(message: str) -> None:
    """Prints what a person should know beside the result."""
    _say(message, typer.colors.YELLOW)


def _advice(error: PenstockError) -> str:
    if isinstance(error, UnknownName) and error.kind == "collection":
        return f"; `penstock ingest PATH --collection {error.name}` makes it"
    return ""
