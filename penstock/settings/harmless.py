"""Which settings a file may hold that nobody has vouched for, and which only one that a person trusts.

Each group lists its own harmless settings (`harmless`, `inside`), beside their definitions. The list is closed: a
setting that its group does not name can send texts or keys away, read files from anywhere, run code of others or lift a
guard, or nobody has thought about it yet.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol, cast, get_args

from pydantic import BaseModel, Secret, SecretStr
from pydantic.fields import FieldInfo

_PLAIN = re.compile(r"[\w-]+")


class Stated(Protocol):
    """A group that says which of its settings are harmless."""

    harmless: ClassVar[frozenset[str]]
    """Whatever their value is."""
    inside: ClassVar[frozenset[str]]
    """Paths that are harmless where they lie below the folder of the file that names them."""


def sensitive(group: type[BaseModel], values: Mapping[str, Any], folder: Path) -> Iterator[tuple[str, Any]]:
    """The settings of a file in that folder that need trust: dotted names with their values, secrets hidden.

    Names that are no settings are left out: they are errors of their own.
    """
    stated = cast(type[Stated], group)
    for name, value in values.items():
        field = group.model_fields.get(name)
        if field is None or name in stated.harmless or (name in stated.inside and lies_inside(folder, value)):
            continue
        for place, found in _within(field, value, folder):
            yield ".".join((name, *place)), found


def _within(field: FieldInfo, value: Any, folder: Path) -> Iterator[tuple[tuple[str, ...], Any]]:
    """What needs trust of one setting, group, table of groups, or list of groups, each with its place inside of it."""
    inner = _group_in(field)
    if inner is None and Secret in _origins(field.annotation):
        yield from _hidden(value)
        return
    if inner is None:
        yield (), SecretStr(str(value)) if SecretStr in get_args(field.annotation) else value
        return
    alone = inner is field.annotation
    entries: Mapping[str, Any] = {"": value} if alone else _numbered(value)
    if not entries or not all(isinstance(entry, Mapping) for entry in entries.values()):
        # Not of the setting's form: reported when it is validated, and never let through here.
        yield (), value
        return
    for key, entry in entries.items():
        for name, found in sensitive(inner, entry, folder):
            yield ((name,) if alone else (key, name)), found


def _hidden(value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Options of a part: each by its name, its value hidden, since only the part knows which of them are secrets."""
    if not isinstance(value, Mapping) or not value:
        yield (), SecretStr(str(value))
        return
    for name, inner in _numbered(value).items():
        for place, found in _hidden(inner):
            yield (name, *place), found


def _origins(annotation: Any) -> Iterator[Any]:
    """What a type is made of, at any depth."""
    yield getattr(annotation, "__origin__", None)
    for inner in get_args(annotation):
        yield from _origins(inner)


def _numbered(value: Any) -> Mapping[str, Any]:
    """The entries of a table or a list; a name of a person's choice cannot pose as the lines of several."""
    if isinstance(value, Mapping):
        return {key if _PLAIN.fullmatch(key) else json.dumps(key): entry for key, entry in value.items()}
    return {str(number): entry for number, entry in enumerate(value, start=1)} if isinstance(value, list) else {}


def _group_in(field: FieldInfo) -> type[BaseModel] | None:
    """The group that the setting is, or of which it holds several."""
    for kind in (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def lies_inside(folder: Path, value: object) -> bool:
    """Whether a path, links resolved, is below the folder; one that cannot be resolved is not.

    >>> lies_inside(Path("/srv/project"), "../other")
    False
    """
    try:
        path = folder / Path(str(value)).expanduser()
        # Some readers of paths take `..` away before they follow links, some after.
        real = (os.path.realpath(path), os.path.realpath(os.path.normpath(path)))
    except (OSError, RuntimeError, ValueError):  # no such user, a NUL character
        return False
    return all(Path(resolved).is_relative_to(os.path.realpath(folder)) for resolved in real)
