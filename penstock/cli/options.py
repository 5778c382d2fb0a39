"""Options that several commands share, and the settings that they lead to."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from penstock.model import Filter
    from penstock.pipelines.workspace import Penstock

Home = Annotated[
    Path | None, typer.Option("--home", help="Where Penstock keeps its data (PENSTOCK_HOME).", show_default=False)
]
CollectionName = Annotated[
    str | None, typer.Option("--collection", "-c", help="Collection to use (default: 'default').", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout; everything else on stderr.")]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any setting, such as chunker.name=window.", show_default=False),
]
Top = Annotated[int | None, typer.Option("--k", "-k", min=1, help="How many chunks to find.", show_default=False)]
Sources = Annotated[
    list[str] | None, typer.Option("--source", help="Only sources whose URI matches this pattern.", show_default=False)
]
LabelFilter = Annotated[
    list[str] | None, typer.Option("--label", metavar="NAME=VALUE", help="Only with this label.", show_default=False)
]
MediaTypes = Annotated[
    list[str] | None, typer.Option("--type", help="Only this media type: application/pdf, image/*.", show_default=False)
]
Languages = Annotated[
    list[str] | None, typer.Option("--language", help="Only this language: zh, en.", show_default=False)
]
Pages = Annotated[str | None, typer.Option("--pages", help="Only these pages: 3 or 3-7.", show_default=False)]
Since = Annotated[str | None, typer.Option("--since", help="Only modified on or after this date.", show_default=False)]
Until = Annotated[str | None, typer.Option("--until", help="Only modified before this date.", show_default=False)]
Principals = Annotated[
    list[str] | None, typer.Option("--as", help="Only what this principal may see.", show_default=False)
]


def opened(home: Path | None, collection: str | None, assignments: list[str] | None, **also: Any) -> "Penstock":
    """The workspace that the options lead to; `also` are further settings, None where an option was not given."""
    from penstock.pipelines.workspace import Penstock
    from penstock.settings import read_settings

    given: dict[str, Any] = {"home": home, "collection": collection, **also}
    given = {name: value for name, value in given.items() if value is not None}
    for assignment in assignments or ():
        _assign(given, assignment)
    return Penstock(settings=read_settings(**given))


def labels_of(pairs: list[str] | None) -> dict[str, str | int | float]:
    """Labels from `name=value` texts; values that read as numbers are numbers."""
    return {name: _number(value) for name, value in map(_pair, pairs or ())}


def filter_of(
    *,
    sources: list[str] | None,
    labels: list[str] | None,
    media_types: list[str] | None,
    languages: list[str] | None,
    pages: str | None,
    since: str | None,
    until: str | None,
    principals: list[str] | None,
) -> "Filter":
    """The filter that the options describe."""
    from penstock.model import Filter

    return Filter(
        sources=tuple(sources or ()),
        labels=labels_of(labels),
        media_types=tuple(media_types or ()),
        languages=tuple(languages or ()),
        pages=_pages(pages) if pages else None,
        modified_from=_date(since) if since else None,
        modified_before=_date(until) if until else None,
        principals=frozenset(principals) if principals is not None else None,
    )


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise typer.BadParameter(f"{text!r} is not of the form NAME=VALUE")
    return name, value


def _assign(given: dict[str, Any], assignment: str) -> None:
    path, value = _pair(assignment)
    *groups, name = path.split(".")
    for group in groups:
        given = given.setdefault(group, {})
    given[name] = value


def _number(value: str) -> str | int | float:
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def _pages(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    try:
        pages = int(first), int(last or first)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a page or a range of pages such as 3-7") from error
    if not 1 <= pages[0] <= pages[1]:
        raise typer.BadParameter(f"{text!r}: pages count from 1, the smaller one first")
    return pages


def _date(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a date such as 2026-03-31") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
