"""The options that say which chunks may be found, the same for every command that searches."""

import inspect
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli.options import Principals, labels_of
from penstock.limits import LAST_PAGE

if TYPE_CHECKING:
    from penstock.model import Filter

Many = list[str] | None


def filter_of(
    source: Annotated[
        Many,
        typer.Option(
            "--source", metavar="PATTERN", help="Only sources whose URI matches this pattern.", show_default=False
        ),
    ] = None,
    label: Annotated[
        Many, typer.Option("--label", metavar="NAME=VALUE", help="Only with this label.", show_default=False)
    ] = None,
    media_type: Annotated[
        Many,
        typer.Option(
            "--type", metavar="TYPE", help="Only this media type: application/pdf, image/*.", show_default=False
        ),
    ] = None,
    language: Annotated[
        Many, typer.Option("--language", metavar="LANGUAGE", help="Only this language: zh, en.", show_default=False)
    ] = None,
    pages: Annotated[
        str | None, typer.Option("--pages", metavar="PAGES", help="Only these pages: 3 or 3-7.", show_default=False)
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="DATE", help="Only modified on or after this date.", show_default=False),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="Only modified before this date.", show_default=False)
    ] = None,
    principals: Principals = None,
) -> "Filter":
    """The filter that the options describe.

    Raises:
        typer.BadParameter: pages, a date or a label cannot be read; names the option.
    """
    from penstock.model import Filter

    return Filter(
        sources=tuple(source or ()),
        labels=labels_of(label),
        media_types=tuple(media_type or ()),
        languages=tuple(language or ()),
        pages=_pages(pages) if pages is not None else None,
        modified_from=_date(since, "--since") if since is not None else None,
        modified_before=_date(until, "--until") if until is not None else None,
        principals=frozenset(principals) if principals is not None else None,
    )


def filtered(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the options of `filter_of` in the place of its parameter `where`."""
    options = inspect.signature(filter_of).parameters
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        parameters.extend(options.values() if name == "where" else [parameter])

    @wraps(command)
    def filled(**conditions: Any) -> None:
        where = filter_of(**{name: conditions.pop(name) for name in options})
        command(**conditions, where=where)

    filled.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # what typer reads
    filled.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return filled


def _pages(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    try:
        pages = int(first), int(last if dash else first)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a page or a range of pages such as 3-7", param_hint="--pages"
        ) from None
    if not 1 <= pages[0] <= pages[1] <= LAST_PAGE:
        raise typer.BadParameter(
            f"{text!r}: pages count from 1 to {LAST_PAGE}, the smaller one first", param_hint="--pages"
        )
    return pages


def _date(text: str, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date such as 2026-03-31", param_hint=option) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
