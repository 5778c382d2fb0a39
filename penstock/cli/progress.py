"""What a person sees while a run goes on: a bar on a terminal, plain lines elsewhere; always on stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from penstock.loaders import shown
from penstock.model import SourceResult


@contextmanager
def watching() -> Iterator[Callable[[SourceResult], None]]:
    """A function to call with each outcome."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    if not console.is_terminal:
        yield lambda result: _line(console, result)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.completed:.0f} sources"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[last]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("ingest", total=None, last="")
        yield lambda result: progress.update(task, advance=1, last=_short(shown(result.uri)))


def _line(console: Console, result: SourceResult) -> None:
    if result.outcome != "unchanged":
        reason = f" ({result.reason})" if result.reason else ""
        console.print(f"{result.outcome:<9} {shown(result.uri)}{reason}", markup=False)


def _short(path: str, width: int = 60) -> str:
    return path if len(path) <= width else "…" + path[1 - width :]
