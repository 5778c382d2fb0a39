"""Who may see what lies at an address: what was said of it last, and what the sources there have had so far.

An address is the URI of a file, a folder or a page; a folder stands for everything below it. What a later run was told
wins over what an earlier one was; within one run, the longer address.
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
    """What was said of an address."""

    access: Access | None
    """None where one run was told two things that have no reader in common."""
    run: int


def folders_of(uri: str) -> Iterator[str]:
    """The folders that a file lies in, the nearest first; none for what is no file: a page stands for itself alone.

    >>> list(folders_of("file:///hr/pay/may.pdf"))
    ['file:///hr/pay', 'file:///hr', 'file:///']
    """
    while _holds_others(uri) and uri != ROOT:
        uri = uri.rpartition("/")[0]
        uri = ROOT if uri + "/" == ROOT else uri
        yield uri


def last_given(uri: str, given: Mapping[str, Given]) -> Given | None:
    """What was said last of a source: of its own address or of a folder that it lies in."""
    return last_said({one: given[one] for one in (uri, *folders_of(uri)) if one in given})


def last_said(given: Mapping[str, Given]) -> Given | None:
    """Of what was said of some addresses what counts where all of them are the source's, or above it."""
    said = [(one.run, len(address), address) for address, one in given.items()]
    return given[max(said)[2]] if said else None


def remember(
    database: Database, key: tuple[int, str], told: Iterable[tuple[str, Access]], *, run: int, longest: int
) -> None:
    """Notes what a run was told; `key` is the collection's row and name, `longest` the bytes of an address.

    Raises:
        CatalogError: the database could not be written.
    """
    row, name = key
    said: dict[str, list[Access]] = defaultdict(list)
    for uri, access in told:
        if len(uri.encode("utf-8", "surrogatepass")) <= longest:  # below a longer one lies nothing that can be kept
            said[uri].append(access)
    with database.read() as connection:
        before = _given(connection, row, sorted({one for uri in said for one in (uri, *folders_of(uri))}))
        after = _after(before, said, run)
        if not after or _is_last_word(connection, row, before, said, after):
            return
    with database.write() as connection:
        lock_collection(database, connection, row, name)
        for uri in filter(_holds_others, after):  # what was said before of what lies there is not the last word again
            own = and_(belongs(addresses, row), at_or_below(addresses.c.uri, uri), addresses.c.run < run)
            connection.execute(delete(addresses).where(own))
        for page in pages(list(after)):
            connection.execute(delete(addresses).where(belongs(addresses, row), addresses.c.uri.in_(page)))
        connection.execute(insert(addresses), [said_row(row, uri, access, run) for uri, access in after.items()])


def _after(before: Mapping[str, Given], said: Mapping[str, Sequence[Access]], run: int) -> dict[str, Access | None]:
    """The addresses of which something else is known after the run than before, and what."""
    after: dict[str, Access | None] = {}
    for uri, several in said.items():
        known = before.get(uri)
        if known is not None and known.run > run:
            continue  # a later run was told otherwise
        same_run = [known.access] if known is not None and known.run == run else []
        access = narrowest([*same_run, *several])
        if known is None or known.run < run or known.access != access:
            after[uri] = access
    return after


def _is_last_word(
    connection: Connection,
    row: int,
    before: Mapping[str, Given],
    said: Mapping[str, Sequence[Access]],
    after: Mapping[str, Access | None],
) -> bool:
    """Whether the last run that spoke of these addresses said the same of all of them, and none has spoken since.

    To note a later run of them would change nothing for any source.
    """
    runs = {before[uri].run if uri in before else None for uri in said}
    last = next(iter(runs))
    if last is None or len(runs) > 1 or any(before[uri].access != access for uri, access in after.items()):
        return False
    if any(given.run > last for given in before.values()):
        return False
    later = select(addresses.c.uri).where(belongs(addresses, row), addresses.c.run >= last)
    return all(
        uri in said
        for top in filter(_holds_others, outermost(said))
        for uri in connection.scalars(later.where(below(addresses.c.uri, top)).limit(len(said) + 1))
    )


def read_given(database: Database, collection: int, uris: Sequence[str] | None = None) -> dict[str, Given]:
    """What was said of all addresses, or of those at or above some URIs."""
    with database.read() as connection:
        return _given(connection, collection, None) if uris is None else given_at(connection, collection, uris)


def _given(connection: Connection, collection: int, wanted: Sequence[str] | None) -> dict[str, Given]:
    query = select(addresses).where(belongs(addresses, collection))
    queries = [query] if wanted is None else [query.where(addresses.c.uri.in_(page)) for page in pages(wanted)]
    return {row.uri: Given(access=_read(row.access), run=row.run) for one in queries for row in connection.execute(one)}


def restricts(database: Database, collection: int) -> bool:
    """Whether there is, or was, a source that not everybody may see."""
    own = exists().where(sources.c.row == source_access.c.source, belongs(sources, collection))
    found = select(source_access.c.source).where(own).limit(1)  # where nothing is restricted, no source is looked at
    with database.read() as connection:
        return connection.execute(found).first() is not None


def _before(connection: Connection, collection: int, run: int) -> int:
    """The revision before the first of a run; the newest where it has none yet."""
    first = select(func.min(revisions.c.revision)).where(belongs(revisions, collection), revisions.c.run == run)
    found = connection.execute(first).scalar_one()
    return LIVE - 1 if found is None else int(found) - 1


def access_of_removed(database: Database, collection: int, uris: Sequence[str] | None = None) -> dict[str, Access]:
    """Who could last see the sources that are no longer there, all or some; without those that everybody could."""
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
    """The sources that are gone and that not everybody could see, as they were last."""
    last = select(func.max(sources.c.row)).where(belongs(sources, collection)).group_by(sources.c.uri)
    closed = sources.c.row.in_(last), sources.c.removed_rev != LIVE, sources.c.access != "[]"
    return select(sources).where(*closed).order_by(sources.c.row)


def said_row(collection: int, uri: str, access: Access | None, run: int) -> dict[str, Any]:
    """What was said of an address as columns."""
    return {"collection": collection, "uri": uri, "access": _dumped(access), "run": run}


def last_access(connection: Connection, collection: int, uris: Sequence[str]) -> dict[str, Access]:
    """Who may see the sources of some URIs as they are now or were last; at most a page of them."""
    found = connection.execute(_latest(collection, sources.c.uri.in_(uris)))
    return {row.uri: _read(row.access) or frozenset() for row in found}


def given_at(connection: Connection, collection: int, uris: Sequence[str]) -> dict[str, Given]:
    """What was said last of the addresses at or above some URIs."""
    return _given(connection, collection, sorted({one for uri in uris for one in (uri, *folders_of(uri))}))


def access_below(database: Database, collection: int, folder: str, at: int = LIVE - 1) -> Iterator[tuple[str, Access]]:
    """Who may see each source below a folder, or could last see it, streamed; nothing where everybody sees all of them.

    What came after the revision `at` is as if it were not there.
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
    """How many sources right in a folder had which access before a run changed anything."""
    count = func.count().label("count")
    query = select(sources.c.access, count).where(belongs(sources, collection), _right_in(sources.c.uri, folder))
    with database.read() as connection:
        there = query.where(live(sources, _before(connection, collection, before_run))).group_by(sources.c.access)
        return Counter({_read(row.access) or frozenset(): row.count for row in connection.execute(there)})


def access_of_bytes(database: Database, collection: int, sha256: str) -> list[Access]:
    """Who may see the sources with these bytes; where none is live, who could see those that went last."""
    same = select(sources.c.access, sources.c.removed_rev).where(
        belongs(sources, collection), sources.c.sha256 == sha256
    )
    with database.read() as connection:
        found = connection.execute(same.distinct()).all()
    last = max((row.removed_rev for row in found), default=LIVE)
    return [_read(row.access) or frozenset() for row in found if row.removed_rev == last]


def _latest(collection: int, *conditions: ColumnElement[bool], most: int | None = None) -> Select[Any]:
    """Each source that ever was, as it is now or was last; of those that fulfil the conditions the first so many."""
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
    said = json.loads(text)
    return None if said is None else frozenset(said)
