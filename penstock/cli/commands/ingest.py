"""`penstock ingest` and `penstock remove`: bringing sources in and taking them out, with a report of each."""

from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.options import AsJson, Assignments, CollectionName, Home, Principals, RemovalShare, labels_of, opened
from penstock.cli.output.ending import emit, reporting_errors, terminated_like_interrupted

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
            help="Principal that may see these sources (default: as the address was last given; else all).",
            show_default=False,
        ),
    ] = None,
    everybody: Annotated[bool, typer.Option("--everybody", help="Let everybody see these sources.")] = False,
    removal_share: RemovalShare = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Read what is new or changed, forget what is gone; the rest costs nothing."""
    if everybody and access is not None:
        raise typer.BadParameter("goes without --access: everybody, or those principals", param_hint="--everybody")
    with reporting_errors(as_json), opened(home, collection, assignments, removal_share=removal_share) as penstock:
        from penstock.cli.output.progress import watching
        from penstock.loaders.confinement.privileges import keep_memory_private

        keep_memory_private()
        labels = labels_of(label) if label is not None else None
        with watching() as watch, terminated_like_interrupted():
            report = penstock.ingest(*addresses, labels=labels, access=() if everybody else access, watch=watch)
        _finish(report, as_json)


def remove(
    addresses: Annotated[list[str], typer.Argument(metavar="URI|PATH...", help="Sources; a folder: all below it.")],
    home: Home = None,
    collection: CollectionName = None,
    principals: Principals = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Take sources out of the collection; the files themselves stay where they are."""
    with reporting_errors(as_json), opened(home, collection, assignments) as penstock:
        _finish(penstock.remove(*addresses, principals=principals), as_json)


def _finish(report: "RunReport", as_json: bool) -> None:
    from penstock.cli.output.tables import show_report
    from penstock.pipelines.reporting import reports
    from penstock.pipelines.reporting.exit_codes import exit_code

    account = reports.run_report(report)
    if as_json:
        emit(account)
    show_report(report, stderr=as_json)
    raise typer.Exit(exit_code(account))
