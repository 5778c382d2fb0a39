"""`penstock ask` and `penstock prompt`: a cited answer, and what would be sent for it."""

import sys
from typing import TYPE_CHECKING

from penstock.cli.filters import filtered
from penstock.cli.options import AsJson, Assignments, CollectionName, Home, Question, Top, opened
from penstock.cli.output.ending import emit, reporting_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock.model import Answer, Filter


@filtered
def ask(
    question: Question,
    where: "Filter",
    home: Home = None,
    collection: CollectionName = None,
    k: Top = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Answer a question from the sources, with citations; without a language model: quotes, labelled as quotes."""
    with reporting_errors(as_json), opened(home, collection, assignments) as penstock:
        if as_json:
            from penstock.pipelines.reporting import reports

            emit(reports.answer(penstock.ask(question, k=k, where=where)))
        else:
            _show(penstock.ask_streaming(question, k=k, where=where))


@filtered
def prompt(
    question: Question,
    where: "Filter",
    home: Home = None,
    collection: CollectionName = None,
    k: Top = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Show the prompt for a question and its token count; it is sent nowhere."""
    with reporting_errors(as_json), opened(home, collection, assignments) as penstock:
        assembled = penstock.prompt(question, k=k, where=where)
        if as_json:
            from penstock.pipelines.reporting import reports

            emit(reports.prompt(assembled))
        else:
            from penstock.cli.output.tables import show_prompt

            show_prompt(assembled)


def _show(pieces: "Iterator[str | Answer]") -> None:
    """An answer as it comes, sentence by sentence, then what it rests on."""
    from penstock.cli.output.screen import Screen
    from penstock.cli.output.tables import show_citations

    rows = Screen().rows("  ")
    for piece in pieces:
        if isinstance(piece, str):
            sys.stdout.write(rows.laid_out(piece))
            sys.stdout.flush()
        else:
            sys.stdout.write("\n")
            sys.stdout.flush()
            show_citations(piece)
