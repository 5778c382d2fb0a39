"""Filters as plain dictionaries, and several filters as one: a call never widens what its retriever may see."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from fnmatch import fnmatchcase
from functools import reduce
from typing import Any

from penstock.errors import UnknownName, UsageError
from penstock.model import Filter, Labels

Where = Filter | Mapping[str, Any]
"""A filter, or its fields by name."""

NO_SOURCE = ("",)
"""Represents conditions that cannot all hold: no source has an empty address."""
_WILD = frozenset("*?[")
MOST_JOINED = 1_000_000
"""Pairs of values of two filters that are compared, where some of them are patterns."""


def filter_of(where: Where | None) -> Filter:
    """The filter that a dictionary describes, by the names of the fields of `Filter`.

    One text means a list of one, one page a range, and dates may be ISO texts; those without a zone are UTC.

    >>> filter_of({"languages": "zh", "pages": 3}).pages
    (3, 3)

    Raises:
        UnknownName: there is no such condition; lists those that there are.
        UsageError: a value is not of the kind that its condition takes.
    """
    if where is None:
        return Filter()
    if isinstance(where, Filter):
        return where
    for name in where:
        if name not in _READERS:
            raise UnknownName("condition", str(name), _READERS)
    return Filter(**{name: _READERS[name](name, value) for name, value in where.items()})


def all_of(filters: Iterable[Filter]) -> Filter:
    """A filter that lets through what each of them lets through.

    Raises:
        UsageError: two patterns on the same field, which one filter cannot join.
    """
    return reduce(_both, filters, Filter())


def _both(left: Filter, right: Filter) -> Filter:
    common = {name: _common(name, getattr(left, name), getattr(right, name)) for name in _LISTS}
    labels = {**left.labels, **right.labels}
    pages = _overlap(left.pages, right.pages)
    conflicts = any(labels[name] != value for name, value in left.labels.items()) or (pages and pages[0] > pages[1])
    if conflicts or any(values == () and getattr(left, name) for name, values in common.items()):
        return Filter(sources=NO_SOURCE)
    return Filter(
        **common,
        labels=labels,
        pages=pages,
        modified_from=_chosen(max, left.modified_from, right.modified_from),
        modified_before=_chosen(min, left.modified_before, right.modified_before),
        principals=_shared(left.principals, right.principals),
    )


def _common(field: str, lefts: tuple[str, ...], rights: tuple[str, ...]) -> tuple[str, ...]:
    """What fits a value of either list; patterns are joined with addresses, and not with other patterns."""
    if not lefts or not rights:
        return lefts or rights
    if all(map(_WILD.isdisjoint, (*lefts, *rights))) or field == "languages":
        shared = frozenset(rights)
        return tuple(dict.fromkeys(value for value in lefts if value in shared))
    if len(lefts) * len(rights) > MOST_JOINED:
        raise UsageError(f"{len(lefts)} and {len(rights)} patterns on {field} cannot be joined; give fewer of them")
    found: list[str] = []
    for left in lefts:
        for right in rights:
            if left == right:
                found.append(left)
            elif not _WILD.isdisjoint(left) and not _WILD.isdisjoint(right):
                raise UsageError(
                    f"the patterns {left!r} and {right!r} on {field} cannot be joined; give one pattern for both"
                )
            elif fnmatchcase(right, left):
                found.append(right)
            elif fnmatchcase(left, right):
                found.append(left)
    return tuple(dict.fromkeys(found))


def _overlap(left: tuple[int, int] | None, right: tuple[int, int] | None) -> tuple[int, int] | None:
    if left is None or right is None:
        return left or right
    return max(left[0], right[0]), min(left[1], right[1])


def _chosen(
    choose: Callable[[datetime, datetime], datetime], left: datetime | None, right: datetime | None
) -> datetime | None:
    return choose(left, right) if left and right else left or right


def _shared(left: frozenset[str] | None, right: frozenset[str] | None) -> frozenset[str] | None:
    if left is None or right is None:
        return right if left is None else left
    return left & right


def texts(name: str, value: Any) -> tuple[str, ...]:
    """One text or several.

    Raises:
        UsageError: something else.
    """
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Iterable) and not isinstance(value, Mapping):
        found = tuple(value)
        if all(isinstance(text, str) for text in found):
            return found or NO_SOURCE  # nothing is among no values
    raise UsageError(f"{name}: {value!r} is neither a text nor a list of texts")


def pages_of(name: str, value: Any) -> tuple[int, int]:
    """A page, or the first and the last of a range.

    Raises:
        UsageError: something else, or a range that is none.
    """
    found = (value, value) if isinstance(value, int) else value
    if isinstance(found, Sequence) and len(found) == 2 and all(type(page) is int for page in found):
        first, last = found
        if 1 <= first <= last:
            return first, last
    raise UsageError(f"{name}: {value!r} is neither a page nor a range such as [3, 7]; pages count from 1")


def moment(name: str, value: Any) -> datetime:
    """A point in time; a date is its first moment, and what names no zone is UTC.

    Raises:
        UsageError: it is none.
    """
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if isinstance(found, date) and not isinstance(found, datetime):
        found = datetime.combine(found, time())
    if not isinstance(found, datetime):
        raise UsageError(f"{name}: {value!r} is no date such as 2026-03-31 and no datetime")
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _labels(name: str, value: Any) -> Labels:
    if isinstance(value, Mapping) and all(
        isinstance(key, str) and isinstance(label, str | int | float) for key, label in value.items()
    ):
        return dict(value)
    raise UsageError(f"{name}: {value!r} does not give names a text or a number each")


def _principals(name: str, value: Any) -> frozenset[str]:
    if value is None:
        raise UsageError(f"{name}: None would show everything; leave it out if that is meant, or give [] for nobody")
    return frozenset() if value in ((), [], set(), frozenset()) else frozenset(texts(name, value))


_LISTS = ("sources", "media_types", "languages")
_READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "sources": texts,
    "labels": _labels,
    "media_types": texts,
    "languages": texts,
    "pages": pages_of,
    "modified_from": moment,
    "modified_before": moment,
    "principals": _principals,
}
