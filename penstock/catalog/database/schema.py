"""The tables. Rows of sources, documents and chunks are added and removed, never changed; old revisions stay readable.

A row is live at revision `r` when `added_rev <= r < removed_rev`; rows that were not removed have `LIVE` there, which
makes "one live source a URI" and "one live document a content" plain unique constraints. Sources and documents are
joined by their content hash, so that a document may move to another id without rewriting its sources.

A collection has its present name and its `origin`, the name that it was created with: ids of documents are made from
that, so that a rename does not change them. Revisions before `oldest` cannot be read any more.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Table,
    UniqueConstraint,
    and_,
)

from penstock.catalog.database.dialect import ExactText, Plain, RowNumber

LIVE = 2**62
"""`removed_rev` of a row that was not removed."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str) -> Column[str]:
    return Column(name, ExactText, nullable=False)


def _plain(name: str) -> Column[str]:
    return Column(name, Plain, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _collection() -> Column[int]:
    return Column("collection", RowNumber, ForeignKey("collections.row"), nullable=False)


def _row() -> Column[int]:
    return Column("row", RowNumber, primary_key=True, autoincrement=True)


collections = Table(
    "collections",
    metadata,
    _row(),
    Column("name", Plain, nullable=False, unique=True),
    _plain("uid"),
    _number("revision"),
    _plain("embedder"),
    _number("updated"),
    _plain("origin"),
    _number("oldest"),
    sqlite_autoincrement=True,
)

runs = Table(
    "runs",
    metadata,
    _row(),
    _collection(),
    _text("command"),
    _plain("status"),
    _number("started"),
    Column("finished", BigInteger),
    Column("report", LargeBinary),
    Index(None, "collection"),
    sqlite_autoincrement=True,
)

revisions = Table(
    "revisions",
    metadata,
    Column("collection", RowNumber, ForeignKey("collections.row"), primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    _number("time"),
    Column("run", RowNumber, ForeignKey("runs.row")),
    _plain("embedder"),
)

models = Table(
    "models",
    metadata,
    _row(),
    Column("identity", Plain, nullable=False, unique=True),
    _number("dimension"),
    sqlite_autoincrement=True,
)

vectors = Table(
    "vectors",
    metadata,
    Column("model", RowNumber, ForeignKey("models.row"), primary_key=True),
    Column("hash", Plain, primary_key=True),
    Column("vector", LargeBinary, nullable=False),
)

contents = Table(
    "contents",
    metadata,
    Column("collection", RowNumber, ForeignKey("collections.row"), primary_key=True),
    Column("hash", Plain, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

sources = Table(
    "sources",
    metadata,
    _row(),
    _collection(),
    _text("uri"),
    _text("media_type"),
    _plain("sha256"),
    _number("size"),
    Column("modified", BigInteger),
    _text("etag"),
    _plain("labels"),
    _plain("access"),
    _plain("outcome"),
    _text("reason"),
    _plain("content"),
    _plain("loader"),
    _plain("chunker"),
    _number("added_rev"),
    _number("removed_rev"),
    UniqueConstraint("collection", "uri", "removed_rev"),
    Index(None, "collection", "content", "removed_rev"),
    Index(None, "collection", "sha256"),
    Index(None, "collection", "added_rev"),
    Index(None, "collection", "removed_rev"),
    sqlite_autoincrement=True,
)

source_labels = Table(
    "source_labels",
    metadata,
    Column("source", RowNumber, ForeignKey("sources.row"), primary_key=True),
    Column("name", ExactText, primary_key=True),
    _text("value"),
    Index(None, "name", "value"),
)

source_access = Table(
    "source_access",
    metadata,
    Column("source", RowNumber, ForeignKey("sources.row"), primary_key=True),
    Column("principal", ExactText, primary_key=True),
)

addresses = Table(
    "addresses",
    metadata,
    Column("collection", RowNumber, ForeignKey("collections.row"), primary_key=True),
    Column("uri", ExactText, primary_key=True),
    _plain("access"),
    _number("run"),
)

cursors = Table(
    "cursors",
    metadata,
    Column("collection", RowNumber, ForeignKey("collections.row"), primary_key=True),
    Column("uri", ExactText, primary_key=True),
    _text("cursor"),
    _plain("mark"),
)

documents = Table(
    "documents",
    metadata,
    _row(),
    _collection(),
    _plain("id"),
    _text("uri"),
    _plain("content"),
    _text("title"),
    _plain("language"),
    _plain("chunker"),
    _number("chunks"),
    _number("added_rev"),
    _number("removed_rev"),
    UniqueConstraint("collection", "id", "removed_rev"),
    UniqueConstraint("collection", "content", "removed_rev"),
    Index(None, "collection", "removed_rev"),
    sqlite_autoincrement=True,
)

chunks = Table(
    "chunks",
    metadata,
    _row(),
    _collection(),
    Column("document", RowNumber, ForeignKey("documents.row"), nullable=False),
    _number("ordinal"),
    _plain("id"),
    _number("span_start"),
    _number("span_end"),
    Column("first_page", BigInteger),
    Column("last_page", BigInteger),
    _plain("language"),
    _plain("context_hash"),
    _number("added_rev"),
    _number("removed_rev"),
    _plain("headings"),
    _plain("places"),
    _text("table_header"),
    _text("text"),
    Index(None, "document", "ordinal"),
    Index(None, "context_hash", "collection"),
    Index(None, "collection", "removed_rev", "added_rev", "language"),
    sqlite_autoincrement=True,
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("collection", RowNumber, ForeignKey("collections.row"), primary_key=True),
    Column("uri", ExactText, primary_key=True),
    _plain("source"),
    _plain("loader"),
    _plain("failure"),
    _number("since"),
)


def live(table: Table, at: int) -> ColumnElement[bool]:
    """Whether a row of sources, documents or chunks is live at a revision."""
    return and_(table.c.added_rev <= at, table.c.removed_rev > at)


def belongs(table: Table, collection: int) -> ColumnElement[bool]:
    """Whether a row belongs to a collection."""
    return table.c.collection == collection
