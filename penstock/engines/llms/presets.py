"""Servers and vendors that speak the OpenAI wire format, as data: `presets.toml` beside this module."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType

from penstock.errors import UnknownName

TABLE = Path(__file__).with_name("presets.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """What has to be known of a server to call it; each field can be overridden by a setting."""

    name: str
    title: str
    base_url: str
    key_variable: str
    """Environment variable in which the vendor's own tools look for the key; empty for servers that need none."""
    model: str
    """Model that is asked where no other is named; empty for servers that serve what their owner loaded."""
    context_tokens: int
    """Context window of `model`; for local servers their usual default, which their owner may have changed."""
    docs: str
    checked: date
    """When these facts were last compared with public documentation."""
    note: str = ""

    @property
    def needs_key(self) -> bool:
        """Whether a call without a key is refused."""
        return bool(self.key_variable)


@cache
def presets() -> Mapping[str, Preset]:
    """All presets by name, in the order of the table."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return MappingProxyType({name: Preset(name=name, **fields) for name, fields in table.items()})


def preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        UnknownName: there is none.
    """
    try:
        return presets()[name]
    except KeyError:
        raise UnknownName("preset", name, presets()) from None


def key_of(name: str, key: str | None, environ: Mapping[str, str], *, base_url: str = "") -> str | None:
    """The key to call a preset with: the given one, else what the vendor's own variable holds, else None.

    A vendor's variable is only read for the vendor's own server: with another `base_url` its key would go astray.

    Raises:
        UnknownName: there is no such preset.
    """
    if key or not name:
        return key or None
    known = preset(name)
    ours = known.needs_key and base_url in ("", known.base_url)
    return environ.get(known.key_variable) or None if ours else None
