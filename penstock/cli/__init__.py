"""The command line: `penstock`. Every command is thin: it reads options, makes one call, and shows what came back."""

import sys
from io import TextIOWrapper

__all__ = ["main"]


def main() -> None:
    """Runs the command line; the entry point of `penstock`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal that cannot show a character shows its number
            stream.reconfigure(errors="backslashreplace")
    from penstock import telemetry

    for library in telemetry.SWITCHES:  # parts that others wrote may import one of them too
        telemetry.switch_off(library)
    from penstock.cli.app import app

    app()
