"""Settings as a person can copy them into penstock.toml, each with its origin and its purpose; no secret is shown."""

import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, SecretStr

from penstock.cli.output.revealing import HIDDEN, one_by_one, revealed
from penstock.cli.output.screen import Screen
from penstock.settings import CollectionSettings, ScheduleSettings, Settings, tree
from penstock.settings.options import OPTIONS, Options
from penstock.urls import without_secrets

_BARE = re.compile(r"[A-Za-z0-9_-]+")
"""Keys that TOML takes without quotes."""


def public(settings: Settings) -> dict[str, Any]:
    """All values, nested, without secrets: keys, and passwords inside of addresses."""
    values = tree(settings, mode="json")
    for group, options in revealed(settings).items():
        values[group] = values[group] | {OPTIONS: options}
    return {name: _public(value) for name, value in values.items()}


def _public(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _public(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_public(inner) for inner in value]
    return without_secrets(value) if isinstance(value, str) else value


def shown(value: Any) -> str:
    """One value as a file has it, without secrets."""
    return _literal(_public(HIDDEN if isinstance(value, SecretStr) else value))


def show_settings(values: Mapping[str, Any], origins: Mapping[str, str]) -> None:
    """The single settings, then group by group, then the settings of each collection."""
    screen = Screen()
    alone = {name: value for name, value in values.items() if not isinstance(value, Mapping)}
    _show_group(screen, Settings, alone, origins, "")
    for group, inner in values.items():
        if isinstance(inner, Mapping) and group != "collections":
            _show_heading(screen, group)
            _show_group(screen, type(getattr(Settings.model_construct(), group)), inner, origins, f"{group}.")
    for name, described in values["collections"].items():
        _show_collection(screen, name, described, origins)


def _show_collection(screen: Screen, name: str, described: Mapping[str, Any], origins: Mapping[str, str]) -> None:
    alone = {key: value for key, value in described.items() if not isinstance(value, Mapping)}
    _show_heading(screen, "collections", name)
    _show_group(screen, CollectionSettings, alone, origins, f"collections.{name}.")
    for group, inner in described.items():
        if isinstance(inner, Mapping):
            model = ScheduleSettings if group == "schedule" else type(CollectionSettings.model_fields[group].default)
            _show_heading(screen, "collections", name, group)
            _show_group(screen, model, inner, origins, f"collections.{name}.{group}.")


def _show_heading(screen: Screen, *path: str) -> None:
    screen.print()
    screen.say((f"[{'.'.join(map(_key, path))}]", "bold"))


def _show_group(
    screen: Screen, model: type[BaseModel], values: Mapping[str, Any], origins: Mapping[str, str], prefix: str
) -> None:
    by_part = OPTIONS in values and model.model_fields[OPTIONS].annotation != Options
    for name, value in one_by_one(values, by_part=by_part):
        origin, purpose = origins[prefix + name], model.model_fields[name.partition(".")[0]].description
        line = f"{name} = {_literal(value)}"
        line = line if value not in (None, HIDDEN) else f"# {line}"  # what TOML cannot say, or should not
        remark = f"  # {origin}; {purpose}" if purpose else f"  # {origin}"
        screen.say_whole((f"{line:<30}", "dim" if origin == "default" else "bold"), (remark, "dim"))


def _literal(value: Any) -> str:
    """A value as TOML writes it; JSON is the same but for tables."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(name)} = {_literal(inner)}" for name, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)
