"""What can be set: one tree of settings, built once at the way in and passed on as plain arguments."""

from penstock.settings.described import FIRST_DECIDES, ScheduleSettings, SourceSettings
from penstock.settings.groups import CollectionSettings, ElasticsearchSettings, Legs, LLMSettings
from penstock.settings.tree import (
    Settings,
    leaves,
    needing_trust,
    origins,
    read_settings,
    read_to_show,
    refused,
    tree,
)

__all__ = [
    "FIRST_DECIDES",
    "CollectionSettings",
    "ElasticsearchSettings",
    "LLMSettings",
    "Legs",
    "ScheduleSettings",
    "Settings",
    "SourceSettings",
    "leaves",
    "needing_trust",
    "origins",
    "read_settings",
    "read_to_show",
    "refused",
    "tree",
]
