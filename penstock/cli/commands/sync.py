"""`penstock sync`: bringing collections to what penstock.toml says of them, or showing what that would do."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli.options import AsJson, Assignments, Home, RemovalShare, given_settings
from penstock.cli.output.ending import described, emit, report_error, reporting_errors, terminated_like_interrupted
from penstock.errors import PenstockError, UnknownName, UsageError
from penstock.pipelines.reporting.exit_codes import ALL_WELL, ATTENTION, INTERRUPTED, exit_code, worst

if TYPE_CHECKING:
    from penstock.pipelines.stepwise import Stepwise
    from penstock.settings import Settings

EXAMPLE = "[collections.handbook]\nsources = [{ path = './handbook' }]"


def sync(
    collections: Annotated[
        list[str] | None, typer.Argument(metavar="[COLLECTION]...", help="Of penstock.toml; all, if none is named.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done; write nothing.")] = False,
    home: Home = None,
    removal_share: RemovalShare = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Bring collections to what penstock.toml says of them; what no entry lists any more is removed."""
    with reporting_errors(as_json), terminated_like_interrupted():
        from penstock.settings import read_settings

        settings = read_settings(**given_settings(home, None, assignments, removal_share=removal_share))
        codes: list[int] = []
        accounts: dict[str, Any] = {}
        for name in _wanted(settings, collections):
            code, accounts[name] = _brought(settings, name, dry_run=dry_run, as_json=as_json)
            codes.append(code)
            if code == INTERRUPTED:
                break
        if as_json:
            emit({"dry_run": dry_run, "collections": accounts})
        raise typer.Exit(worst(codes))


def _wanted(settings: "Settings", names: list[str] | None) -> list[str]:
    if not settings.collections:
        raise UsageError(
            f"penstock.toml in the working folder describes no collection; write, for instance:\n{EXAMPLE}"
        )
    for name in names or ():
        if name not in settings.collections:
            raise UnknownName("collection of penstock.toml", name, settings.collections)
    return list(dict.fromkeys(names or settings.collections))


def _brought(settings: "Settings", name: str, *, dry_run: bool, as_json: bool) -> tuple[int, dict[str, Any]]:
    """Exit code and report of one collection; an error that ends its run does not keep the others from theirs."""
    from penstock.pipelines.stepwise import Stepwise

    try:
        with Stepwise(collection=name, settings=settings) as penstock:
            return _planned(penstock, as_json) if dry_run else _synced(penstock, as_json)
    except PenstockError as error:
        return report_error(error, where=f"{name}: "), described(error)


def _planned(penstock: "Stepwise", as_json: bool) -> tuple[int, dict[str, Any]]:
    from penstock.cli.output.tables import show_plan
    from penstock.pipelines.reporting import reports

    plan = penstock.plan()
    account = reports.plan(plan)
    show_plan(plan, stderr=as_json)
    return (ATTENTION if account["failed"] or account["attention"] else ALL_WELL), account


def _synced(penstock: "Stepwise", as_json: bool) -> tuple[int, dict[str, Any]]:
    from penstock.cli.output.progress import watching
    from penstock.cli.output.tables import show_report
    from penstock.loaders.confinement.privileges import keep_memory_private
    from penstock.pipelines.reporting import reports

    keep_memory_private()
    with watching() as watch:
        report = penstock.sync(watch=watch)
    account = reports.run_report(report)
    show_report(report, stderr=as_json)
    return exit_code(account), account
