"""What a kind of database does for a catalog beyond SQL: connects, explains its errors, locks out other writers."""

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
    """Its transactions see one state of the database, whatever is committed meanwhile."""
    writing: Engine


class Backend(Protocol):
    """One kind of database at one address."""

    @property
    def name(self) -> str:
        """The address for messages, without secrets."""
        ...

    @property
    def elsewhere(self) -> str:
        """The word for such a place in advice, as in "choose another file": `file` or `schema`."""
        ...

    @property
    def longest_uri(self) -> int:
        """Bytes of the longest source address that its indexes can hold."""
        ...

    def connect(self) -> Engines:
        """Connections to the database.

        Raises:
            MissingExtra: the driver is not installed.
        """
        ...

    def prepare_schema(self, connection: Connection) -> None:
        """Keeps other processes from creating the tables until this transaction ends.

        Raises:
            CatalogError: the database cannot hold a catalog.
        """
        ...

    def settle(self, connection: Connection) -> None:
        """Updates the statistics of the tables, so that the next queries are planned well."""
        ...

    def hold_runs(self, connection: Connection) -> None:
        """Keeps runs from starting, in all collections, until this transaction ends."""
        ...

    def size(self, connection: Connection) -> int:
        """Bytes that the catalog uses on disk."""
        ...

    def shrink(self, engine: Engine) -> None:
        """Returns free space inside its files to the disk, as far as possible while others read."""
        ...

    def flaws(self, connection: Connection) -> Iterator[str]:
        """Flaws of its files that the database's own checks find, as far as this user may run them."""
        ...

    def explain(self, error: SQLAlchemyError) -> CatalogError:
        """The error, with what to do about it."""
        ...

    def writing(self, engine: Engine, name: str, doing: str, timeout: float, /) -> AbstractContextManager[Check | None]:
        """Holds the lock of that name against other machines; gives the check that each commit has to call.

        Raises:
            CollectionLocked: another process still holds it after `timeout` seconds; `doing` says what it does.
        """
        ...


def message_of(error: SQLAlchemyError) -> str:
    """The database's error message on one line."""
    return " ".join(str(getattr(error, "orig", None) or error).split())
