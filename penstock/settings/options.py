"""Options of parts, as settings hold them: whatever the part that a setting names takes, and validates itself.

Each value is held as a secret, because only the part knows which of them is one: nothing that prints, logs or dumps the
settings shows it.
"""

import datetime
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Secret

Options = dict[str, Secret[Any]]
"""The options of one part, by name."""
OPTIONS = "options"
"""The setting of a group that holds them."""
GROUPS: Mapping[str, str] = {"elasticsearch": "elasticsearch"}
"""Indexes whose options may also be set in a group of their own, and its name; `indexes.options` goes before."""


def plain(options: Mapping[str, Secret[Any]]) -> dict[str, Any]:
    """The values as they were set, in a form that JSON can say: for the part and for nobody else."""
    return {name: _plain(value.get_secret_value()) for name, value in options.items()}


def group_of(settings: BaseModel, name: str) -> dict[str, Any]:
    """What is set in the group that the index of that name has, if it has one."""
    group = getattr(settings, GROUPS[name]) if name in GROUPS else None
    return {field: getattr(group, field) for field in group.model_fields_set} if group else {}


def merged(general: Mapping[str, Any], own: Mapping[str, Any], firm: frozenset[str], place: str) -> dict[str, Any]:
    """The options of all collections with those of one; what is `firm`, by its dotted name, is not replaced."""
    result = dict(general)
    for name, value in own.items():
        inner = f"{place}.{name}"
        if isinstance(value, Mapping):
            result[name] = merged(general.get(name, {}), value, firm, inner)
        elif not any(f"{setting}.".startswith(f"{inner}.") for setting in firm):
            result[name] = value
    return result


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, Secret):
        return _plain(value.get_secret_value())
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else value
