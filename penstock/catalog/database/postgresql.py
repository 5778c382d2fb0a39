"""A catalog on a PostgreSQL server, by psycopg 3.

Reading transactions see one snapshot (REPEATABLE READ, READ ONLY). Writing transactions first lock their collection's
row, so that each later statement sees what was committed before (READ COMMITTED), in the order of revisions.
"""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import unquote

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from penstock.catalog.database import advisory
from penstock.catalog.database.backends import QUIET, Check, Engines, message_of
from penstock.errors import CatalogError, CatalogUnavailable, MissingExtra

GIVEN: Mapping[str, str | int] = {
    "client_encoding": "utf8",
    "connect_timeout": 10,
    # A server that disappears is noticed within a minute, and so is a client by the server (below).
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""Parameters of connections that the address does not give."""
ON_THE_SERVER: Mapping[str, str] = {
    "lock_timeout": "30s",
    "statement_timeout": "15min",
    "idle_in_transaction_session_timeout": "15min",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "timezone": "UTC",
}
"""Settings of sessions; `options` of the address come after them and win."""

MAY_CHECK = "SELECT has_function_privilege(to_regprocedure('bt_index_check(regclass,boolean)'), 'execute')"
SIZE = (
    "SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class "
    "WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"
)
TABLES = "sources, source_labels, source_access, documents, contents, chunks, vectors, revisions, runs"
BTREES = (
    "SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
    "JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'btree' AND c.relnamespace = current_schema()::regnamespace"
)
AWAY = ("08", "57P01", "57P02", "57P03", "57P05", "53300")
"""SQLSTATEs, or how they begin, of a server that cannot serve now."""
WAITED = {
    "55P03": "another process kept the collection locked; run again when it has finished",
    "40P01": "two processes waited for each other; run again",
    "40001": "another process changed the same rows; run again",
    "57014": "the server took longer than statement_timeout allows; run again when it has less to do, or give more "
    "time in the address: ?options=-cstatement_timeout=30min",
}
"""What to do where waiting helps, by SQLSTATE."""
ADVICE = {
    "password authentication failed": "check the user, and the password in PENSTOCK_CATALOG__PASSWORD",
    "no password supplied": "set the password in PENSTOCK_CATALOG__PASSWORD, or keep it in ~/.pgpass",
    "pg_hba.conf": "the server does not let this user in from this machine: see its pg_hba.conf",
    '" does not exist': "check the names in the address; a database is made with: createdb -E UTF8 -T template0 NAME",
    "recovery": "this server is a copy that cannot be written; give the address of the first one",
    "permission denied": "make the user the owner of the database, or grant it that",
    "no schema has been selected": "the schema that search_path names is not there; make it with: CREATE SCHEMA NAME",
    "certificate": "check sslmode and sslrootcert in the address",
    "ssl": "check sslmode in the address, and whether the server offers TLS",
    "invalid": "check the parameters in the address after the question mark",
    "no space left": "nothing of this commit was written; make room on the server and run again",
    "disk full": "nothing of this commit was written; make room on the server and run again",
}
"""What to do where waiting does not help, by the server's message."""


class Postgresql:
    """The database of that address."""

    elsewhere = "database, or another schema (?options=-csearch_path=NAME)"
    longest_uri = 2600  # an entry of a B-tree takes 2704, and holds two numbers beside the address

    def __init__(self, url: URL, password: str | None) -> None:
        host = unquote(url.host) if url.host else None  # the host may be a folder of sockets
        self._url = url.set(drivername="postgresql+psycopg", host=host, password=url.password or password)
        if not url.database:
            raise CatalogError(f"{self._shown()!r} names no database; allowed: postgresql://USER@HOST/DATABASE")
        self.name = self._shown()

    def _shown(self) -> str:
        query = {name: value for name, value in self._url.query.items() if name in ("host", "port", "options")}
        shown = self._url.set(drivername="postgresql", query=query)._replace(password=None)
        return unquote(shown.render_as_string())

    def connect(self) -> Engines:
        """Connections to the server, which are made when they are first needed.

        A connection that broke since it was last used, for instance by a restart of the server, is replaced silently.
        """
        try:
            engine = create_engine(
                self._url,
                connect_args=self._parameters(),
                pool_pre_ping=True,
                isolation_level="READ COMMITTED",
                use_native_hstore=False,  # saves a query to the server
                **QUIET,
            )
        except ImportError as error:
            raise MissingExtra("psycopg, the driver of PostgreSQL,", "postgresql") from error
        reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        return Engines(engine, reading, engine)

    def _parameters(self) -> dict[str, Any]:
        query = self._url.query
        given = {name: value for name, value in GIVEN.items() if name not in query}
        settings = " ".join(f"-c{name}={value}" for name, value in ON_THE_SERVER.items())
        options = query.get("options", "")
        own = options if isinstance(options, str) else " ".join(options)
        name = f"penstock {socket.gethostname()[:40]} {os.getpid()}"
        return given | {"application_name": query.get("application_name", name), "options": f"{settings} {own}"}

    def prepare_schema(self, connection: Connection) -> None:
        """Takes a lock that ends with the transaction, and checks the database's encoding.

        Raises:
            CatalogError: the database does not hold Unicode.
        """
        encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
        if encoding != "UTF8":
            raise CatalogError(
                f"catalog {self.name!r}: the database's encoding is {encoding}, which does not hold every character; "
                "make one with: createdb -E UTF8 -T template0 NAME"
            )
        advisory.lock_schema(connection)

    def settle(self, connection: Connection) -> None:
        """Runs ANALYZE, as the server itself does minutes later; until then its estimates are bad."""
        connection.execute(
            text("ANALYZE collections, sources, source_labels, source_access, documents, chunks, vectors")
        )

    def hold_runs(self, connection: Connection) -> None:
        """Locks the table of runs against writers."""
        connection.execute(text("LOCK TABLE runs IN SHARE ROW EXCLUSIVE MODE"))

    def size(self, connection: Connection) -> int:
        """Bytes of all tables of the schema, with their indexes."""
        return int(connection.execute(text(SIZE)).scalar_one())

    def shrink(self, engine: Engine) -> None:
        """A plain VACUUM: later writes use the free space, and space at the end of a table is returned to the disk.

        VACUUM FULL, which returns all of it, locks readers out; the server's owner may run it.
        """
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"VACUUM {TABLES}"))

    def flaws(self, connection: Connection) -> Iterator[str]:
        """Flaws of the indexes that the extension `amcheck` finds; none where this user may not run it."""
        if not connection.execute(text(MAY_CHECK)).scalar():
            return
        for name in connection.scalars(text(BTREES)).all():
            try:
                with connection.begin_nested():
                    connection.execute(text("SELECT bt_index_check(CAST(:name AS regclass), true)"), {"name": name})
            except DBAPIError as error:
                yield f"index {name} of the database is damaged: {message_of(error)}"

    def explain(self, error: SQLAlchemyError) -> CatalogError:
        """The error, with what to do about it; `CatalogUnavailable` where trying again can help."""
        message = message_of(error)
        for secret in (self._url.password, self._url.query.get("password"), self._url.query.get("sslpassword")):
            message = message.replace(str(secret), "...") if secret else message
        state = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
        begun = f"catalog {self.name!r}: {message}; "
        if state in WAITED:
            return CatalogUnavailable(begun + WAITED[state])
        if state.startswith(AWAY) or isinstance(error, PoolTimeoutError):
            return CatalogUnavailable(f"{begun}run again when the server serves")
        advice = next((advice for sign, advice in ADVICE.items() if sign in message.lower()), "")
        if not advice and isinstance(error, DBAPIError) and not state and _is_operational(error):
            return CatalogUnavailable(f"{begun}check that the server runs and can be reached, then run again")
        return CatalogError(begun + (advice or "nothing was written"))

    def writing(self, engine: Engine, name: str, doing: str, timeout: float, /) -> AbstractContextManager[Check | None]:
        """A lock in the database, which ends with its connection: a process that dies leaves no lock behind."""
        return advisory.writing(engine, name, doing, timeout)


def _is_operational(error: DBAPIError) -> bool:
    import psycopg

    return isinstance(error.orig, psycopg.OperationalError | psycopg.InterfaceError)
