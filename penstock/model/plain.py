"""Values of the model as JSON, by their fields: a field that is added later is written and read without a change here.

A row is a value's fields in the order in which they are declared, a span as two numbers: short, for what is stored a
million times. Fields come to a value at its end and with a default, so that rows which were written before can be read.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from penstock.model.documents import Box, Span

ValueT = TypeVar("ValueT")


@cache
def types_of(kind: type) -> Mapping[str, Any]:
    """The fields of a value, in order, and their types."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def row_of(value: Any) -> list[Any]:
    """A value as a row.

    >>> from penstock.model import Block, Place
    >>> row_of(Block(kind="list", span=Span(4, 6), places=(Place(page=2, box=Box(0, 0, 1, 1)),), level=1))
    ['list', 4, 6, [[2, [0, 0, 1, 1], '']], 1]
    """
    row: list[Any] = []
    kind: type = type(value)
    for name in types_of(kind):
        held = getattr(value, name)
        if type(held) is Span:
            row += held
        elif type(held) is tuple:
            row.append([row_of(item) if is_dataclass(item) else item for item in held])
        else:
            row.append(list(held) if type(held) is Box else held)
    return row


def value_of(kind: type[ValueT], row: Sequence[Any]) -> ValueT:
    """The value of a row that was written here, by this version or one before it; nothing in it is checked.

    Raises:
        ValueError: the row has more fields than the value.
    """
    read: Callable[[Sequence[Any]], ValueT] = _reader(kind)  # type: ignore[arg-type] # every type is hashable
    return read(row)


def object_of(value: Any) -> Any:
    """A value as an object with the names of its fields as keys; times in ISO 8601, sets in order."""
    if is_dataclass(value):
        return {field.name: object_of(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: object_of(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [object_of(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value


@cache
def _reader(kind: type) -> Callable[[Sequence[Any]], Any]:
    types = types_of(kind)
    flat = tuple(types.values()).index(Span) if Span in types.values() else None
    read = {name: _part_reader(annotation) for name, annotation in types.items()}

    def value(row: Sequence[Any]) -> Any:
        if flat is not None:
            row = [*row[:flat], row[flat : flat + 2], *row[flat + 2 :]]
        if len(row) > len(read):
            raise ValueError(f"a row of {len(row)} fields, of which {kind.__name__} has {len(read)}")
        return kind(
            **{name: made(item) if made else item for (name, made), item in zip(read.items(), row, strict=False)}
        )

    return value


def _part_reader(annotation: Any) -> Callable[[Any], Any] | None:
    """The function that builds a field from its JSON value; None where the value needs none."""
    if annotation is Span:
        return lambda held: Span(*held)
    if Box in (annotation, *get_args(annotation)):
        return lambda held: Box(*held) if held else None
    if get_origin(annotation) is tuple:
        (item_type, _) = get_args(annotation)
        if is_dataclass(item_type):
            return lambda held: tuple(map(_reader(item_type), held))  # type: ignore[arg-type] # a class
        return tuple
    return None
