"""The tables of the journal: created in a new database, upgraded in an older one."""

import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    insert,
    inspect,
    select,
    text,
)

from .backend import StorageDamagedError
from .protocol import JournalTooNewError

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext

REVISION: Final = "0002"
"""The newest migration. A database at this revision is opened without importing Alembic."""

_REVISION_ID: Final = re.compile(r"[0-9A-Za-z_]+")

MIGRATIONS: Final = Path(__file__).with_name("migrations")
"""The folder in which Alembic finds the migrations, one file for each."""

# In SQLite only a column of exactly this type is the row's own number, and needs no second index.
_Number: Final = BigInteger().with_variant(Integer, "sqlite")
# Ordered by code point, so that a prefix is a range of the index for any locale of the database.
_Name: Final = Text().with_variant(Text(collation="C"), "postgresql")

metadata = MetaData()

events = Table(
    "events",
    metadata,
    Column("seq", _Number, primary_key=True, autoincrement=False),
    Column("topic", _Name, nullable=False),
    Column("text", Text, nullable=False),
    Column("checksum", _Number),
    Index("ix_events_topic_seq", "topic", "seq"),
)

documents = Table(
    "documents",
    metadata,
    Column("kind", _Name, primary_key=True),
    Column("id", _Number, primary_key=True, autoincrement=False),
    Column("live", Boolean(create_constraint=False), nullable=False),
    Column("text", Text, nullable=False),
    Column("checksum", _Number),
    Index("ix_documents_kind_live_id", "kind", "live", "id"),
)

# The greatest ID assigned of each kind: it outlives the documents.
identifiers = Table(
    "identifiers",
    metadata,
    Column("kind", _Name, primary_key=True),
    Column("last_id", _Number, nullable=False),
)

ANY_KIND: Final = ""
"""The row of `identifiers` that holds for kinds that have no row of their own."""

# Numbers of events that are missing, first and last of each range.
missing_ranges = Table(
    "gaps",
    metadata,
    Column("first", _Number, primary_key=True, autoincrement=False),
    Column("last", _Number, nullable=False),
)

# The table in which Alembic looks for the revision of a database. It is not part of what Alembic compares.
_versions = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

# Alembic passes the running migration to its scripts in global variables.
_one_migration_at_a_time = threading.Lock()


def bring_up_to_date(connection: Connection, name: str) -> None:
    """Create the tables in a new database, or run the migrations that an older one lacks, in one transaction.

    :param connection: to the database, without an open transaction
    :param name: name of the database, for messages
    :raises JournalTooNewError: if the database has a revision that this version of the OET does not know
    """
    with connection.begin():
        found = _revision(connection)
        if found is None:
            if inspect(connection).has_table(events.name):
                raise StorageDamagedError(f"{name} is damaged: it has no version of its schema")
            create(connection)
        elif found != REVISION:
            upgrade(connection, found, name)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_versions.name):
        return None
    found = connection.scalar(select(_versions.c.version_num))
    if found is not None and not _REVISION_ID.fullmatch(str(found)):
        raise StorageDamagedError(f"the version of the journal's schema is damaged: {found!r}")
    return found


def create(connection: Connection) -> None:
    """Create the tables as the migrations would, without importing Alembic, which takes half a second.

    :param connection: to a new database, with an open transaction
    """
    # A table that exists is an error: a table of unknown revision cannot be used.
    metadata.create_all(connection, checkfirst=False)
    _versions.create(connection, checkfirst=True)
    connection.execute(insert(_versions).values(version_num=REVISION))


def upgrade(connection: Connection, found: str | None, name: str) -> None:
    """Run the migrations that a database lacks.

    :param connection: to the database, with an open transaction
    :param found: its revision; None for an empty database
    :param name: name of the database, for messages
    :raises JournalTooNewError: if the database has a revision that this version of the OET does not know
    """
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(MIGRATIONS))
    if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
        raise JournalTooNewError(
            f"the journal in {name} has schema version {found}, which this version of the OET does not know"
            f" (it knows versions up to {REVISION}): install the version that wrote it, or give this server"
            " another StateDirectory"
        )

    def missing(revision: str, _context: "MigrationContext") -> Any:
        return scripts._upgrade_revs("head", revision)  # noqa: SLF001 - what `alembic upgrade` itself calls

    if connection.dialect.name == "postgresql":
        # The limit for statements is for the running server; a migration may take longer.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
    with (
        _one_migration_at_a_time,
        EnvironmentContext(Config(), scripts, fn=missing) as environment,
    ):
        environment.configure(connection=connection)
        environment.run_migrations()
