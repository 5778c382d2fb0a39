"""The workspace behind a plug-in: one that the caller opened already, or a new one from the caller's settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.errors import UsageError
from penstock.pipelines.workspace import Penstock
from penstock.settings import Settings, read_settings

GivenSettings = Settings | Mapping[str, Any]
"""Settings as they are, or the ones to set, nested as in `penstock.toml`."""


def opened(
    penstock: Penstock | None,
    *,
    home: str | Path | None = None,
    collection: str | None = None,
    settings: GivenSettings | None = None,
) -> Penstock:
    """The workspace to search in; nothing is read before the first question.

    Raises:
        UsageError: an opened workspace was given, and what to open as well.
        SettingsError: a setting is not known or not allowed.
    """
    if penstock is None:
        return Penstock(home, collection, settings=settings_of(settings))
    if (home, collection, settings) != (None, None, None):
        raise UsageError("give either an opened Penstock, or home, collection and settings to open one with")
    return penstock


def settings_of(settings: GivenSettings | None) -> Settings:
    """The settings in force: environment and `penstock.toml` fill in what was not given.

    Raises:
        SettingsError: a setting is not known or not allowed.
    """
    return settings if isinstance(settings, Settings) else read_settings(**(settings or {}))
