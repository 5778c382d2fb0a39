"""Filters as frameworks give them, conditions joined by and, or, not: as one `Filter`, or a clear refusal."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import Any, Literal

from penstock.errors import UsageError
from penstock.integrations.filters import NO_SOURCE, all_of, moment, texts
from penstock.limits import LAST_PAGE
from penstock.model import Filter

Joint = Literal["and", "or", "not"]
LABELS = "labels."
"""Prefix of the name of a label."""
TICK = timedelta(microseconds=1)
"""The resolution of times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One comparison of a field of the metadata."""

    field: str
    operator: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """Conditions, and groups of them, joined."""

    joint: Joint
    members: tuple["Condition | Combination", ...]


def filter_by(tree: Condition | Combination) -> Filter:
    """The filter that lets through exactly what the conditions do.

    Raises:
        UsageError: no filter says this; the message says which part, and what can be said.
    """
    if isinstance(tree, Condition):
        return _one(tree)
    if tree.joint == "and" or (tree.joint == "or" and len(tree.members) == 1):
        return all_of(map(filter_by, tree.members))
    if tree.joint == "or":
        return _one(_either(tree))
    raise UsageError("filters cannot be negated; say what may be found instead of what may not")


def _either(group: Combination) -> Condition:
    """Alternatives as one condition: possible where all of them name values of one field."""
    members = [_alone(member) for member in group.members]
    fields = {member.field for member in members}
    if len(fields) == 1 and all(member.operator in ("==", "in") for member in members):
        values = chain.from_iterable(_values(member) for member in members)
        return Condition(field=fields.pop(), operator="in", value=list(values))
    raise UsageError("'or' can only join values of one field, with == or in; ask once for each of the others")


def _alone(member: Condition | Combination) -> Condition:
    while isinstance(member, Combination) and len(member.members) == 1 and member.joint != "not":
        (member,) = member.members
    if isinstance(member, Combination):
        raise UsageError("'or' can only join single conditions; ask once for each group")
    return member


def _values(condition: Condition) -> list[Any]:
    if condition.operator == "==":
        return [condition.value]
    if isinstance(condition.value, str) or not isinstance(condition.value, Iterable):
        raise UsageError(f"{condition.field}: 'in' takes a list, not {condition.value!r}")
    return list(condition.value)


def _one(condition: Condition) -> Filter:
    field = condition.field
    if field.startswith(LABELS):
        return _label(condition)
    if field not in FIELDS:
        raise UsageError(
            f"filters cannot ask for {field!r}; known: {', '.join(map(repr, FIELDS))}, and '{LABELS}NAME' for a label"
        )
    return FIELDS[field](condition)


def _refused(condition: Condition, allowed: str) -> UsageError:
    return UsageError(f"{condition.field!r} cannot be compared by {condition.operator!r}; allowed: {allowed}")


def _label(condition: Condition) -> Filter:
    if condition.operator not in ("==", "in"):
        raise _refused(condition, "'==' with one value")
    values = _values(condition)
    if not values:
        return Filter(sources=NO_SOURCE)
    if len(set(values)) > 1 or not isinstance(values[0], str | int | float):
        raise UsageError(f"{condition.field!r} can be compared with one text or number, not with {condition.value!r}")
    return Filter(labels={condition.field.removeprefix(LABELS): values[0]})


def _among(name: str, spelt: Callable[[str], str]) -> Callable[[Condition], Filter]:
    def read(condition: Condition) -> Filter:
        if condition.operator not in ("==", "in"):
            raise _refused(condition, "'==' and 'in'")
        values = texts(condition.field, _values(condition))
        if values == NO_SOURCE:
            return Filter(sources=NO_SOURCE)
        where: dict[str, Any] = {name: tuple(map(spelt, values))}
        return Filter(**where)

    return read


def _exactly(address: str) -> str:
    """A pattern that fits this address alone."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in address)


def _page(condition: Condition) -> Filter:
    numbers = _page_numbers(condition)
    if not numbers:
        return Filter(sources=NO_SOURCE)
    low, high = min(numbers), max(numbers)
    match condition.operator:
        case "==" | "in":
            if high - low + 1 > len(numbers):
                raise UsageError(f"{condition.field!r} can be in one range, not in {condition.value!r}")
            first, last = low, high
        case ">" | ">=":
            first, last = low + (condition.operator == ">"), LAST_PAGE
        case "<" | "<=":
            first, last = 1, low - (condition.operator == "<")
        case _:
            raise _refused(condition, "==, in, >, >=, <, <=")
    return Filter(pages=(max(first, 1), last)) if last >= 1 else Filter(sources=NO_SOURCE)


def _page_numbers(condition: Condition) -> set[int]:
    numbers = _values(condition) if condition.operator == "in" else [condition.value]
    if not all(type(number) is int or (type(number) is float and number.is_integer()) for number in numbers):
        raise UsageError(f"{condition.field!r} is compared with whole numbers, not with {condition.value!r}")
    return {int(number) for number in numbers}


def _modified(condition: Condition) -> Filter:
    when = moment(condition.field, condition.value)
    if condition.operator in (">", ">="):
        return Filter(modified_from=when + TICK if condition.operator == ">" else when)
    if condition.operator in ("<", "<="):
        return Filter(modified_before=when + TICK if condition.operator == "<=" else when)
    raise _refused(condition, ">, >=, <, <=")


FIELDS: Mapping[str, Callable[[Condition], Filter]] = {
    "source": _among("sources", _exactly),
    "media_type": _among("media_types", str),
    "language": _among("languages", str),
    "page": _page,
    "modified": _modified,
}
"""What can be asked for, besides labels."""
