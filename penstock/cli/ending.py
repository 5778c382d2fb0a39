"""How a command ends: exit codes, error texts, and the one JSON object."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from penstock.errors import PenstockError, UsageError

ALL_WELL, NOTHING_DONE, USAGE, ATTENTION, INTERRUPTED = 0, 1, 2, 3, 130
"""0 all well; 1 nothing could be done; 2 wrong usage; 3 some sources failed or need attention; 130 interrupted."""


def emit(result: dict[str, Any]) -> None:
    """Prints the one JSON object of a command."""
    sys.stdout.write(json.dumps(result, ensure_ascii=False, indent=2) + "\n")


@contextmanager
def told(as_json: bool) -> Iterator[None]:
    """Turns errors into what a person, or a program that asked for JSON, can use, and the right exit code."""
    try:
        yield
    except PenstockError as error:
        if as_json:
            kind = type(error).__name__
            emit({"error": {"kind": kind, "message": str(error), "retryable": error.retryable}})
        typer.secho(f"error: {error}", err=True, fg=typer.colors.RED)
        raise typer.Exit(USAGE if isinstance(error, UsageError) else NOTHING_DONE) from None
    except KeyboardInterrupt:
        typer.secho("interrupted", err=True, fg=typer.colors.YELLOW)
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # The reader of our output has gone (`penstock search ... | head`): nothing is left to say, also not at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(ALL_WELL) from None
