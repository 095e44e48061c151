"""Bring the schema of a database up to date when it is opened."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, inspect, text

from .protocol import JournalTooNew
from .schema import REVISION

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext

MIGRATIONS: Final = Path(__file__).with_name("migrations")
"""Where Alembic finds the migrations, one file for each."""

# Alembic hands the migration that is running to its scripts through globals.
_one_at_a_time = threading.Lock()


def bring_up_to_date(connection: Connection, name: str) -> None:
    """Run the migrations that a database lacks, in one transaction.

    :param connection: to the database, with no transaction begun
    :param name: of the database, for the user
    :raises JournalTooNew: if the database has a revision that this version of the OET does not know
    """
    with connection.begin():
        found = _revision(connection)
        if found != REVISION:
            _migrate(connection, found, name)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(connection: Connection, found: str | None, name: str) -> None:
    # Alembic takes half a second to import, which only the start after an update has to spend.
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(MIGRATIONS))
    if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
        raise JournalTooNew(
            f"the journal in {name} has schema version {found}, which this version of the OET does not know"
            f" (it knows versions up to {REVISION}): install the version that wrote it, or give this server"
            " another StateDirectory"
        )

    def upgrade(revision: str, _context: "MigrationContext") -> Any:
        return scripts._upgrade_revs("head", revision)  # noqa: SLF001 - what `alembic upgrade` itself calls

    if connection.dialect.name == "postgresql":
        # The bound on statements is for the running server; a migration takes the time it takes.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
    with _one_at_a_time, EnvironmentContext(Config(), scripts, fn=upgrade) as environment:
        environment.configure(connection=connection)
        environment.run_migrations()
