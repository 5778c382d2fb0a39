"""Commands that look: status, doctor, show, settings."""

from typing import Annotated

import typer

from penstock.cli.options import AsJson, Assignments, CollectionName, Home, Principals, given_settings, opened
from penstock.cli.output.ending import emit, remark, reporting_errors
from penstock.pipelines.reporting.exit_codes import ALL_WELL, ATTENTION


def status(
    home: Home = None,
    collection: CollectionName = None,
    principals: Principals = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Show the state of a collection: sources, chunks, indexes, model, last run, quarantine."""
    with reporting_errors(as_json), opened(home, collection, assignments) as penstock:
        found = penstock.status(principals=principals)
        if as_json:
            from penstock.pipelines.reporting import reports

            emit(reports.status(found))
        else:
            from penstock.cli.output.tables import show_status

            show_status(found)


def doctor(
    home: Home = None,
    collection: CollectionName = None,
    repair: Annotated[bool, typer.Option("--repair", help="Rebuild an index that differs.")] = False,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read everything: texts, tokens, vectors, and the checksum of every file.")
    ] = False,
    principals: Principals = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Prove that catalog, keyword index and vector index hold the same chunks."""
    with reporting_errors(as_json), opened(home, collection, assignments) as penstock:
        diagnosis = penstock.doctor(repair=repair, deep=deep, principals=principals)
        from penstock.pipelines.reporting import reports

        if as_json:
            emit(reports.diagnosis(diagnosis))
        else:
            from penstock.cli.output.screen import Screen

            screen = Screen()
            for problem in diagnosis.problems:
                screen.say((f"{problem.where}: {problem.message}", "red"))
            if diagnosis.ok:
                typer.echo(f"ok: {diagnosis.chunks} chunks, the same in catalog, keyword index and vector index")
            else:
                again = "--deep --repair" if deep else "--repair"
                typer.echo(f"run it again with {again} to bring the indexes back in step with the catalog")
            typer.echo(str(diagnosis.confinement))
    raise typer.Exit(ALL_WELL if diagnosis.ok else ATTENTION)


def show(
    document: Annotated[str, typer.Argument(metavar="DOCUMENT", help="Document id or its beginning, URI, or path.")],
    home: Home = None,
    collection: CollectionName = None,
    principals: Principals = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Show what was read from a document, and how it was cut."""
    with reporting_errors(as_json), opened(home, collection, assignments) as penstock:
        from penstock.pipelines.reporting import reports

        stored = penstock.show(document, principals=principals)
        if as_json:
            emit(reports.document(stored))
        else:
            from penstock.cli.output.tables import show_document

            show_document(stored)


def settings(
    home: Home = None, collection: CollectionName = None, assignments: Assignments = None, as_json: AsJson = False
) -> None:
    """Show every setting in force, and where it comes from, in the form of penstock.toml."""
    with reporting_errors(as_json):
        from penstock.cli.output.toml import public, show_settings
        from penstock.settings import origins, read_to_show, refused

        overrides = given_settings(home, collection, assignments)
        read = read_to_show(**overrides)
        values, where = public(read.for_collection(read.collection)), origins(**overrides)
        if as_json:
            emit({"settings": values, "origins": where})
        else:
            show_settings(values, where)
        if why := refused(**overrides):
            remark(why)
