"""All that differs between databases in SQL: types, globs, lists, inserting if absent.

How to connect to a kind of database is in its own module: `sqlite`, `postgresql`.
"""

import re
from collections.abc import Sequence
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

from penstock.catalog.database.backends import Backend
from penstock.catalog.database.globs import postgresql_expression, python_expression
from penstock.catalog.database.sqlite import Sqlite
from penstock.errors import CatalogError

ALLOWED = "allowed: sqlite:///PATH, postgresql://USER@HOST/DATABASE"

RowNumber = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite counts row numbers only in a column whose type is exactly INTEGER."""
Plain = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that holds no NUL: hashes, fingerprints, JSON. Ordered by code points, as SQLite orders all text."""
NUL, MARK = "\x00", "\ufdd0"
"""PostgreSQL takes every character but NUL, which is written there as MARK and 0; MARK itself, a code point that
Unicode keeps for internal use, as MARK and 1."""
MARKED = re.compile(f"{MARK}([01])")


class MarkedText(TypeDecorator[str]):
    """Text of any characters in PostgreSQL; it is read exactly as it was written."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        """The text as it is written."""
        return value if value is None or not (NUL in value or MARK in value) else _marked(value)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> str | None:
        """The text as it was given."""
        return value if value is None or MARK not in value else MARKED.sub(_unmarked, value)


ExactText = Text().with_variant(MarkedText(collation="C"), "postgresql")
"""Text from strangers, which may hold any character. Ordered as `Plain`."""


def _marked(text: str) -> str:
    return text.replace(MARK, f"{MARK}1").replace(NUL, f"{MARK}0")


def _unmarked(found: re.Match[str]) -> str:
    return NUL if found[1] == "0" else MARK


def backend_of(url: str, password: str | None = None) -> Backend:
    """The database at an address; `password` is its user's, where the address does not hold it.

    Raises:
        CatalogError: this is not an address of a database that can hold a catalog.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        shown = f"...@{url.rpartition('@')[2]}" if "@" in url else url  # a password may come before it
        raise CatalogError(f"{shown!r} is no database address; {ALLOWED}") from None
    if parsed.drivername == "sqlite":
        return Sqlite(parsed)
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        made: Backend = import_module("penstock.catalog.database.postgresql").Postgresql(parsed, password)
        return made
    raise CatalogError(f"no catalog on {parsed.drivername!r}; {ALLOWED}")


def insert_if_absent(connection: Connection, table: Table) -> Any:
    """An INSERT that does not change existing rows."""
    if connection.dialect.name == "postgresql":
        return import_module("sqlalchemy.dialects.postgresql").insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


class matches(FunctionElement[bool]):  # noqa: N801 # reads as the SQL function that it makes
    """Whether a text matches one of some shell patterns (`*`, `?`, `[...]`, `[!...]`), case-sensitively.

    The conditions are joined in halves: SQLite takes at most 1,000 in a row, because it nests them.
    """

    name = "matches"
    type = Boolean()
    inherit_cache = True

    def __init__(self, column: ColumnElement[str], *patterns: str) -> None:
        spelt = [
            literal(form, ExactText)
            for pattern in patterns
            for form in (python_expression(pattern), postgresql_expression(pattern))
        ]
        super().__init__(column, *spelt)


@compiles(matches, "sqlite")
def _matches_on_sqlite(element: matches, compiler: SQLCompiler, **options: Any) -> str:
    column, *spelt = element.clauses
    text = compiler.process(column, **options)
    return _either([f"{text} REGEXP {compiler.process(expression, **options)}" for expression in spelt[::2]])


@compiles(matches, "postgresql")
def _matches_on_postgresql(element: matches, compiler: SQLCompiler, **options: Any) -> str:
    column, *spelt = element.clauses
    text = compiler.process(column, **options)
    return _either([f"{text} ~ {compiler.process(expression, **options)}" for expression in spelt[1::2]])


def _either(conditions: Sequence[str]) -> str:
    if len(conditions) == 1:
        return conditions[0]
    half = len(conditions) // 2
    return f"({_either(conditions[:half])} OR {_either(conditions[half:])})"
