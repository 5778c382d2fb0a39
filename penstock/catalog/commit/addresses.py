"""The access of addresses: the one last given to each, and those that the sources there have had so far.

An address is the URI of a file, a folder or a page; a folder covers everything below it. The access given in a later
run wins over an earlier one; within one run, the access of the longer address wins.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, exists, func, insert, select

from penstock.catalog.commit.committing import lock_collection
from penstock.catalog.database.database import Database, pages
from penstock.catalog.database.dialect import ExactText
from penstock.catalog.database.encoding import dump
from penstock.catalog.database.schema import LIVE, addresses, belongs, live, revisions, source_access, sources
from penstock.catalog.read.below import AT_ONCE, at_or_below, below, outermost
from penstock.model import Access, narrowest

ROOT = "file:///"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The access given to an address."""

    access: Access | None
    """None where one run gave two that share no reader."""
    run: int


def folders_of(uri: str) -> Iterator[str]:
    """The folders that contain a file, nearest first; none for other URIs: a page covers only itself.

    >>> list(folders_of("file:///hr/pay/may.pdf"))
    ['file:///hr/pay', 'file:///hr', 'file:///']
    """
    while _holds_others(uri) and uri != ROOT:
        uri = uri.rpartition("/")[0]
        uri = ROOT if uri + "/" == ROOT else uri
        yield uri


def last_given(uri: str, given: Mapping[str, Given]) -> Given | None:
    """The access last given to a source: to its own address or to a folder that contains it."""
    return newest_given({address: given[address] for address in (uri, *folders_of(uri)) if address in given})


def newest_given(given: Mapping[str, Given]) -> Given | None:
    """The access that wins, where all of the addresses are the source's own or above it."""
    ranked = [(entry.run, len(address), address) for address, entry in given.items()]
    return given[max(ranked)[2]] if ranked else None


def remember(
    database: Database, key: tuple[int, str], given: Iterable[tuple[str, Access]], *, run: int, longest: int
) -> None:
    """Stores the access that a run gave; `key` is the collection's row and name, `longest` the bytes of an address.

    Raises:
        CatalogError: the database could not be written.
    """
    row, name = key
    by_uri: dict[str, list[Access]] = defaultdict(list)
    for uri, access in given:
        if len(uri.encode("utf-8", "surrogatepass")) <= longest:  # nothing below a longer address can be stored
            by_uri[uri].append(access)
    with database.read() as connection:
        before = _given(connection, row, sorted({address for uri in by_uri for address in (uri, *folders_of(uri))}))
        after = _after(before, by_uri, run)
        if not after or _is_last_word(connection, row, before, by_uri, after):
            return
    with database.write() as connection:
        lock_collection(database, connection, row, name)
        for uri in filter(_holds_others, after):  # access given earlier to addresses below is outdated
            own = and_(belongs(addresses, row), at_or_below(addresses.c.uri, uri), addresses.c.run < run)
            connection.execute(delete(addresses).where(own))
        for page in pages(list(after)):
            connection.execute(delete(addresses).where(belongs(addresses, row), addresses.c.uri.in_(page)))
        connection.execute(insert(addresses), [address_row(row, uri, access, run) for uri, access in after.items()])


def _after(before: Mapping[str, Given], by_uri: Mapping[str, Sequence[Access]], run: int) -> dict[str, Access | None]:
    """The addresses whose access the run changes, with the new access."""
    after: dict[str, Access | None] = {}
    for uri, several in by_uri.items():
        known = before.get(uri)
        if known is not None and known.run > run:
            continue  # a later run gave another access
        same_run = [known.access] if known is not None and known.run == run else []
        access = narrowest([*same_run, *several])
        if known is None or known.run < run or known.access != access:
            after[uri] = access
    return after


def _is_last_word(
    connection: Connection,
    row: int,
    before: Mapping[str, Given],
    by_uri: Mapping[str, Sequence[Access]],
    after: Mapping[str, Access | None],
) -> bool:
    """Whether the last run that gave access to these addresses gave the same, and no later run gave any below them.

    Storing them again would change nothing for any source.
    """
    runs = {before[uri].run if uri in before else None for uri in by_uri}
    last = next(iter(runs))
    if last is None or len(runs) > 1 or any(before[uri].access != access for uri, access in after.items()):
        return False
    if any(given.run > last for given in before.values()):
        return False
    later = select(addresses.c.uri).where(belongs(addresses, row), addresses.c.run >= last)
    return all(
        uri in by_uri
        for top in filter(_holds_others, outermost(by_uri))
        for uri in connection.scalars(later.where(below(addresses.c.uri, top)).limit(len(by_uri) + 1))
    )


def read_given(database: Database, collection: int, uris: Sequence[str] | None = None) -> dict[str, Given]:
    """The access given to all addresses, or to those at or above some URIs."""
    with database.read() as connection:
        return _given(connection, collection, None) if uris is None else given_at(connection, collection, uris)


def _given(connection: Connection, collection: int, wanted: Sequence[str] | None) -> dict[str, Given]:
    query = select(addresses).where(belongs(addresses, collection))
    queries = [query] if wanted is None else [query.where(addresses.c.uri.in_(page)) for page in pages(wanted)]
    return {
        row.uri: Given(access=_read(row.access), run=row.run)
        for page_query in queries
        for row in connection.execute(page_query)
    }


def restricts(database: Database, collection: int) -> bool:
    """Whether there is, or was, a source that not everybody may see."""
    own = exists().where(sources.c.row == source_access.c.source, belongs(sources, collection))
    found = select(source_access.c.source).where(own).limit(1)  # where nothing is restricted, no source is read
    with database.read() as connection:
        return connection.execute(found).first() is not None


def _before(connection: Connection, collection: int, run: int) -> int:
    """The revision before the first of a run; the newest where the run has no revision yet."""
    first = select(func.min(revisions.c.revision)).where(belongs(revisions, collection), revisions.c.run == run)
    found = connection.execute(first).scalar_one()
    return LIVE - 1 if found is None else int(found) - 1


def access_of_removed(database: Database, collection: int, uris: Sequence[str] | None = None) -> dict[str, Access]:
    """The last access of removed sources, all or some; without those that everybody could see."""
    wanted = [()] if uris is None else [(sources.c.uri.in_(page),) for page in pages(sorted(uris))]
    with database.read() as connection:
        return {
            row.uri: _read(row.access) or frozenset()
            for conditions in wanted
            for row in connection.execute(
                _latest(collection, *conditions).where(sources.c.removed_rev != LIVE, sources.c.access != "[]")
            )
        }


def gone_query(collection: int) -> Select[Any]:
    """Removed sources that not everybody could see, as they were last."""
    last = select(func.max(sources.c.row)).where(belongs(sources, collection)).group_by(sources.c.uri)
    closed = sources.c.row.in_(last), sources.c.removed_rev != LIVE, sources.c.access != "[]"
    return select(sources).where(*closed).order_by(sources.c.row)


def address_row(collection: int, uri: str, access: Access | None, run: int) -> dict[str, Any]:
    """The access given to an address as columns."""
    return {"collection": collection, "uri": uri, "access": _dumped(access), "run": run}


def last_access(connection: Connection, collection: int, uris: Sequence[str]) -> dict[str, Access]:
    """The present or last access of the sources of some URIs; at most a page of them."""
    found = connection.execute(_latest(collection, sources.c.uri.in_(uris)))
    return {row.uri: _read(row.access) or frozenset() for row in found}


def given_at(connection: Connection, collection: int, uris: Sequence[str]) -> dict[str, Given]:
    """The access last given to the addresses at or above some URIs."""
    return _given(connection, collection, sorted({address for uri in uris for address in (uri, *folders_of(uri))}))


def access_below(database: Database, collection: int, folder: str, at: int = LIVE - 1) -> Iterator[tuple[str, Access]]:
    """The access of each source below a folder, present or removed, streamed; nothing where everybody sees all of them.

    Ignores what was added after the revision `at`.
    """
    there, before = at_or_below(sources.c.uri, folder), sources.c.added_rev <= at
    seen = select(sources.c.row).where(belongs(sources, collection), there, before, sources.c.access != "[]")
    with database.read() as connection:
        if connection.execute(seen.limit(1)).first() is None:
            return
    while True:
        with database.read() as connection:
            found = connection.execute(_latest(collection, there, before, most=AT_ONCE)).all()
        yield from ((row.uri, _read(row.access) or frozenset()) for row in found)
        if len(found) < AT_ONCE:
            return
        there = below(sources.c.uri, folder, found[-1].uri)


def access_in(database: Database, collection: int, folder: str, before_run: int) -> Counter[Access]:
    """How many sources directly in a folder had each access before a run changed anything."""
    count = func.count().label("count")
    query = select(sources.c.access, count).where(belongs(sources, collection), _right_in(sources.c.uri, folder))
    with database.read() as connection:
        there = query.where(live(sources, _before(connection, collection, before_run))).group_by(sources.c.access)
        return Counter({_read(row.access) or frozenset(): row.count for row in connection.execute(there)})


def access_of_bytes(database: Database, collection: int, sha256: str) -> list[Access]:
    """The access of the live sources with these bytes; where there are none, of those that were removed last."""
    same = select(sources.c.access, sources.c.removed_rev).where(
        belongs(sources, collection), sources.c.sha256 == sha256
    )
    with database.read() as connection:
        found = connection.execute(same.distinct()).all()
    last = max((row.removed_rev for row in found), default=LIVE)
    return [_read(row.access) or frozenset() for row in found if row.removed_rev == last]


def _latest(collection: int, *conditions: ColumnElement[bool], most: int | None = None) -> Select[Any]:
    """Each source, present or removed, as it is now or was last; the first `most` that fulfil the conditions."""
    own = select(func.max(sources.c.row)).where(belongs(sources, collection), *conditions).group_by(sources.c.uri)
    last = own if most is None else own.order_by(sources.c.uri).limit(most)
    return select(sources.c.uri, sources.c.access).where(sources.c.row.in_(last)).order_by(sources.c.uri)


def _holds_others(uri: str) -> bool:
    return uri.startswith(ROOT)


def _right_in(column: ColumnElement[str], folder: str) -> ColumnElement[bool]:
    name = func.substr(column, len(folder.removesuffix("/")) + 2, type_=ExactText)
    return and_(at_or_below(column, folder), ~name.contains("/", autoescape=True))


def _dumped(access: Access | None) -> str:
    return dump(None if access is None else sorted(access))


def _read(text: str) -> Access | None:
    access = json.loads(text)
    return None if access is None else frozenset(access)
