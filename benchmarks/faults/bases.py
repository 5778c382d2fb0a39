"""Fresh collections to work on: copies of the first, in SQLite or on a PostgreSQL server."""

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from importlib import import_module
from pathlib import Path
from typing import Protocol

from benchmarks.faults.places import Place


class Base(Protocol):
    """Where catalogs are."""

    name: str

    def first(self) -> AbstractContextManager[str]:
        """The address of an empty catalog, from which others are copied later; empty: in the home."""
        ...

    def copy(self) -> AbstractContextManager[str]:
        """The address of a copy of the first one."""
        ...

    def settle(self, url: str) -> None:
        """Waits until the database has noticed that a process was killed."""
        ...


class InHome:
    """SQLite: the catalog is a file of the home, and is copied with it."""

    name = "SQLite"

    def first(self) -> AbstractContextManager[str]:
        """No address."""
        return nullcontext("")

    def copy(self) -> AbstractContextManager[str]:
        """No address."""
        return nullcontext("")

    def settle(self, url: str) -> None:
        """Does nothing: the kernel releases a dead process's locks before its parent learns of its death."""


class OnServer:
    """PostgreSQL: each catalog is a separate database."""

    name = "PostgreSQL"

    def __init__(self, url: str) -> None:
        for module in ("psycopg", "sqlalchemy.dialects.postgresql.psycopg", "penstock.catalog.database.postgresql"):
            import_module(module)  # else each child would
        self._url = url
        self._template = "template0"

    @contextmanager
    def first(self) -> Iterator[str]:
        """The address of the database that is the template of the others."""
        from tests.servers.postgresql import administer, fresh_database

        with fresh_database(self._url) as url:
            self._template = url.partition("?")[0].rpartition("/")[2]
            with suppress(Exception):  # a server without the extension is checked less thoroughly
                administer(url, "CREATE EXTENSION amcheck")
            yield url

    @contextmanager
    def copy(self) -> Iterator[str]:
        """The address of a copy, dropped at the end."""
        from tests.servers.postgresql import fresh_database

        with fresh_database(self._url, template=self._template) as url:
            yield url

    def settle(self, url: str) -> None:
        """Waits until the sessions of the dead process have ended: a COMMIT that was sent may still be carried out."""
        import psycopg

        sessions = (
            b"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            b"AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        with psycopg.connect(url, autocommit=True) as connection:
            for _ in range(3000):
                found = connection.execute(sessions).fetchone()
                if found is None or not found[0]:
                    return
                connection.execute(b"SELECT pg_sleep(.005)")
        raise TimeoutError("sessions of a dead process did not end")


def copied(first: Place, folder: Path, *, url: str, keyword: str) -> Place:
    """A copy of a home in that folder."""
    shutil.copytree(first.home, folder)
    return Place(home=folder, url=url, keyword=keyword)
