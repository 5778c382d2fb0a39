"""Which options of parts a person is shown: those that the part itself does not take for secrets."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Secret

from penstock import registry
from penstock.registry import Group
from penstock.settings import Settings
from penstock.settings.options import OPTIONS, plain

HIDDEN = "**********"
"""Replaces a secret; pydantic's own mark."""
Shown = Mapping[str, Any]


def revealed(settings: Settings) -> dict[str, Shown]:
    """The options of each group as they may be shown, by the group's name; only those that are set.

    What a part of another distribution takes for a secret, its code alone says. That is not run for a file that nobody
    trusts: everything is hidden then.
    """
    allowed = settings.allow_external and not settings.are_refused
    alone: tuple[tuple[Group, str], ...] = (("chunkers", "chunker"), ("embedders", "embedder"), ("llms", "llm"))
    several: tuple[tuple[Group, str], ...] = (("indexers", "indexes"), ("loaders", "loaders"))
    shown: dict[str, Shown] = {}
    for group, name in alone:
        part = getattr(settings, name)
        shown[name] = _open(group, part.name, part.options, allowed)
    for group, name in several:
        options = getattr(settings, name).options
        shown[name] = {part: _open(group, part, options[part], allowed) for part in options}
    return {name: options for name, options in shown.items() if options}


def _open(group: Group, name: str, options: Mapping[str, Secret[Any]], allowed: bool) -> Shown:
    hidden = registry.hidden(group, name, options, allow_external=allowed)
    return {option: HIDDEN if option in hidden else value for option, value in plain(options).items()}


def one_by_one(values: Mapping[str, Any], *, by_part: bool) -> Iterator[tuple[str, Any]]:
    """The settings of a group, each option apart: `options.NAME.key` of groups that have options `by_part`.

    >>> dict(one_by_one({"name": "toy", "options": {"url": "http://a"}}, by_part=False))
    {'name': 'toy', 'options.url': 'http://a'}
    """
    for name, value in values.items():
        if name != OPTIONS:
            yield name, value
        elif by_part:
            yield from (
                (f"{name}.{part}.{option}", inner) for part, own in value.items() for option, inner in own.items()
            )
        else:
            yield from ((f"{name}.{option}", inner) for option, inner in value.items())
