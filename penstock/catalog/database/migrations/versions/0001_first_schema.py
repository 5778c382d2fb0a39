"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Creates all tables, those that others refer to first."""
    _collections()
    _models()
    _contents()
    _documents()
    _quarantine()
    _runs()
    _sources()
    _vectors()
    _chunks()
    _revisions()
    _source_access()
    _source_labels()


def _collections() -> None:
    op.create_table(
        "collections",
        sa.Column("row", ROW, nullable=False, autoincrement=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("uid", TEXT, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("embedder", TEXT, nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_collections")),
        sa.UniqueConstraint("name", name=op.f("uq_collections_name")),
        sqlite_autoincrement=True,
    )


def _models() -> None:
    op.create_table(
        "models",
        sa.Column("row", ROW, nullable=False, autoincrement=True),
        sa.Column("identity", TEXT, nullable=False),
        sa.Column("dimension", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_models")),
        sa.UniqueConstraint("identity", name=op.f("uq_models_identity")),
        sqlite_autoincrement=True,
    )


def _contents() -> None:
    op.create_table(
        "contents",
        sa.Column("collection", ROW, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["collection"], ["collections.row"], name=op.f("fk_contents_collection")),
        sa.PrimaryKeyConstraint("collection", "hash", name=op.f("pk_contents")),
    )


def _documents() -> None:
    op.create_table(
        "documents",
        sa.Column("row", ROW, nullable=False, autoincrement=True),
        sa.Column("collection", ROW, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("uri", TEXT, nullable=False),
        sa.Column("content", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("language", TEXT, nullable=False),
        sa.Column("chunker", TEXT, nullable=False),
        sa.Column("chunks", sa.BigInteger(), nullable=False),
        sa.Column("added_rev", sa.BigInteger(), nullable=False),
        sa.Column("removed_rev", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["collection"], ["collections.row"], name=op.f("fk_documents_collection")),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_documents")),
        sa.UniqueConstraint(
            "collection", "content", "removed_rev", name=op.f("uq_documents_collection_content_removed_rev")
        ),
        sa.UniqueConstraint("collection", "id", "removed_rev", name=op.f("uq_documents_collection_id_removed_rev")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_documents_collection_removed_rev"), "documents", ["collection", "removed_rev"])


def _quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("collection", ROW, nullable=False),
        sa.Column("uri", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("loader", TEXT, nullable=False),
        sa.Column("failure", TEXT, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["collection"], ["collections.row"], name=op.f("fk_quarantine_collection")),
        sa.PrimaryKeyConstraint("collection", "uri", name=op.f("pk_quarantine")),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("row", ROW, nullable=False, autoincrement=True),
        sa.Column("collection", ROW, nullable=False),
        sa.Column("command", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("finished", sa.BigInteger(), nullable=True),
        sa.Column("report", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["collection"], ["collections.row"], name=op.f("fk_runs_collection")),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_runs")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_runs_collection"), "runs", ["collection"])


def _sources() -> None:
    op.create_table(
        "sources",
        sa.Column("row", ROW, nullable=False, autoincrement=True),
        sa.Column("collection", ROW, nullable=False),
        sa.Column("uri", TEXT, nullable=False),
        sa.Column("media_type", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("modified", sa.BigInteger(), nullable=True),
        sa.Column("etag", TEXT, nullable=False),
        sa.Column("labels", TEXT, nullable=False),
        sa.Column("access", TEXT, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("content", TEXT, nullable=False),
        sa.Column("loader", TEXT, nullable=False),
        sa.Column("chunker", TEXT, nullable=False),
        sa.Column("added_rev", sa.BigInteger(), nullable=False),
        sa.Column("removed_rev", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["collection"], ["collections.row"], name=op.f("fk_sources_collection")),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_sources")),
        sa.UniqueConstraint("collection", "uri", "removed_rev", name=op.f("uq_sources_collection_uri_removed_rev")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_sources_collection_added_rev"), "sources", ["collection", "added_rev"])
    op.create_index(
        op.f("ix_sources_collection_content_removed_rev"), "sources", ["collection", "content", "removed_rev"]
    )
    op.create_index(op.f("ix_sources_collection_removed_rev"), "sources", ["collection", "removed_rev"])
    op.create_index(op.f("ix_sources_collection_sha256"), "sources", ["collection", "sha256"])


def _vectors() -> None:
    op.create_table(
        "vectors",
        sa.Column("model", ROW, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["model"], ["models.row"], name=op.f("fk_vectors_model")),
        sa.PrimaryKeyConstraint("model", "hash", name=op.f("pk_vectors")),
    )


def _chunks() -> None:
    op.create_table(
        "chunks",
        sa.Column("row", ROW, nullable=False, autoincrement=True),
        sa.Column("collection", ROW, nullable=False),
        sa.Column("document", ROW, nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("span_start", sa.BigInteger(), nullable=False),
        sa.Column("span_end", sa.BigInteger(), nullable=False),
        sa.Column("first_page", sa.BigInteger(), nullable=True),
        sa.Column("last_page", sa.BigInteger(), nullable=True),
        sa.Column("language", TEXT, nullable=False),
        sa.Column("context_hash", TEXT, nullable=False),
        sa.Column("added_rev", sa.BigInteger(), nullable=False),
        sa.Column("removed_rev", sa.BigInteger(), nullable=False),
        sa.Column("headings", TEXT, nullable=False),
        sa.Column("places", TEXT, nullable=False),
        sa.Column("table_header", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["collection"], ["collections.row"], name=op.f("fk_chunks_collection")),
        sa.ForeignKeyConstraint(["document"], ["documents.row"], name=op.f("fk_chunks_document")),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_chunks")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_chunks_collection_removed_rev_added_rev_language"),
        "chunks",
        ["collection", "removed_rev", "added_rev", "language"],
    )
    op.create_index(op.f("ix_chunks_document_ordinal"), "chunks", ["document", "ordinal"])


def _revisions() -> None:
    op.create_table(
        "revisions",
        sa.Column("collection", ROW, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("run", ROW, nullable=True),
        sa.Column("embedder", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["collection"], ["collections.row"], name=op.f("fk_revisions_collection")),
        sa.ForeignKeyConstraint(["run"], ["runs.row"], name=op.f("fk_revisions_run")),
        sa.PrimaryKeyConstraint("collection", "revision", name=op.f("pk_revisions")),
    )


def _source_access() -> None:
    op.create_table(
        "source_access",
        sa.Column("source", ROW, nullable=False),
        sa.Column("principal", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["source"], ["sources.row"], name=op.f("fk_source_access_source")),
        sa.PrimaryKeyConstraint("source", "principal", name=op.f("pk_source_access")),
    )


def _source_labels() -> None:
    op.create_table(
        "source_labels",
        sa.Column("source", ROW, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["source"], ["sources.row"], name=op.f("fk_source_labels_source")),
        sa.PrimaryKeyConstraint("source", "name", name=op.f("pk_source_labels")),
    )
    op.create_index(op.f("ix_source_labels_name_value"), "source_labels", ["name", "value"])
