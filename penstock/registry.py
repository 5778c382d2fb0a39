"""Lookup by name: parts of Penstock are entry points, loaded when they are asked for and not before; made with options.

The built-in parts are in the same table of entry points as those of other distributions; a test compares that table
with the folders. Parts of other distributions are only used when the caller allows it: loading runs their code.
"""

import inspect
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from penstock.errors import MissingExtra, SettingsError, UnknownName, UsageError
from penstock.model import Blueprint

if TYPE_CHECKING:  # a process that parses with parts without options has no use for it
    from pydantic import BaseModel, ValidationError

Group = Literal["loaders", "chunkers", "indexers", "embedders", "llms", "sources"]

ValueT = TypeVar("ValueT")

OURS = "penstock"
EXTRAS: Mapping[tuple[Group, str], str] = {
    ("indexers", "elasticsearch"): "elasticsearch",
    ("embedders", "sentence-transformers"): "sentence-transformers",
    ("loaders", "unstructured"): "unstructured",
}
"""Parts that need an extra, and its name."""
OPTIONS: Mapping[Group, str] = {
    "loaders": "loaders.options.{name}",
    "chunkers": "chunker.options",
    "indexers": "indexes.options.{name}",
    "embedders": "embedder.options",
    "llms": "llm.options",
    "sources": "connectors.options.{name}",
}
"""The setting that holds the options of a part."""


@cache
def _found(group: Group) -> Mapping[str, tuple[EntryPoint, ...]]:
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for point in entry_points(group=f"penstock.{group}"):
        if all(point.value != known.value for known in found.get(point.name, ())):
            found[point.name] = (*found.get(point.name, ()), point)
    return found


def names(group: Group) -> tuple[str, ...]:
    """Names of all installed parts of a group, sorted."""
    return tuple(sorted(_found(group)))


def of_others(group: Group) -> Mapping[str, str]:
    """Names of the parts that other distributions bring, and of those distributions; nothing is imported."""
    found = {name: _distribution(points[0]) for name, points in _found(group).items()}
    return {name: found[name] for name in sorted(found) if found[name] != OURS}


def named(group: Group, options: Mapping[str, Mapping[str, ValueT]]) -> dict[str, dict[str, ValueT]]:
    """Options by the names of installed parts; variables of the environment have `_` for the `-` of a name.

    Raises:
        UnknownName: a part of that name is not installed.
    """
    exact = {_folded(name): name for name in names(group)}
    found: dict[str, dict[str, ValueT]] = {}
    for name in sorted(options, key=lambda name: name in exact.values()):
        if _folded(name) not in exact:
            raise UnknownName(_singular(group), name, names(group))
        found.setdefault(exact[_folded(name)], {}).update(options[name])
    return found


def _folded(name: str) -> str:
    return name.replace("-", "_").lower()


def load(group: Group, name: str, *, allow_external: bool = False) -> Any:
    """The class or factory behind a name; its module is imported now.

    Raises:
        UnknownName: nothing of that name is installed.
        SettingsError: two distributions claim the name, or it is another distribution's and those are not allowed.
        MissingExtra: the part's libraries are not installed.
    """
    points = _found(group).get(name, ())
    if not points:
        raise UnknownName(_singular(group), name, names(group))
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


def make(
    group: Group,
    name: str,
    *positional: Any,
    offered: Mapping[str, Any],
    options: Mapping[str, Any],
    allow_external: bool = False,
) -> Any:
    """The part of that name, made with what its signature names of `offered`, and with its own options.

    Raises:
        SettingsError: it takes no such options, or their values are not allowed; says which setting, and what is.
        UnknownName, MissingExtra: as `load`.
    """
    part = load(group, name, allow_external=allow_external)
    place = OPTIONS[group].format(name=name)
    arguments = {**_taken(part, offered), **_checked(part, f"the {_singular(group)} {name!r}", place, offered, options)}
    try:
        inspect.signature(part).bind(*positional, **arguments)
    except TypeError as error:
        raise SettingsError(
            f"the {_singular(group)} {name!r} cannot be made with what it is given: {error}; see its port"
        ) from error
    return part(*positional, **arguments)


def hidden(group: Group, name: str, options: Collection[str], *, allow_external: bool) -> frozenset[str]:
    """Those of the options that nobody is shown: secrets, and all of a part whose code is not run or not there."""
    try:
        model = _options_of(load(group, name, allow_external=allow_external))
    except (UsageError, ImportError):
        return frozenset(options)
    fields = model.model_fields if model else {}
    return frozenset(option for option in options if option not in fields or _is_secret(fields[option].annotation))


def _is_secret(annotation: Any) -> bool:
    """Whether a secret is somewhere in the type: also one that may be None, and one in a list."""
    from pydantic import BaseModel, Secret, SecretBytes, SecretStr

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return any(_is_secret(field.annotation) for field in annotation.model_fields.values())
    plain = getattr(annotation, "__origin__", annotation)
    if isinstance(plain, type) and issubclass(plain, Secret | SecretStr | SecretBytes):
        return True
    return any(map(_is_secret, get_args(annotation)))


def _taken(part: Any, offered: Mapping[str, Any]) -> dict[str, Any]:
    named = inspect.signature(part).parameters
    return {name: value for name, value in offered.items() if name in named}


def _options_of(part: Any) -> "type[BaseModel] | None":
    model: type[BaseModel] | None = getattr(part, "Options", None)
    return model


def _checked(
    part: Any, label: str, place: str, offered: Mapping[str, Any], options: Mapping[str, Any]
) -> dict[str, Any]:
    """The part's own options as its model has validated them."""
    model = _options_of(part)
    known = model.model_fields if model else {}
    takes = f"it takes {', '.join(sorted(known))}" if known else "it takes none"
    unknown = [f"{place}.{name}" for name in options if name not in known]
    if unknown:
        raise SettingsError(f"{label} has no option {', '.join(unknown)}; {takes}")
    if model is None:
        return {}
    from pydantic import ValidationError

    try:
        valid = model.model_validate({**{name: offered[name] for name in known if name in offered}, **options})
    except ValidationError as error:
        wrong = "; ".join(_wrong(error, place))
        raise SettingsError(f"{label} cannot be made: {wrong}; {takes}") from None  # the error holds what was given
    return {name: getattr(valid, name) for name in known}


def _wrong(error: "ValidationError", place: str) -> Iterable[str]:
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        name = ".".join((place, *map(str, problem["loc"])))
        yield f"{name}: {problem['msg'].removeprefix('Value error, ')}"


def _singular(group: Group) -> str:
    return group.removesuffix("s")


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "an unnamed distribution"


def build(blueprint: Blueprint) -> Any:
    """The part that a blueprint describes; the module of its factory is imported now."""
    module, _, name = blueprint.factory.partition(":")
    return getattr(import_module(module), name)(**blueprint.options)
