"""What a person sees while a run goes on: a bar on a terminal, plain lines elsewhere; always on stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from rich.cells import cell_len
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column

from penstock.cli.output.escaping import one_line
from penstock.cli.output.screen import Screen
from penstock.loaders import shown
from penstock.model import SourceResult

_PULL = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=20), DownloadColumn())


@contextmanager
def watching() -> Iterator[Callable[[SourceResult], None]]:
    """A function to call with each outcome."""
    screen = Screen(stderr=True)
    if not screen.is_terminal:
        yield lambda result: _line(screen, result)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.completed:.0f} sources"),
        BarColumn(bar_width=10),
        TimeElapsedColumn(),
        TextColumn("{task.fields[last]}", markup=False, table_column=Column(no_wrap=True)),
    )
    room = max(10, screen.width - 45)
    with Progress(*columns, console=screen, transient=True) as progress:
        task = progress.add_task("ingest", total=None, last="")
        yield lambda result: progress.update(task, advance=1, last=_short(one_line(shown(result.uri)), room))


@contextmanager
def fetching() -> Iterator[Callable[[str, int, int], None]]:
    """A function to call with a file, the bytes that are there, and the bytes that there will be."""
    screen = Screen(stderr=True)
    if not screen.is_terminal:
        yield lambda file, done, total: screen.say(f"{file}: {total} bytes") if done == total else None
        return
    with Progress(*_PULL, console=screen, transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def update(file: str, done: int, total: int) -> None:
            if file not in tasks:
                tasks[file] = progress.add_task(one_line(file), total=total)
            progress.update(tasks[file], completed=done)

        yield update


def _line(screen: Screen, result: SourceResult) -> None:
    if result.outcome == "unchanged":
        return
    reason = f" ({result.reason})" if result.reason else ""
    with suppress(BrokenPipeError):  # nobody reads these lines any more: no reason to end the run
        screen.say(f"{result.outcome:<9} {shown(result.uri)}{reason}")


def _short(path: str, room: int) -> str:
    """The end of a path, in at most `room` columns; a Chinese character takes two."""
    if cell_len(path) <= room:
        return path
    start = 0
    while cell_len(path[start:]) > room - 1:
        start += 1
    return "…" + path[start:]
