"""A checksum of each event and document. Rows of older versions have none, and are accepted without."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. Neither SQLite nor PostgreSQL rewrites the rows for that."""
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    for table in ("events", "documents"):
        op.add_column(table, sa.Column("checksum", number))
