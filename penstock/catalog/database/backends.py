"""What a kind of database has to do for a catalog beyond SQL: connect, explain its errors, keep writers apart."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from penstock.errors import CatalogError

QUIET: Mapping[str, Any] = {"hide_parameters": True}
"""Options of engines: errors do not show what was written, because tracebacks end in logs that others read."""
Check = Callable[[Connection], None]
"""Raises `CollectionLocked` in a transaction whose process no longer holds the writer's lock."""


class Engines(NamedTuple):
    """Connections of one pool, by what they are for."""

    pool: Engine
    reading: Engine
    """A transaction sees one state of the database, whatever is committed meanwhile."""
    writing: Engine


class Backend(Protocol):
    """One kind of database at one address."""

    @property
    def name(self) -> str:
        """The address for messages, without secrets."""
        ...

    @property
    def elsewhere(self) -> str:
        """What advice calls such a place, as in "choose another file": `file` or `schema`."""
        ...

    @property
    def longest_uri(self) -> int:
        """Bytes of the longest address of a source that its indexes take."""
        ...

    def connect(self) -> Engines:
        """Connections to the database.

        Raises:
            MissingExtra: the driver is not installed.
        """
        ...

    def prepare_schema(self, connection: Connection) -> None:
        """Keeps other processes from making the tables until this transaction ends.

        Raises:
            CatalogError: the database cannot hold a catalog.
        """
        ...

    def settle(self, connection: Connection) -> None:
        """Counts how rows are spread, so that the next queries are planned well."""
        ...

    def hold_runs(self, connection: Connection) -> None:
        """Keeps runs from beginning, in all collections, until this transaction ends."""
        ...

    def size(self, connection: Connection) -> int:
        """Bytes that the catalog takes on disk."""
        ...

    def shrink(self, engine: Engine) -> None:
        """Gives room that is free inside its files back, as far as it can while others read."""
        ...

    def flaws(self, connection: Connection) -> Iterator[str]:
        """What the database's own checks find wrong with its files, as far as this user may run them."""
        ...

    def explain(self, error: SQLAlchemyError) -> CatalogError:
        """The error, with what to do about it."""
        ...

    def writing(self, engine: Engine, name: str, doing: str, timeout: float, /) -> AbstractContextManager[Check | None]:
        """Keeps others on other machines out that would hold the lock of that name; gives what a commit has to check.

        Raises:
            CollectionLocked: another process holds it, and did so for `timeout` seconds; `doing` says what it does.
        """
        ...


def told(error: SQLAlchemyError) -> str:
    """What the database said, on one line."""
    return " ".join(str(getattr(error, "orig", None) or error).split())
