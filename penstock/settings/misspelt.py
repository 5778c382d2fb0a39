"""Messages about settings that cannot be used: which setting, where it is, and what was probably meant."""

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

from pydantic_core import ErrorDetails

from penstock.errors import SettingsError


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
