"""A catalog in a file.

SQLite runs in WAL mode, so that readers never wait for the writer, and with `synchronous=FULL`: with NORMAL a power
cut can undo the last commits, and an index that already applied them would then be ahead of the catalog.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from penstock.catalog.database.backends import QUIET, Check, Engines, message_of
from penstock.errors import CatalogError

BUSY_SECONDS = 30
"""How long a writer waits for another writer's commit."""
WRITES = "penstock_writes"
"""Execution option of connections that are about to write."""

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


class Sqlite:
    """The database in one file; created readable by its owner only."""

    elsewhere = "file"
    longest_uri = 10**6

    def __init__(self, url: URL) -> None:
        if url.database in (None, "", ":memory:"):
            raise CatalogError(f"{str(url)!r} names no file; a catalog needs one: sqlite:///PATH")
        self._url = url
        self.name = str(url.database)

    def connect(self) -> Engines:
        """Connections to the file; it and its folder are created where missing.

        A database in a read-only folder can be read, by connections that last for one transaction.
        """
        path = Path(self.name).absolute()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            path.touch(mode=0o600, exist_ok=False)  # SQLite gives the files beside it the same permissions
        if path.exists() and not os.access(path.parent, os.W_OK):
            engine = create_engine("sqlite://", creator=partial(_read_only, path), poolclass=NullPool, **QUIET)
            event.listen(engine, "connect", _leave_transactions)
        else:
            engine = create_engine(self._url, connect_args={"timeout": BUSY_SECONDS}, **QUIET)
            event.listen(engine, "connect", _settle)
        event.listen(engine, "begin", _begin)
        return Engines(engine, engine, engine.execution_options(**{WRITES: True}))

    def prepare_schema(self, connection: Connection) -> None:
        """Nothing: a transaction that writes keeps all others out."""

    def settle(self, connection: Connection) -> None:
        """Does nothing: the indexes are made for the queries, and SQLite uses them without statistics."""

    def hold_runs(self, connection: Connection) -> None:
        """Nothing: a transaction that writes keeps all others out."""

    def size(self, connection: Connection) -> int:
        """Bytes of the file and of its write-ahead log."""
        del connection
        found = [Path(f"{self.name}{beside}") for beside in ("", "-wal")]
        return sum(path.stat().st_size for path in found if path.exists())

    def shrink(self, engine: Engine) -> None:
        """Rewrites the file without its free pages, where they are more than a sixteenth of it.

        That needs space for a copy meanwhile; readers continue with what they see.
        """
        raw = engine.raw_connection()
        try:
            cursor = raw.cursor()
            free, whole = (cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_count"))
            if free * 16 > whole:
                cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.close()
        except sqlite3.Error as error:
            raise CatalogError(f"catalog {self.name!r}: no room was given back: {error}") from error
        finally:
            raw.close()

    def flaws(self, connection: Connection) -> Iterator[str]:
        """Flaws that `PRAGMA integrity_check` and `foreign_key_check` find."""
        try:
            for (finding,) in connection.exec_driver_sql("PRAGMA integrity_check(20)"):
                if finding != "ok":
                    yield f"the database is damaged: {finding}"
            for table, row, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
                yield f"the database is damaged: row {row} of {table} refers to a row of {parent} that is not there"
        except SQLAlchemyError as error:
            yield f"the database is damaged: {message_of(error)}"

    def explain(self, error: SQLAlchemyError) -> CatalogError:
        """The error, with what to do about it."""
        message = message_of(error)
        advice = next((text for sign, text in ADVICE.items() if sign in message.lower()), "nothing was written")
        return CatalogError(f"catalog {self.name!r}: {message}; {advice}")

    def writing(
        self, _engine: Engine, _name: str, _doing: str, _timeout: float, /
    ) -> AbstractContextManager[Check | None]:
        """No lock: the file is in one home, whose own locks keep other processes out."""
        return nullcontext()


def _read_only(path: Path) -> sqlite3.Connection:
    """A connection that writes nothing, not even the files that WAL mode needs beside the database.

    Where these are missing, no process is writing, and all commits are in the database itself.
    """
    is_written = path.with_name(f"{path.name}-wal").exists()
    options = "mode=ro" if is_written else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.as_uri()}?{options}", uri=True, timeout=BUSY_SECONDS)


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
    # A writer takes the write lock at once: if it read first, its snapshot could be outdated when it writes.
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
