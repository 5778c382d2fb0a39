"""Options that several commands share, and the settings that they lead to."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.limits import MOST_HITS

if TYPE_CHECKING:
    from penstock.pipelines.workspace import Penstock

Question = Annotated[str, typer.Argument(metavar="QUESTION", help="What is asked, in any words.")]
Home = Annotated[
    Path | None,
    typer.Option("--home", metavar="FOLDER", help="Where Penstock keeps its data (PENSTOCK_HOME).", show_default=False),
]
CollectionName = Annotated[
    str | None,
    typer.Option(
        "--collection", "-c", metavar="NAME", help="Collection to use (default: 'default').", show_default=False
    ),
]
RemovalShare = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=1,
        metavar="SHARE",
        help="Share of the collection that may be removed at once.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout; everything else on stderr.")]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any setting, such as chunker.name=window.", show_default=False),
]
Principals = Annotated[
    list[str] | None,
    typer.Option("--as", metavar="PRINCIPAL", help="Only what this principal may see.", show_default=False),
]
"""Who asks: the same option for every command that shows documents."""
Top = Annotated[
    int | None,
    typer.Option("--k", "-k", min=1, max=MOST_HITS, metavar="N", help="How many chunks to find.", show_default=False),
]


_PARTS = re.compile(r'"[^"]*"|[^.]+')
"""Parts of a dotted name, as TOML writes it: a part that holds dots itself is in quotes."""
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?")
"""What a float holds without loss, and JSON can say."""


def opened(home: Path | None, collection: str | None, assignments: list[str] | None, **also: Any) -> "Penstock":
    """The workspace that the options lead to; `also` are further settings, None where an option was not given."""
    from penstock.pipelines.workspace import Penstock
    from penstock.settings import read_settings

    return Penstock(settings=read_settings(**given_settings(home, collection, assignments, **also)))


def given_settings(
    home: Path | None, collection: str | None, assignments: list[str] | None, **also: Any
) -> dict[str, Any]:
    """The settings that the command line gives, nested."""
    values: dict[str, Any] = {"home": home, "collection": collection, **also}
    values = {name: value for name, value in values.items() if value is not None}
    for assignment in assignments or ():
        _assign(values, assignment)
    return values


def labels_of(pairs: list[str] | None) -> dict[str, str | int | float]:
    """Labels from `name=value` texts; plain numbers are numbers, and `007`, `nan` and the like stay texts."""
    return {name: _number(value) for name, value in (pair(text, "--label") for text in pairs or ())}


def pair(text: str, option: str) -> tuple[str, str]:
    """Both sides of `name=value`.

    Raises:
        typer.BadParameter: it is not of that form; names the option.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise typer.BadParameter(f"{text!r} is not of the form NAME=VALUE", param_hint=option)
    return name.strip(), value


def _assign(values: dict[str, Any], assignment: str) -> None:
    path, value = pair(assignment, "--set")
    *groups, name = (part.strip('"') for part in _PARTS.findall(path))
    for group in groups:
        inner = values.setdefault(group, {})
        if not isinstance(inner, dict):
            raise typer.BadParameter(f"{group!r} has no settings of its own", param_hint="--set")
        values = inner
    values[name] = value


def _number(value: str) -> str | int | float:
    if not _NUMBER.fullmatch(value):
        return value
    return float(value) if "." in value else int(value)
