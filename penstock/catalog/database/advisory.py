"""Advisory locks of PostgreSQL: one writer for each collection and one for its indexes, across all machines.

A lock lasts as long as the connection that took it. Each commit uses another connection, and checks that the lock is
still held: a server that was restarted has lost it, and another process may be writing by now.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from secrets import randbits

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Engine,
    and_,
    cast,
    column,
    func,
    literal,
    select,
    table,
    text,
)
from sqlalchemy.exc import SQLAlchemyError

from penstock.catalog.database.backends import Check
from penstock.errors import CollectionLocked

SECONDS_BETWEEN_TRIES = 0.02
NAMED = "penstock "
"""The beginning of a writer's name in the server's list of sessions."""

locks = table(
    "pg_locks",
    *map(column, ("locktype", "database", "classid", "objid", "objsubid", "pid")),
    column("granted", Boolean()),
)
activity = table("pg_stat_activity", column("pid"), column("application_name"))
databases = table("pg_database", column("oid"), column("datname"))


def key_of(*parts: str) -> int:
    """The number of a lock, the same everywhere for the same names: a signed 64-bit integer."""
    return int.from_bytes(blake2b("\0".join(parts).encode(), digest_size=8).digest(), "big", signed=True)


def lock_schema(connection: Connection) -> None:
    """Waits until no other process creates tables in this schema; the lock ends with the transaction."""
    connection.execute(select(func.pg_advisory_xact_lock(_key(key_of("penstock schema", _schema(connection))))))


@contextmanager
def writing(engine: Engine, name: str, doing: str, timeout: float) -> Iterator[Check]:
    """Holds the lock of that name; gives the check that each commit has to call.

    Raises:
        CollectionLocked: another process holds it; names its machine and number, and what it is `doing`.
    """
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    token = randbits(63)
    try:
        _take(connection, name, doing, timeout)
        # A second lock with a random number: a later session might get the session number of one that was lost.
        connection.execute(select(func.pg_advisory_lock(_key(token))))
    except BaseException:
        _let_go(connection)
        raise
    try:
        yield lambda committing: _check(committing, name, token)
    finally:
        _let_go(connection)


def _take(connection: Connection, name: str, doing: str, timeout: float) -> None:
    key = key_of("penstock writer", _schema(connection), name)
    holder = f"{NAMED}process {os.getpid()} on {socket.gethostname()}"
    connection.execute(select(func.set_config("application_name", holder[:63], literal(False))))
    if connection.execute(select(func.current_setting("idle_session_timeout", literal(True)))).scalar():
        connection.execute(text("SET idle_session_timeout = 0"))  # servers before 14 do not know it
    deadline = time.monotonic() + timeout
    while not connection.execute(select(func.pg_try_advisory_lock(_key(key)))).scalar_one():
        if time.monotonic() >= deadline:
            raise CollectionLocked(f"{_holder(connection, key)} {doing}; run again when it has finished")
        time.sleep(SECONDS_BETWEEN_TRIES)


def _check(connection: Connection, name: str, token: int) -> None:
    if not connection.execute(select(func.count()).select_from(locks).where(_is_held(token))).scalar_one():
        raise CollectionLocked(
            f"the lock on collection {name!r} was lost, because the server was restarted or the connection to it "
            "broke; nothing of this commit was written, what was committed before stays. Run again"
        )


def _let_go(connection: Connection) -> None:
    with suppress(SQLAlchemyError):  # where the connection broke, the lock is gone
        connection.execute(select(func.pg_advisory_unlock_all()))
    connection.invalidate()  # its session has the name of a writer
    connection.close()


def _holder(connection: Connection, key: int) -> str:
    query = select(activity.c.application_name).where(_is_held(key), activity.c.pid == locks.c.pid)
    found = connection.execute(query).scalar()
    return str(found).removeprefix(NAMED) if found else "another process"


def _is_held(key: int) -> ColumnElement[bool]:
    """Whether a row of `pg_locks` is a lock of that number that is held."""
    unsigned = key % 2**64
    here = select(databases.c.oid).where(databases.c.datname == func.current_database()).scalar_subquery()
    return and_(
        locks.c.locktype == "advisory",
        locks.c.database == here,
        cast(locks.c.classid, BigInteger) == unsigned >> 32,
        cast(locks.c.objid, BigInteger) == unsigned % 2**32,
        locks.c.objsubid == 1,
        locks.c.granted,
    )


def _key(number: int) -> ColumnElement[int]:
    return literal(number, BigInteger)


def _schema(connection: Connection) -> str:
    return str(connection.execute(select(func.current_schema())).scalar())
