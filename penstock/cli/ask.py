"""`penstock ask` and `penstock prompt`: a cited answer, and what would be sent for it."""

from penstock.cli.ending import emit, told
from penstock.cli.options import AsJson, Assignments, CollectionName, Home, Top, opened


def ask(
    question: str,
    home: Home = None,
    collection: CollectionName = None,
    k: Top = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Answer a question from the sources, with citations; without a language model: quotes, labelled as quotes."""
    with told(as_json), opened(home, collection, assignments) as penstock:
        answer = penstock.ask(question, k=k)
        from penstock.pipelines import reports

        if as_json:
            emit(reports.answer(answer))
        else:
            from penstock.cli.tables import show_answer

            show_answer(answer)


def prompt(
    question: str,
    home: Home = None,
    collection: CollectionName = None,
    k: Top = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Show the prompt for a question and its token count; it is sent nowhere."""
    with told(as_json), opened(home, collection, assignments) as penstock:
        assembled = penstock.prompt(question, k=k)
        from penstock.pipelines import reports

        if as_json:
            emit(reports.prompt(assembled))
        else:
            from penstock.cli.tables import show_prompt

            show_prompt(assembled)
