"""The connection to the database: short transactions to read and to write, and errors that say what to do."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Table, insert
from sqlalchemy.exc import DataError, SQLAlchemyError

from penstock.catalog.database.backends import Backend, Check
from penstock.errors import CatalogError, UnstorableValue

T = TypeVar("T")
PAGE = 500
"""Values in one IN list, and rows in one page of a stream."""


class Database:
    """A catalog's database. Threads may share it; each call below uses its own connection."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._checks: dict[str, Check] = {}
        with self._translated():
            self._engines = backend.connect()

    @property
    def name(self) -> str:
        """Its address for messages."""
        return self.backend.name

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database.

        Raises:
            CatalogError: the database cannot be read.
        """
        with self._translated(), self._engines.reading.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes; all of it is on disk when the context closes, or nothing is.

        Raises:
            CatalogError: the database cannot be written.
        """
        with self._translated(), self._engines.writing.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self, name: str, timeout: float) -> Iterator[None]:
        """Locks a collection against writers on other machines, which do not see the lock file in this home.

        Raises:
            CollectionLocked: another process is writing.
            CatalogError: the database cannot be reached.
        """
        with self.locked(name, f"is writing to collection {name!r}", timeout) as check:
            try:
                if check:
                    self._checks[name] = check
                yield
            finally:
                self._checks.pop(name, None)

    @contextmanager
    def locked(self, name: str, doing: str, timeout: float) -> Iterator[Check | None]:
        """Holds the lock of any name against processes of other machines; `doing` says what its holder does.

        Raises:
            CollectionLocked: another process holds it.
            CatalogError: the database cannot be asked.
        """
        lock = self.backend.writing(self._engines.pool, name, doing, timeout)
        with self._translated():
            check = lock.__enter__()
        try:
            yield check
        finally:
            with self._translated():
                lock.__exit__(None, None, None)

    def check_writer(self, connection: Connection, name: str) -> None:
        """Checks in a commit that this process still holds the lock of the collection, if it took one.

        Raises:
            CollectionLocked: the lock was lost.
        """
        if check := self._checks.get(name):
            check(connection)

    def size(self) -> int:
        """Bytes that the catalog uses on disk.

        Raises:
            CatalogError: the database cannot be asked.
        """
        with self.read() as connection:
            return self.backend.size(connection)

    def shrink(self) -> None:
        """Returns free space inside the database to the disk, as far as possible while others read.

        Raises:
            CatalogError: that cannot be done now, for instance because the disk has no space for the temporary copy.
        """
        with self._translated():
            self.backend.shrink(self._engines.pool)

    def close(self) -> None:
        """Closes all connections."""
        self._engines.pool.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DataError as error:
            raise UnstorableValue(str(self.backend.explain(error))) from error
        except SQLAlchemyError as error:
            raise self.backend.explain(error) from error
        except OverflowError as error:
            raise UnstorableValue(
                f"catalog {self.name!r}: a number is too large for the database ({error}); nothing was written"
            ) from error
        except UnicodeEncodeError as error:
            raise UnstorableValue(
                f"catalog {self.name!r}: a text holds half of a surrogate pair ({error.object[error.start]!r}), which "
                "no database stores; nothing was written. Clean the text first"
            ) from error
        except OSError as error:
            raise CatalogError(f"catalog {self.name!r}: {error}; check the path and its permissions") from error


def inserted(connection: Connection, table: Table, values: Mapping[str, Any]) -> int:
    """Writes one row; gives its number."""
    key = connection.execute(insert(table), dict(values)).inserted_primary_key
    return int(key[0]) if key else 0


def inserted_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Writes rows that have the same columns; gives their numbers in the same order."""
    statement = insert(table).returning(table.c.row, sort_by_parameter_order=True)
    return list(connection.scalars(statement, [dict(row) for row in rows]))


def by_row(found: Iterable[Row[Any]]) -> list[Row[Any]]:
    """Rows sorted by their numbers here: with ORDER BY, a database may scan a whole table in that order."""
    return sorted(found, key=lambda row: row.row)


def pages(values: Sequence[T], size: int = PAGE) -> Iterator[Sequence[T]]:
    """The values in lists of at most `size`.

    >>> list(pages([1, 2, 3], 2))
    [[1, 2], [3]]
    """
    for start in range(0, len(values), size):
        yield values[start : start + size]
