"""Where the listings of addresses go on."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Creates the table; nothing was remembered before."""
    op.create_table(
        "cursors",
        sa.Column("collection", ROW, nullable=False),
        sa.Column("uri", TEXT, nullable=False),
        sa.Column("cursor", TEXT, nullable=False),
        sa.Column("mark", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["collection"], ["collections.row"], name=op.f("fk_cursors_collection")),
        sa.PrimaryKeyConstraint("collection", "uri", name=op.f("pk_cursors")),
    )
