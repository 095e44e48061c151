"""The tables of the journal, as the newest migration leaves them."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, Table, Text

REVISION: Final = "0001"
"""The newest migration. A database at this revision is opened without loading Alembic."""

# In SQLite only a column of exactly this type is the row's own number, and costs no second index.
_Number: Final = BigInteger().with_variant(Integer, "sqlite")
# Ordered by code point, so that a prefix is a range of the index whatever the locale of the database.
_Name: Final = Text().with_variant(Text(collation="C"), "postgresql")

metadata = MetaData()

events = Table(
    "events",
    metadata,
    Column("seq", _Number, primary_key=True, autoincrement=False),
    Column("topic", _Name, nullable=False),
    Column("text", Text, nullable=False),
    Index("ix_events_topic_seq", "topic", "seq"),
)

documents = Table(
    "documents",
    metadata,
    Column("kind", _Name, primary_key=True),
    Column("id", _Number, primary_key=True, autoincrement=False),
    Column("live", Boolean(create_constraint=False), nullable=False),
    Column("text", Text, nullable=False),
    Index("ix_documents_kind_live_id", "kind", "live", "id"),
)

# The greatest ID given out for each kind: it outlives the documents.
identifiers = Table(
    "identifiers",
    metadata,
    Column("kind", _Name, primary_key=True),
    Column("last_id", _Number, nullable=False),
)

ANY_KIND: Final = ""
"""The row of `identifiers` that holds for kinds that have none of their own."""

# Numbers of events that are missing in between, first and last of each run.
gaps = Table(
    "gaps",
    metadata,
    Column("first", _Number, primary_key=True, autoincrement=False),
    Column("last", _Number, nullable=False),
)
