"""`penstock ingest` and `penstock remove`: bringing sources in and taking them out, with an account of each."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.ending import ALL_WELL, ATTENTION, INTERRUPTED, NOTHING_DONE, emit, told
from penstock.cli.options import AsJson, Assignments, CollectionName, Home, labels_of, opened

if TYPE_CHECKING:
    from penstock.model import RunReport


def ingest(
    addresses: Annotated[list[str], typer.Argument(metavar="PATH|URL...", help="Files, folders and web addresses.")],
    home: Home = None,
    collection: CollectionName = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="NAME=VALUE", help="Attach a label to every source.", show_default=False),
    ] = None,
    access: Annotated[
        list[str] | None,
        typer.Option(
            "--access",
            metavar="PRINCIPAL",
            help="Principal that may see these sources (default: all).",
            show_default=False,
        ),
    ] = None,
    removal_share: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            metavar="SHARE",
            help="Share of the collection that may be removed at once.",
            show_default=False,
        ),
    ] = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Read what is new or changed, forget what is gone; the rest costs nothing."""
    with told(as_json), opened(home, collection, assignments, removal_share=removal_share) as penstock:
        from penstock.cli.progress import watching

        labels = labels_of(label) if label is not None else None
        with watching() as watch, _terminated_like_interrupted():
            report = penstock.ingest(*addresses, labels=labels, access=access, watch=watch)
        _finish(report, as_json)


def remove(
    addresses: Annotated[list[str], typer.Argument(metavar="URI|PATH...", help="Sources; a folder: all below it.")],
    home: Home = None,
    collection: CollectionName = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Take sources out of the collection; the files themselves stay where they are."""
    with told(as_json), opened(home, collection, assignments) as penstock:
        _finish(penstock.remove(*addresses), as_json)


def _finish(report: "RunReport", as_json: bool) -> None:
    from penstock.cli.tables import show_report
    from penstock.pipelines import reports

    if as_json:
        emit(reports.run_report(report))
    show_report(report, stderr=as_json)
    raise typer.Exit(exit_code(report))


def exit_code(report: "RunReport") -> int:
    """0 all well; 3 some sources need attention; 1 nothing could be read at all; 130 interrupted."""
    if report.interrupted:
        return INTERRUPTED
    wrong = report.count("failed") + report.count("partial") + report.count("empty")
    if report.count("failed") and report.count("failed") == report.discovered:
        return NOTHING_DONE
    return ATTENTION if wrong or report.attention else ALL_WELL


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """A polite kill (SIGTERM) ends a run as Ctrl-C does: what is committed stays, and the account is given."""

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
