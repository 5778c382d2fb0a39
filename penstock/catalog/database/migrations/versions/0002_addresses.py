"""Who may see what lies at an address: what was said last."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Creates the table; the access that older runs gave is known only from their sources."""
    op.create_table(
        "addresses",
        sa.Column("collection", ROW, nullable=False),
        sa.Column("uri", TEXT, nullable=False),
        sa.Column("access", TEXT, nullable=False),
        sa.Column("run", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["collection"], ["collections.row"], name=op.f("fk_addresses_collection")),
        sa.PrimaryKeyConstraint("collection", "uri", name=op.f("pk_addresses")),
    )
