"""What differs between databases in SQL, and nothing else does: types, globs, lists, inserting unless there.

How a kind of database is connected to stands in a module of its own: `sqlite`, `postgresql`.
"""

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

from sqlalchemy import BigInteger, Boolean, Connection, Dialect, Integer, Table, Text, TypeDecorator, literal
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ColumnElement
from sqlalchemy.sql.functions import FunctionElement

from penstock.catalog.backends import Backend
from penstock.catalog.globs import regular_expression, sqlite_glob
from penstock.catalog.sqlite import Sqlite
from penstock.errors import CatalogError

ALLOWED = "allowed: sqlite:///PATH, postgresql://USER@HOST/DATABASE"

RowNumber = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite counts row numbers only in a column whose type is exactly INTEGER."""
Plain = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that holds no NUL: hashes, fingerprints, JSON. Ordered by code points, as SQLite orders all text."""
NUL, MARK = "\x00", "\ufdd0"
"""PostgreSQL takes every character but NUL, which is written there as MARK and 0; MARK itself, a code point that
Unicode keeps for internal use, as MARK and 1."""


class ExactText(TypeDecorator[str]):
    """Text from strangers, which may hold any character; it comes back as it went in."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """`Plain`, of the dialect."""
        return dialect.type_descriptor(Text(collation="C") if dialect.name == "postgresql" else Text())

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """How a value is written; None: as it is."""
        return _marked if dialect.name == "postgresql" else None

    def result_processor(self, dialect: Dialect, _coltype: object) -> Callable[[Any], Any] | None:
        """How a value is read; None: as it is."""
        return _unmarked if dialect.name == "postgresql" else None


def _marked(text: str | None) -> str | None:
    if text is None or not (NUL in text or MARK in text):
        return text
    return text.replace(MARK, f"{MARK}1").replace(NUL, f"{MARK}0")


def _unmarked(text: str | None) -> str | None:
    if text is None or MARK not in text:
        return text
    return re.sub(f"{MARK}([01])", lambda found: NUL if found[1] == "0" else MARK, text)


def backend_of(url: str, password: str | None = None) -> Backend:
    """The database at an address; `password` is its user's, where the address does not hold it.

    Raises:
        CatalogError: this is not an address of a database that can hold a catalog.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        shown = re.sub("(?<=//).*@", "...@", url, flags=re.DOTALL)  # it may hold a password
        raise CatalogError(f"{shown!r} is no database address; {ALLOWED}") from None
    if parsed.drivername == "sqlite":
        return Sqlite(parsed)
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        made: Backend = import_module("penstock.catalog.postgresql").Postgresql(parsed, password)
        return made
    raise CatalogError(f"no catalog on {parsed.drivername!r}; {ALLOWED}")


def insert_if_absent(connection: Connection, table: Table) -> Any:
    """An INSERT that leaves rows alone that are there already."""
    if connection.dialect.name == "postgresql":
        return import_module("sqlalchemy.dialects.postgresql").insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


class matches(FunctionElement[bool]):  # noqa: N801 # reads as the function that it stands for
    """Whether a text matches a shell pattern (`*`, `?`, `[...]`, `[!...]`), upper and lower case told apart."""

    name = "matches"
    type = Boolean()
    inherit_cache = True

    def __init__(self, column: ColumnElement[str], pattern: str) -> None:
        super().__init__(
            column, literal(sqlite_glob(pattern), ExactText()), literal(regular_expression(pattern), ExactText())
        )


@compiles(matches, "sqlite")  # type: ignore[no-untyped-call,untyped-decorator] # SQLAlchemy does not type it
def _matches_on_sqlite(element: matches, compiler: SQLCompiler, **options: Any) -> str:
    column, glob, _ = element.clauses
    return f"{compiler.process(column, **options)} GLOB {compiler.process(glob, **options)}"


@compiles(matches, "postgresql")  # type: ignore[no-untyped-call,untyped-decorator] # as above
def _matches_on_postgresql(element: matches, compiler: SQLCompiler, **options: Any) -> str:
    column, _, expression = element.clauses
    return f"{compiler.process(column, **options)} ~ {compiler.process(expression, **options)}"
