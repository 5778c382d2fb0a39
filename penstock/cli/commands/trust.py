"""`penstock trust`: lets a file of settings do what the file of a stranger may not."""

from pathlib import Path
from tomllib import TOMLDecodeError
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli.options import AsJson
from penstock.cli.output.ending import emit, reporting_errors

if TYPE_CHECKING:
    from penstock.settings.trust import File

NAME = "penstock.toml"
"""Of the file whose settings are shown; others are taken whole."""


def trust(
    file: Annotated[
        Path, typer.Argument(metavar="[FILE]", help="What to trust (default: penstock.toml here).", show_default=False)
    ] = Path(NAME),
    revoke: Annotated[bool, typer.Option("--revoke", help="Take the trust in the file back.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="List the files that are trusted.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Trust a penstock.toml as it is now: its addresses, models, folders and limits; any change to it ends that.

    What may be set without trust, such as sizes of chunks or sources below the folder of the file, needs none of this.
    """
    with reporting_errors(as_json):
        if listed:
            _list(as_json)
        elif revoke:
            _revoke(file, as_json)
        else:
            _trust(file, yes=yes, as_json=as_json)


def _trust(file: Path, *, yes: bool, as_json: bool) -> None:
    from penstock.settings import trust as trusting

    read, needing = _read(file)
    is_other = read.path.name != NAME
    if needing or is_other:
        _show(read, needing, is_other=is_other)
        if not yes:
            typer.confirm("Trust this file as it is?", abort=True, err=True)
        trusting.trust(read)
    trusted = trusting.state(read) == "trusted"
    if as_json:
        emit({"file": str(read.path), "sha256": read.sha256, "trusted": trusted, "settings": list(needing)})
    elif trusted:
        _say(f"trusted until it changes; `penstock trust --revoke` ends it, {trusting.notes_path()} notes it")
    else:
        _say(f"{read.path} sets nothing that needs trust")


def _read(file: Path) -> "tuple[File, dict[str, Any]]":
    """The file, and the settings in it that need trust; none of a file that is not ours."""
    from penstock.errors import SettingsError
    from penstock.settings import needing_trust, trust
    from penstock.settings.file import values_of

    try:
        read = trust.read(file)
        return read, dict(needing_trust(values_of(read), read.path.parent)) if read.path.name == NAME else {}
    except (OSError, TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from error


def _show(read: "File", needing: dict[str, Any], *, is_other: bool) -> None:
    """What the file would be trusted with, on standard error, so that it can be read before the question."""
    from penstock.cli.output.screen import Screen
    from penstock.cli.output.toml import shown

    screen = Screen(stderr=True)
    screen.say((str(read.path), "bold"), " is no penstock.toml: read it yourself" if is_other else " sets:")
    for name, value in needing.items():
        screen.say(f"  {name} = {shown(value)}")


def _revoke(file: Path, as_json: bool) -> None:
    from penstock.settings import trust as trusting

    place, was = trusting.place_of(file), trusting.revoke(file)
    if as_json:
        emit({"file": str(place), "revoked": was})
    else:
        _say(f"{place} is not trusted any more" if was else f"{place} was not trusted")


def _say(line: str) -> None:
    from penstock.cli.output.screen import Screen

    Screen().say(line)


def _list(as_json: bool) -> None:
    from penstock.settings import trust as trusting

    rows = [{"file": name, "since": note.since, "state": _state(Path(name))} for name, note in trusting.notes().items()]
    if as_json:
        emit({"files": rows})
        return
    from penstock.cli.output.tables import show_rows

    show_rows(rows, empty="no file is trusted")


def _state(path: Path) -> str:
    from penstock.settings import trust as trusting

    try:
        return trusting.state(trusting.read(path))
    except OSError:
        return "gone"
