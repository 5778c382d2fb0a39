"""How a command ends: exit codes, error texts, and the one JSON object."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from penstock.errors import PenstockError, UnknownName, UsageError

ALL_WELL, NOTHING_DONE, USAGE, ATTENTION, INTERRUPTED = 0, 1, 2, 3, 130
"""0 all well; 1 nothing could be done; 2 wrong usage; 3 some sources failed or need attention; 130 interrupted."""


def emit(result: dict[str, Any]) -> None:
    """Prints the one JSON object of a command."""
    sys.stdout.write(json.dumps(result, ensure_ascii=False, indent=2) + "\n")


@contextmanager
def told(as_json: bool) -> Iterator[None]:
    """Turns errors into what a person, or a program that asked for JSON, can use, and the right exit code."""
    try:
        try:
            yield
        except PenstockError as error:
            _tell(type(error).__name__, f"{error}{_advice(error)}", retryable=error.retryable, as_json=as_json)
            raise typer.Exit(USAGE if isinstance(error, UsageError) else NOTHING_DONE) from None
        except KeyboardInterrupt:
            _tell("Interrupted", "interrupted; what was committed stays", retryable=True, as_json=as_json)
            raise typer.Exit(INTERRUPTED) from None
        finally:
            sys.stdout.flush()  # here, where it can still be told that the reader has gone
    except BrokenPipeError as error:
        # The reader of our output has gone (`penstock search ... | head`): nothing is left to say, also not at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        before = error.__context__
        raise typer.Exit(before.exit_code if isinstance(before, typer.Exit) else ALL_WELL) from None


def _tell(kind: str, message: str, *, retryable: bool, as_json: bool) -> None:
    from penstock.cli.screen import harmless

    if as_json:
        emit({"error": {"kind": kind, "message": message, "retryable": retryable}})
    interrupted = kind == "Interrupted"
    colour = typer.colors.YELLOW if interrupted else typer.colors.RED
    typer.secho(harmless(message if interrupted else f"error: {message}"), err=True, fg=colour)


def _advice(error: PenstockError) -> str:
    if isinstance(error, UnknownName) and error.kind == "collection":
        return f"; `penstock ingest PATH --collection {error.name}` makes it"
    return ""
