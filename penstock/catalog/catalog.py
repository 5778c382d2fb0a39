"""Opening a catalog, and its collections."""

import re
import time
from types import TracebackType
from uuid import uuid4

from sqlalchemy import func, select

from penstock.catalog.collection import Collection
from penstock.catalog.database import Database
from penstock.catalog.dialect import address, insert_if_absent
from penstock.catalog.encoding import moment
from penstock.catalog.migrate import ensure_schema
from penstock.catalog.schema import LIVE, chunks, collections, documents, sources
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
        """The collection of that name; with `create` it is made where there is none.

        Raises:
            UnknownName: there is none.
            UsageError: a collection cannot have that name.
        """
        query = select(collections.c.row, collections.c.uid).where(collections.c.name == name)
        with self._database.read() as connection:
            found = connection.execute(query).one_or_none()
            known = [] if found or create else list(connection.scalars(select(collections.c.name)))
        if found is None and not create:
            raise UnknownName("collection", name, known)
        if found is None:
            self._create(name)
            return self.collection(name)
        return Collection(self._database, self.vectors, found.row, name, found.uid)

    def _create(self, name: str) -> None:
        if not NAME.fullmatch(name):
            raise UsageError(f"a collection cannot be named {name!r}; allowed: letters, digits, _ . - (at most 50)")
        now = time.time_ns() // 1000
        values = {"name": name, "uid": uuid4().hex, "revision": 0, "embedder": "", "updated": now}
        with self._database.write() as connection:
            connection.execute(insert_if_absent(collections), values)

    def close(self) -> None:
        """Lets go of the database; the catalog is not used afterwards."""
        self._database.close()

    def __enter__(self) -> "Catalog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_catalog(url: str) -> Catalog:
    """The catalog at a database address such as `sqlite:///PATH`; file, folder and tables are made where missing.

    Raises:
        NewerCatalog: a newer version of Penstock wrote it.
        CatalogError: it cannot be opened: says which file, why and what to do.
    """
    database = Database(address(url))
    try:
        ensure_schema(database)
    except BaseException:
        database.close()
        raise
    return Catalog(database)
