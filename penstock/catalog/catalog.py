"""Opens a catalog, and its collections."""

import re
import time
from contextlib import AbstractContextManager
from types import TracebackType
from uuid import uuid4

from sqlalchemy import func, select, update

from penstock.catalog.collection import Collection
from penstock.catalog.commit import carrying
from penstock.catalog.commit.carrying import Parcel
from penstock.catalog.database.database import Database
from penstock.catalog.database.dialect import backend_of, insert_if_absent
from penstock.catalog.database.encoding import moment
from penstock.catalog.database.migrate import ensure_schema
from penstock.catalog.database.schema import LIVE, chunks, collections, documents, sources
from penstock.catalog.values import CollectionInfo
from penstock.catalog.vectors import VectorCache
from penstock.errors import UnknownName, UsageError

NAME = re.compile(r"\w[\w.-]{0,49}")
"""Names of collections: letters of any script, digits, `_`, `.` and `-`; they also name files."""


class Catalog:
    """All collections of one database, and the embedding cache that they share. Threads may share it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.vectors = VectorCache(database)

    def collections(self) -> tuple[CollectionInfo, ...]:
        """All collections by name."""
        counts = [
            select(func.count())
            .where(table.c.collection == collections.c.row, table.c.removed_rev == LIVE)
            .scalar_subquery()
            .label(table.name)
            for table in (sources, documents, chunks)
        ]
        with self._database.read() as connection:
            rows = connection.execute(select(collections, *counts).order_by(collections.c.name)).all()
        return tuple(
            CollectionInfo(
                name=row.name,
                revision=row.revision,
                sources=row.sources,
                documents=row.documents,
                chunks=row.chunks,
                embedder=row.embedder,
                updated=moment(row.updated),
            )
            for row in rows
        )

    def collection(self, name: str, *, create: bool = False) -> Collection:
        """The collection of that name; with `create` it is created if needed.

        Raises:
            UnknownName: there is no such collection.
            UsageError: a collection cannot have that name.
        """
        query = select(collections.c.row, collections.c.uid, collections.c.origin).where(collections.c.name == name)
        with self._database.read() as connection:
            found = connection.execute(query).one_or_none()
            known = [] if found or create else list(connection.scalars(select(collections.c.name)))
        if found is None and not create:
            raise UnknownName("collection", name, known)
        if found is None:
            self._create(name)
            return self.collection(name)
        return Collection(self._database, self.vectors, found.row, name, found.uid, found.origin)

    def rename(self, name: str, new: str) -> None:
        """Gives a collection another name; its documents keep their ids, and its indexes their folders.

        Raises:
            UnknownName: there is no collection of that name.
            UsageError: a collection cannot have the new name, or another collection has it.
        """
        _check_name(new)
        with self._database.write() as connection:
            known = list(connection.scalars(select(collections.c.name).with_for_update()))
            if name not in known:
                raise UnknownName("collection", name, known)
            if new in known:
                raise UsageError(f"there is a collection named {new!r} already; remove or rename that first")
            self._database.check_writer(connection, name)
            connection.execute(update(collections).where(collections.c.name == name).values(name=new))

    def writing(self, name: str, *, timeout: float = 0) -> AbstractContextManager[None]:
        """Keeps processes of other machines from writing to the collection of that name while the context is open.

        Processes of this home are kept out by `penstock.catalog.writing`, the only lock that a catalog file needs.

        Raises:
            CollectionLocked: another process is still writing after `timeout` seconds; names it.
        """
        return self._database.writing(name, timeout)

    def receive(self, name: str, parcel: Parcel) -> None:
        """Creates a collection from an exported parcel, completely or not at all.

        Raises:
            UsageError: a collection cannot have that name, or one of that name exists.
            CatalogError: the parcel contradicts itself, or could not be written; nothing was written.
        """
        _check_name(name)
        _check_name(parcel.origin)
        carrying.receive(self._database, self.vectors, name, parcel)

    def size(self) -> int:
        """Bytes that the catalog uses on disk, with all its collections."""
        return self._database.size()

    def shrink(self) -> None:
        """Returns free space inside the database to the disk.

        Raises:
            CatalogError: that cannot be done now.
        """
        self._database.shrink()

    def _create(self, name: str) -> None:
        _check_name(name)
        now = time.time_ns() // 1000
        values = {"name": name, "uid": uuid4().hex, "revision": 0, "embedder": ""}
        values |= {"updated": now, "origin": name, "oldest": 0}
        with self._database.write() as connection:
            connection.execute(insert_if_absent(connection, collections), values)

    def close(self) -> None:
        """Closes the database; the catalog must not be used afterwards."""
        self._database.close()

    def __enter__(self) -> "Catalog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise UsageError(f"a collection cannot be named {name!r}; allowed: letters, digits, _ . - (at most 50)")


def open_catalog(url: str, *, password: str | None = None) -> Catalog:
    """The catalog at a database address: `sqlite:///PATH`, or `postgresql://USER@HOST/DATABASE` (extra `postgresql`).

    File, folder and tables are created where missing. `password` is the user's, where the address does not contain it.

    Raises:
        NewerCatalog: a newer version of Penstock wrote it.
        MissingExtra: the driver is not installed.
        CatalogUnavailable: the server does not answer.
        CatalogError: it cannot be opened: says which one, why and what to do.
    """
    database = Database(backend_of(url, password))
    try:
        ensure_schema(database)
    except BaseException:
        database.close()
        raise
    return Catalog(database)
