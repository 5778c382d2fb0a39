"""The connection to the database: short transactions to read and to write, and errors that say what to do."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Table, insert
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from penstock.catalog import dialect
from penstock.errors import CatalogError

T = TypeVar("T")
PAGE = 500
"""Values in one IN list, and rows in one page of a stream."""

ADVICE = {
    "not a database": "the file is not a catalog: choose another home, or move the file away and ingest again",
    "malformed": "the file is damaged: restore it from a copy, or move it away and ingest again",
    "disk is full": "nothing of this commit was written; make room and run again",
    "disk i/o error": "nothing of this commit was written; check the disk and run again",
    "database is locked": "another process kept writing; run again when it has finished",
    "readonly": "the file cannot be written; check who owns it and its permissions",
    "unable to open": "the file cannot be opened; check that the path is right and its permissions",
    "no such table": "the file holds another application's tables: choose another home",
    "no such column": "the file holds another application's tables: choose another home",
}


class Database:
    """A catalog's database. Threads may share it; each call below takes a connection of its own."""

    def __init__(self, url: URL) -> None:
        self.url = url
        with _translated(url):
            self._engine: Engine = dialect.connect(url)
        self._writing = self._engine.execution_options(**{dialect.WRITES: True})

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database.

        Raises:
            CatalogError: the database cannot be read.
        """
        with _translated(self.url), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes; all of it is on disk when the context closes, or nothing is.

        Raises:
            CatalogError: the database cannot be written.
        """
        with _translated(self.url), self._writing.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Lets go of the file."""
        self._engine.dispose()


@contextmanager
def _translated(url: URL) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        told = str(getattr(error, "orig", None) or error).splitlines()[0]
        advice = next((text for sign, text in ADVICE.items() if sign in told.lower()), "nothing was written")
        raise CatalogError(f"catalog {url.database!r}: {told}; {advice}") from error
    except UnicodeEncodeError as error:
        raise CatalogError(
            f"catalog {url.database!r}: a text holds half of a surrogate pair ({error.object[error.start]!r}), which "
            "no database stores; nothing was written. Clean the text first"
        ) from error
    except OSError as error:
        raise CatalogError(f"catalog {url.database!r}: {error}; check the path and its permissions") from error


def inserted(connection: Connection, table: Table, values: Mapping[str, Any]) -> int:
    """Writes one row; gives its number."""
    key = connection.execute(insert(table), dict(values)).inserted_primary_key
    return int(key[0]) if key else 0


def pages(values: Sequence[T], size: int = PAGE) -> Iterator[Sequence[T]]:
    """The values in lists of at most `size`.

    >>> list(pages([1, 2, 3], 2))
    [[1, 2], [3]]
    """
    for start in range(0, len(values), size):
        yield values[start : start + size]
