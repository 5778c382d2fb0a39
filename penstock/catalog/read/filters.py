"""A `Filter` as SQL: conditions on sources, conditions on chunks, and pages, which SQL cannot decide exactly."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, case, exists, func, literal, or_, select

from penstock.catalog.database.dialect import ExactText, matches
from penstock.catalog.database.encoding import dump, label_key, microseconds, short
from penstock.catalog.database.schema import LIVE, addresses, chunks, source_access, source_labels, sources
from penstock.model import Filter, Place


def source_conditions(where: Filter, *, past: bool = False) -> list[ColumnElement[bool]]:
    """The conditions that a single source must fulfil; empty where the filter has none on sources.

    At a `past` revision a reader sees what was visible then and still is: a restriction holds in all revisions.
    """
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
        found.append(_visible(sources, sorted(where.principals)))
        found += _seen_today(sorted(where.principals)) if past else ()
    found += [_labelled(name, value) for name, value in where.labels.items()]
    return found


def chunk_conditions(where: Filter) -> list[ColumnElement[bool]]:
    """The conditions that a chunk must fulfil. For pages they let through too much: `on_pages` decides."""
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


def _visible(of: FromClause, principals: Sequence[str]) -> ColumnElement[bool]:
    table = source_access.c
    mine = exists().where(table.source == of.c.row, table.principal.in_(map(short, principals)))
    return or_(of.c.access == "[]", mine)


def _seen_today(principals: Sequence[str]) -> Sequence[ColumnElement[bool]]:
    """Whether the source is visible now; a removed source as it was last, and by the access given to it since."""
    now, same = sources.alias(), sources.alias()
    last = select(func.max(same.c.row)).where(same.c.collection == sources.c.collection, same.c.uri == sources.c.uri)
    is_live = exists().where(
        same.c.collection == sources.c.collection, same.c.uri == sources.c.uri, same.c.removed_rev == LIVE
    )
    given, later = addresses.alias(), addresses.alias()
    after = or_(
        later.c.run > given.c.run,
        and_(later.c.run == given.c.run, func.length(later.c.uri) > func.length(given.c.uri)),
    )
    named = [func.replace(given.c.access, dump(principal), "") != given.c.access for principal in principals]
    closed = exists().where(
        _at_or_above(given),
        given.c.access != "[]",
        ~or_(*named) if named else literal(True),
        ~exists().where(_at_or_above(later), after),
    )
    seen = exists().where(now.c.row == last.correlate(sources).scalar_subquery(), _visible(now, principals))
    return seen, or_(is_live, ~closed)


def _at_or_above(given: FromClause) -> ColumnElement[bool]:
    """Whether an address is that of the source, or of a folder that it lies in."""
    root = literal("file:///", ExactText)
    inside = case((given.c.uri == root, literal("file://", ExactText)), else_=given.c.uri)
    below = and_(
        given.c.uri >= root,
        given.c.uri < literal("file://0", ExactText),
        sources.c.uri > inside + literal("/", ExactText),
        sources.c.uri < inside + literal("0", ExactText),  # the character after a slash
    )
    return and_(given.c.collection == sources.c.collection, or_(given.c.uri == sources.c.uri, below))
