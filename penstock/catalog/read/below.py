"""Looks up what is known at an address and below it, by the prefix of URIs, which an index gives in order."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from sqlalchemy import ColumnElement, Select, and_, func, select

from penstock.catalog.database.database import Database, pages
from penstock.catalog.database.schema import LIVE, belongs, quarantine, sources

Conditions = tuple[ColumnElement[bool], ...]

AT_ONCE = 1000
"""URIs of one page."""
_AFTER_SLASH = "0"
"""The character after `/`: addresses below FOLDER lie between `FOLDER/` and `FOLDER0`."""


def at_or_below(column: ColumnElement[str], folder: str) -> ColumnElement[bool]:
    """Whether an address is the folder's own or lies in it, however deep."""
    return (column == folder) | below(column, folder)


def below(column: ColumnElement[str], folder: str, after: str = "") -> ColumnElement[bool]:
    """Whether an address lies in the folder, however deep, and sorts after `after`, the last address of a page."""
    inside = folder.removesuffix("/")  # one lower bound: of two, SQLite begins at the first
    return and_(column > (after or f"{inside}/"), column < f"{inside}{_AFTER_SLASH}")


def outermost(addresses: Iterable[str]) -> list[str]:
    """The addresses without those that lie below another one.

    >>> outermost(["file:///a/b", "file:///a.txt", "file:///a", "file:///a"])
    ['file:///a', 'file:///a.txt']
    """
    kept: dict[str, None] = {}
    for address in sorted(set(addresses), key=lambda address: address.split("/")):
        last = next(reversed(kept), None)
        if last is None or not address.startswith(last.removesuffix("/") + "/"):
            kept[address] = None
    return list(kept)


def live_uris(database: Database, collection: int, addresses: Sequence[str] | None = None) -> Iterator[str]:
    """URIs of live sources at these addresses and below, or of all, streamed."""
    yield from _uris(database, sources.c.uri, _live(collection), addresses)


def known_uris(database: Database, collection: int, addresses: Sequence[str] | None = None) -> Iterator[str]:
    """The same, and then the URIs of sources in quarantine that were never read."""
    yield from live_uris(database, collection, addresses)
    yield from _uris(database, quarantine.c.uri, _only_tried(collection), addresses)


def known_count(database: Database, collection: int) -> int:
    """How many URIs `known_uris` gives."""
    with database.read() as connection:
        return sum(
            connection.execute(select(func.count()).where(*conditions)).scalar_one()
            for conditions in (_live(collection), _only_tried(collection))
        )


def _live(collection: int) -> Conditions:
    return belongs(sources, collection), sources.c.removed_rev == LIVE


def _only_tried(collection: int) -> Conditions:
    read = select(sources.c.row).where(*_live(collection), sources.c.uri == quarantine.c.uri)
    return belongs(quarantine, collection), ~read.exists()


def _uris(
    database: Database, uri: ColumnElement[str], conditions: Conditions, addresses: Sequence[str] | None
) -> Iterator[str]:
    query = select(uri).where(*conditions).order_by(uri)
    if addresses is None:
        yield from _streamed(database, lambda last: query.where(uri > last) if last else query)
        return
    tops = outermost(addresses)
    for page in pages(tops):
        with database.read() as connection:
            there = connection.scalars(query.where(uri.in_(page))).all()
        yield from there
    for top in tops:
        yield from _streamed(database, partial(_after, query, uri, top))


def _after(query: Select[tuple[str]], uri: ColumnElement[str], folder: str, last: str) -> Select[tuple[str]]:
    return query.where(below(uri, folder, last))


def _streamed(database: Database, query: Callable[[str], Select[tuple[str]]]) -> Iterator[str]:
    """The results of a query, page by page; `query` gets the last result of the page before."""
    last = ""
    while True:
        with database.read() as connection:
            found = connection.scalars(query(last).limit(AT_ONCE)).all()
        yield from found
        if len(found) < AT_ONCE:
            return
        last = found[-1]
