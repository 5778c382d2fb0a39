"""What differs between databases, and nothing else does: types, connection settings, globs, inserting unless there.

SQLite runs in WAL mode, so that readers never wait for the writer, and with `synchronous=FULL`: with NORMAL a power
cut can undo the last commits, and an index that already applied them would then stand ahead of the catalog.
"""

import os
import re
import sqlite3
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Engine, Integer, Table, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from penstock.errors import CatalogError

RowNumber = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite counts row numbers only in a column whose type is exactly INTEGER."""
BUSY_SECONDS = 30
"""How long a writer waits for another one's commit."""
WRITES = "penstock_writes"
"""Execution option of connections that are about to write."""
BRACKET = re.compile(r"\[!(\][^\]]*|[^\]]+)\]|\[(?!!)(\][^\]]*|[^\]]+)\]|\[", re.DOTALL)
"""A set of characters, negated or not, or a bracket that opens none; a `]` that comes first belongs to the set."""


def address(url: str) -> URL:
    """The database's address, checked.

    Raises:
        CatalogError: this is not an address of a database that can hold a catalog.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise CatalogError(f"{url!r} is no database address; allowed: sqlite:///PATH") from error
    if parsed.get_backend_name() != "sqlite":
        raise CatalogError(f"no catalog on {parsed.get_backend_name()!r}; allowed: sqlite:///PATH")
    if parsed.database in (None, "", ":memory:"):
        raise CatalogError(f"{url!r} names no file; a catalog needs one: sqlite:///PATH")
    return parsed


def connect(url: URL) -> Engine:
    """An engine on the database; file and folder are created where missing, for their owner's eyes only.

    A database in a folder that may not be written can be read, by connections that last for one transaction.
    """
    path = Path(str(url.database)).absolute()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        path.touch(mode=0o600, exist_ok=False)  # SQLite gives the files beside it the same permissions
    if path.exists() and not os.access(path.parent, os.W_OK):
        engine = create_engine("sqlite://", creator=partial(_read_only, path), poolclass=NullPool)
        event.listen(engine, "connect", _leave_transactions)
    else:
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _settle)
    event.listen(engine, "begin", _begin)
    return engine


def _read_only(path: Path) -> sqlite3.Connection:
    """A connection that writes nothing, not even the files that WAL mode wants beside the database.

    Without them nobody is writing, and all that was committed is in the database itself.
    """
    is_written = path.with_name(f"{path.name}-wal").exists()
    options = "mode=ro" if is_written else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.as_uri()}?{options}", uri=True, timeout=BUSY_SECONDS)


def insert_if_absent(table: Table) -> Any:
    """An INSERT that leaves rows alone that are there already."""
    return sqlite.insert(table).on_conflict_do_nothing()


def matches(column: ColumnElement[str], pattern: str) -> ColumnElement[bool]:
    """Whether a text matches a shell pattern (`*`, `?`, `[...]`, `[!...]`), upper and lower case told apart."""
    return column.bool_op("GLOB")(sqlite_glob(pattern))


def sqlite_glob(pattern: str) -> str:
    """A pattern of `fnmatch` in SQLite's own spelling: `[^...]` negates, a bracket that never closes is literal.

    >>> sqlite_glob("a[!b]*[c")
    'a[^b]*[[]c'
    """
    return BRACKET.sub(_bracket, pattern)


def _bracket(found: re.Match[str]) -> str:
    negated, inside = found.groups()
    if inside is None and negated is None:
        return "[[]"
    if inside is None:
        return f"[^{negated}]"
    if inside.startswith("^"):  # literal in fnmatch, a negation in SQLite
        return f"[{inside[1:]}^]" if len(inside) > 1 else "^"
    return f"[{inside}]"


def _leave_transactions(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions begin where we say so, not where the driver guesses


def _settle(connection: Any, _: object) -> None:
    _leave_transactions(connection, None)
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A writer takes the write lock at once: one that first reads and then writes could find its snapshot outdated.
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
