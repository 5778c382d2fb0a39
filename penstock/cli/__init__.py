"""The command line: `penstock`. Every command is thin: it reads options, makes one call, and shows what came back."""

__all__ = ["main"]


def main() -> None:
    """Runs the command line; the entry point of `penstock`."""
    from penstock.cli.app import app

    app()
