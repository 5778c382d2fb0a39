"""A `Filter` as SQL: conditions on sources, conditions on chunks, and the pages that SQL cannot tell exactly."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, exists, or_

from penstock.catalog.database.dialect import matches
from penstock.catalog.database.encoding import label_key, microseconds, short
from penstock.catalog.database.schema import chunks, source_access, source_labels, sources
from penstock.model import Filter, Place


def source_conditions(where: Filter) -> list[ColumnElement[bool]]:
    """What one and the same source must fulfil; empty where the filter asks nothing of sources."""
    table = sources.c
    found: list[ColumnElement[bool]] = []
    if where.sources:
        # An address may itself hold `?` or `[`: it always matches itself.
        found.append(or_(table.uri.in_(where.sources), *_globs(table.uri, where.sources)))
    if where.media_types:
        kinds = [kind.lower() for kind in where.media_types]
        found.append(or_(table.media_type.in_(kinds), *_globs(table.media_type, kinds)))
    if where.modified_from is not None:
        found.append(table.modified >= microseconds(where.modified_from))
    if where.modified_before is not None:
        found.append(table.modified < microseconds(where.modified_before))
    if where.principals is not None:
        found.append(_visible(sorted(where.principals)))
    found += [_labelled(name, value) for name, value in where.labels.items()]
    return found


def chunk_conditions(where: Filter) -> list[ColumnElement[bool]]:
    """What a chunk must fulfil. For pages this lets through too much: `on_pages` decides."""
    table = chunks.c
    found: list[ColumnElement[bool]] = []
    if where.languages:
        found.append(table.language.in_(where.languages))
    if where.pages is not None:
        first, last = where.pages
        found += [table.first_page <= last, table.last_page >= first]
    return found


def on_pages(places: Sequence[Place], pages: tuple[int, int] | None) -> bool:
    """Whether a chunk with these places lies on one of the pages."""
    return pages is None or any(pages[0] <= place.page <= pages[1] for place in places)


def _globs(column: ColumnElement[str], patterns: Sequence[str]) -> list[ColumnElement[bool]]:
    globs = [pattern for pattern in patterns if any(sign in pattern for sign in "*?[")]
    return [matches(column, *globs)] if globs else []


def _labelled(name: str, value: Any) -> ColumnElement[bool]:
    table = source_labels.c
    return exists().where(table.source == sources.c.row, table.name == short(name), table.value == label_key(value))


def _visible(principals: Sequence[str]) -> ColumnElement[bool]:
    table = source_access.c
    mine = exists().where(table.source == sources.c.row, table.principal.in_(map(short, principals)))
    return or_(sources.c.access == "[]", mine)
