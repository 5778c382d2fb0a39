"""Settings as a person can copy them into penstock.toml, each with its origin and its purpose; no secret is shown."""

import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from penstock.cli.screen import Screen
from penstock.settings import Settings

HIDDEN = "**********"
"""What stands in the place of a secret; pydantic's own mark."""
_PASSWORD = re.compile(r"(?<=://)[^/@\s]+@")


def public(settings: Settings) -> dict[str, Any]:
    """All values, nested, without secrets: keys, and passwords inside of addresses."""
    return {name: _public(value) for name, value in settings.model_dump(mode="json").items()}


def _public(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _public(inner) for name, inner in value.items()}
    return _PASSWORD.sub(f"{HIDDEN}@", value) if isinstance(value, str) else value


def show_settings(values: Mapping[str, Any], origins: Mapping[str, str]) -> None:
    """The settings that stand alone, then group by group."""
    screen = Screen()
    alone = {name: value for name, value in values.items() if not isinstance(value, Mapping)}
    _show_group(screen, Settings, alone, origins, "")
    for group, inner in values.items():
        if isinstance(inner, Mapping):
            screen.print()
            screen.say((f"[{group}]", "bold"))
            _show_group(screen, type(getattr(Settings.model_construct(), group)), inner, origins, f"{group}.")


def _show_group(
    screen: Screen, model: type[BaseModel], values: Mapping[str, Any], origins: Mapping[str, str], prefix: str
) -> None:
    for name, value in values.items():
        origin, purpose = origins[prefix + name], model.model_fields[name].description
        line = f"{name} = {_literal(value)}"
        line = line if value not in (None, HIDDEN) else f"# {line}"  # what TOML cannot say, or should not
        remark = f"  # {origin}; {purpose}" if purpose else f"  # {origin}"
        screen.say((f"{line:<30}", "dim" if origin == "default" else "bold"), (remark, "dim"))


def _literal(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)
