"""`penstock.toml` of the working folder, and what it may say before a person trusts it."""

import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, InitSettingsSource

from penstock.errors import SettingsError
from penstock.settings import trust
from penstock.settings.harmless import sensitive

NAME = "penstock.toml"
_NAMED = 12
"""Settings that a message names at most."""


class FileSource(InitSettingsSource):
    """What the file says, read once; nothing where there is none."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        path = Path(NAME)
        self.file = trust.read(path) if path.is_file() else None
        super().__init__(settings_cls, values_of(self.file) if self.file else {})


def values_of(file: trust.File) -> dict[str, Any]:
    """What the file says, nested.

    Raises:
        tomllib.TOMLDecodeError, UnicodeDecodeError: it is no TOML.
    """
    return tomllib.loads(file.content.decode("utf-8"))


def untrusted(source: FileSource, root: type[BaseModel], *, vouched_for: str | Path | None) -> tuple[str, ...]:
    """Names of the settings that nobody trusts the file to hold; none where the file is trusted.

    `vouched_for` is the path of a file that the environment or the caller trusts, whatever is in it.

    Raises:
        SettingsError: that path is relative, or what is trusted cannot be read.
    """
    if source.file is None:
        return ()
    if vouched_for and not Path(vouched_for).is_absolute():
        raise SettingsError(
            f"the setting trust names {str(vouched_for)!r}; write it absolute: "
            "a relative path is another file in each folder"
        )
    if vouched_for and trust.place_of(Path(vouched_for)) == source.file.path:
        return ()
    names = tuple(name for name, _ in sensitive(root, source(), source.file.path.parent))
    return names if names and trust.state(source.file) != "trusted" else ()


def check_trust(source: FileSource, names: Sequence[str]) -> None:
    """Refuses the file where it holds settings that need trust.

    Raises:
        SettingsError: it does: names the settings, the file, and what to do.
    """
    if names and source.file:
        raise SettingsError(refusal(source.file, names))


def refusal(file: trust.File, names: Sequence[str]) -> str:
    """Why the file is refused, and what to do."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    why = "has changed since you trusted it" if trust.state(file) == "changed" else "is not trusted"
    return (
        f"{file.path} {why}, and sets what may send texts and keys away, read other files, run code or lift a limit: "
        f"{', '.join(names[:_NAMED])}{more}; if it is yours, or you have read it: `penstock trust`"
    )


def problem_text(error: ErrorDetails, known: Iterable[str], below: Mapping[str, Iterable[str]]) -> str:
    """What is wrong, with its place: `collections.handbook.sources.2.path` is in the second entry.

    `known` are the dotted names of settings; `below` the names inside the parts that a person names.
    """
    place = [str(part + 1) if isinstance(part, int) else part for part in error["loc"]]
    name = ".".join(place)
    if error["type"] != "extra_forbidden":
        return f"{name}: {error['msg'].removeprefix('Value error, ')}"
    if place[0] in below and len(place) > 2:
        last = {setting.rpartition(".")[2] for setting in below[place[0]]}
        return f"there is no setting {name!r}" + _meant(place[-1], [*below[place[0]], *last])
    return f"there is no setting {name!r}" + _meant(name, known)


def _meant(name: str, among: Iterable[str]) -> str:
    known = list(among)
    groups = {setting.partition(".")[0] for setting in known}
    close = get_close_matches(name, [*known, *sorted(groups)], n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def check_variables(variables: Iterable[str], prefix: str, known: Iterable[str], groups: Collection[str]) -> None:
    """Looks for misspelt names in the environment, which would be ignored in silence.

    Names that resemble no setting are left alone: orchestrators set such as `PENSTOCK_SERVICE_HOST` by themselves, and
    `PENSTOCK_TEST_...` is for the tests.

    Raises:
        SettingsError: a variable is meant for a setting that there is not.
    """
    names = {name.replace(".", "__") for name in known}
    plain = {name.replace("_", ""): name for name in names}
    for variable in variables:
        name = variable.lower().removeprefix(prefix.lower())
        if len(name) == len(variable) or name.startswith("test_") or name in names or name.partition("__")[0] in groups:
            continue
        close = get_close_matches(name.replace("_", ""), plain, n=1, cutoff=0.8)
        if close or "__" in name:
            meant = f"; did you mean {prefix}{plain[close[0]].upper()}?" if close else ""
            raise SettingsError(
                f"there is no setting for the variable {variable}{meant}; `penstock settings` lists all"
            )
