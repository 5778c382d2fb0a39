"""Lookup by name: parts of Penstock are entry points, loaded when they are asked for and not before.

The built-in parts stand in the same table of entry points as those of other distributions; a test holds that table to
the folders. Parts of other distributions are only used when the caller allows it, because loading runs their code.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from penstock.errors import MissingExtra, SettingsError, UnknownName
from penstock.model import Blueprint

Group = Literal["loaders", "chunkers", "indexers", "embedders", "llms"]

OURS = "penstock"
EXTRAS: Mapping[tuple[Group, str], str] = {
    ("indexers", "elasticsearch"): "elasticsearch",
    ("embedders", "sentence-transformers"): "sentence-transformers",
    ("loaders", "unstructured"): "unstructured",
}
"""Parts that need an extra, and its name."""


@cache
def _found(group: Group) -> Mapping[str, tuple[EntryPoint, ...]]:
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for point in entry_points(group=f"penstock.{group}"):
        if all(point.value != other.value for other in found.get(point.name, ())):
            found[point.name] = (*found.get(point.name, ()), point)
    return found


def names(group: Group) -> tuple[str, ...]:
    """Names of all installed parts of a group, sorted."""
    return tuple(sorted(_found(group)))


def of_others(group: Group) -> Mapping[str, str]:
    """Names of the parts that other distributions bring, and of those distributions; nothing is imported."""
    found = {name: _distribution(points[0]) for name, points in _found(group).items()}
    return {name: found[name] for name in sorted(found) if found[name] != OURS}


def load(group: Group, name: str, *, allow_external: bool = False) -> Any:
    """The class or factory that a name stands for; its module is imported now.

    Raises:
        UnknownName: nothing of that name is installed.
        SettingsError: two distributions claim the name, or it is another distribution's and those are not allowed.
        MissingExtra: the part's libraries are not installed.
    """
    points = _found(group).get(name, ())
    if not points:
        raise UnknownName(group.removesuffix("s"), name, names(group))
    if len(points) > 1:
        claimed = " and ".join(sorted(_distribution(point) for point in points))
        raise SettingsError(f"{group} {name!r} is claimed by {claimed}; uninstall one of them")
    (point,) = points
    if _distribution(point) != OURS and not allow_external:
        raise SettingsError(
            f"{group} {name!r} comes from the distribution {_distribution(point)!r}, whose code is only run when "
            "allow_external is set (PENSTOCK_ALLOW_EXTERNAL=true)"
        )
    try:
        return point.load()
    except ModuleNotFoundError as error:
        if (group, name) in EXTRAS:
            raise MissingExtra(f"{name!r} of {group}", EXTRAS[group, name]) from error
        raise


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "an unnamed distribution"


def build(blueprint: Blueprint) -> Any:
    """The part that a blueprint describes; the module of its factory is imported now."""
    module, _, name = blueprint.factory.partition(":")
    return getattr(import_module(module), name)(**blueprint.options)
