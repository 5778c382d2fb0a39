"""Which revisions can be read, under which name a collection was made, and which chunks have a text."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Adds the columns: nothing was compacted yet, and no collection was renamed."""
    op.add_column("collections", sa.Column("origin", TEXT, nullable=False, server_default=""))
    op.add_column("collections", sa.Column("oldest", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE collections SET origin = name")
    op.create_index(op.f("ix_chunks_context_hash_collection"), "chunks", ["context_hash", "collection"])
