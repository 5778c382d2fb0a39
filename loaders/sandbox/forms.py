"""The forms of the values in an answer: from the types of their fields, each with its bounds.

A form cuts a value to the bounds, on the side that parsed, and checks what came, on the side that believes nothing. A
field whose type is not known here cannot be sent; a field of a known type has bounds, also where nobody set them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from functools import cache
from math import isfinite
from typing import Any, Literal, get_args, get_origin

from penstock.model import Box, Draft, Place, Span
from penstock.model.plain import types_of

MOST_NUMBER = 2**31 - 1
"""The largest page and level: what every database stores as an integer."""
MOST_PLACES = 1000
"""Of a block, and the most values of any other field that holds several."""
LABEL = 1000
"""Characters that a page's label may have, and any other text of which nothing else is said."""
FURTHEST = 100.0
"""Of a box from its page's origin, in pages: what lies farther off is on no page."""
_LEAST: Mapping[tuple[type, str], int] = {(Place, "page"): 1}
"""Numbers that do not begin with 0."""
_LONG = frozenset({(Draft, "headings"), (Draft, "table_header")})
"""Texts, and lists of them, that only the length of their line limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How one type of value is written and read."""

    fit: Callable[[Any], Any]
    """The value within the bounds, in the words of JSON."""
    check: Callable[[Any], Any]
    """The value that was sent; raises ValueError or TypeError where it is none, or not within the bounds."""


@cache
def form_of(kind: type) -> Form:
    """The form of a value with fields: a row, as `penstock.model.plain` says."""
    types = types_of(kind)
    forms = {name: _form(annotation, kind, name) for name, annotation in types.items()}
    flat = next((place for place, field in enumerate(types.values()) if field is Span), None)

    def fit(value: Any) -> list[Any]:
        row = [form.fit(getattr(value, name)) for name, form in forms.items()]
        return row if flat is None else [*row[:flat], *row[flat], *row[flat + 1 :]]

    def check(row: Any) -> Any:
        row = items(row)
        if flat is not None:
            row = [*row[:flat], row[flat : flat + 2], *row[flat + 2 :]]
        return kind(**{name: form.check(item) for (name, form), item in zip(forms.items(), row, strict=True)})

    return Form(fit=fit, check=check)


def text(value: Any, most: int | None = None) -> str:
    """The value, which must be a text of at most `most` characters."""
    if type(value) is not str or (most is not None and len(value) > most):
        raise ValueError(f"no text of at most {most} characters" if most else "no text")
    return value


def number(value: Any, least: int, most: int) -> int:
    """The value, which must be a whole number within the bounds."""
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{str(value)[:100]} is not between {least} and {most}")
    return value


def real(value: Any, least: float, most: float) -> float:
    """The value, which must be a number within the bounds."""
    if type(value) not in (int, float) or not isfinite(value) or not least <= value <= most:
        raise ValueError(f"{str(value)[:100]} is not between {least:g} and {most:g}")
    return float(value)


def items(value: Any, most: int | None = None) -> list[Any]:
    """The value, which must be a list of at most `most` items."""
    if type(value) is not list or (most is not None and len(value) > most):
        raise ValueError(f"no list of at most {most} values" if most else "no list")
    return value


def _form(annotation: Any, owner: type, name: str) -> Form:
    """The form of a field.

    Raises:
        TypeError: nothing says how such a field is bounded.
    """
    if annotation is str:
        longest = None if (owner, name) in _LONG else LABEL
        return Form(fit=lambda held: held[:longest], check=lambda value: text(value, longest))
    if annotation is int:
        least = _LEAST.get((owner, name), 0)
        return Form(fit=lambda held: min(held, MOST_NUMBER), check=lambda value: number(value, least, MOST_NUMBER))
    if annotation is Span:
        return Form(fit=list, check=_span)
    if annotation == Box | None:
        return Form(fit=_fitted_box, check=lambda value: None if value is None else _box(value))
    if get_origin(annotation) is Literal:
        allowed = frozenset(get_args(annotation))
        return Form(fit=lambda held: held, check=lambda value: _member(value, allowed))
    if get_origin(annotation) is tuple:
        (item, _) = get_args(annotation)
        most = None if (owner, name) in _LONG else MOST_PLACES
        form = form_of(item) if is_dataclass(item) else _form(item, owner, name)  # type: ignore[arg-type] # a class
        return Form(
            fit=lambda held: [form.fit(part) for part in held[:most]],
            check=lambda value: tuple(form.check(part) for part in items(value, most)),
        )
    raise TypeError(f"nothing says how {owner.__name__}.{name} is checked")


def _span(value: Any) -> Span:
    start, end = items(value)
    return Span(number(start, 0, MOST_NUMBER), number(end, start, MOST_NUMBER))


def _box(value: Any) -> Box:
    return Box(*(real(side, -FURTHEST, FURTHEST) for side in items(value, 4)))


def _fitted_box(box: Box | None) -> list[float] | None:
    """The box within the bounds; None where a damaged page gave it no measures."""
    if box is None or not all(map(isfinite, box)):
        return None
    return [min(max(side, -FURTHEST), FURTHEST) for side in box]


def _member(value: Any, allowed: frozenset[str]) -> str:
    if type(value) is not str or value not in allowed:
        raise ValueError(f"{str(value)[:200]!r} is none of those that there are")
    return value
