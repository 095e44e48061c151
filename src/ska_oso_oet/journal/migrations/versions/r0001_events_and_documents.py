"""Tables for events and documents, and for the numbers that outlive them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "events",
        sa.Column("seq", number, primary_key=True, autoincrement=False),
        sa.Column("topic", name, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("ix_events_topic_seq", "events", ["topic", "seq"])
    op.create_table(
        "documents",
        sa.Column("kind", name, primary_key=True),
        sa.Column("id", number, primary_key=True, autoincrement=False),
        sa.Column("live", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("ix_documents_kind_live_id", "documents", ["kind", "live", "id"])
    op.create_table(
        "identifiers",
        sa.Column("kind", name, primary_key=True),
        sa.Column("last_id", number, nullable=False),
    )
    op.create_table(
        "gaps",
        sa.Column("first", number, primary_key=True, autoincrement=False),
        sa.Column("last", number, nullable=False),
    )
