"""Open the journal that a server is configured to have."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .protocol import Journal

if TYPE_CHECKING:
    from .database import Database

JOURNAL_URL_VARIABLE: Final = "OET_JOURNAL_URL"
"""Name of the environment variable that by custom holds the URL of a PostgreSQL database."""

_IMPORTED_LATE: Final = (
    ".durable",
    ".owner",
    ".sqlite",
    "alembic.config",
    "alembic.runtime.environment",
    "alembic.script",
    "sqlalchemy.dialects.sqlite.pysqlite",
)


def prepare_to_open() -> None:
    """Import what opening a journal needs, for who has time now, and none when one is to be opened."""
    for name in _IMPORTED_LATE:
        importlib.import_module(name, __package__)


def open_journal(
    state_directory: Path,
    url: str | None = None,
    *,
    namespace: str = "oet_journal",
    event_retention: int = 100_000,
    document_retention: int = 1_000,
    on_fault: Callable[[str | None], None] | None = None,
) -> Journal:
    """Open the durable journal, make it if there is none, and bring its schema up to date.

    A storage that cannot be used at present is no error: the journal then begins in memory, says so in
    `Journal.fault`, and goes over to the storage once that is possible.

    :param state_directory: holds the lock and the file of SQLite; made if there is none
    :param url: of a PostgreSQL database to be used instead of the file
    :param namespace: schema of that database: each controller needs one of its own
    :param event_retention: how many of the newest events to keep
    :param document_retention: how many of the newest ended documents to keep of each kind
    :param on_fault: called by a thread of the journal with each new value of `Journal.fault`; it may read the
        journal, and must not wait for a thread that appends
    :returns: the journal; whoever opens it closes it
    :raises JournalLocked: if another server uses it
    :raises JournalTooNew: if it was written by a newer version of the OET
    :raises JournalUnavailable: if it cannot be opened, nor the last numbers be known
    :raises ValueError: if an argument cannot be right
    """
    # SQLAlchemy takes half a second to import: only who opens a journal pays for it, no worker process.
    from .durable import DurableJournal
    from .owner import StorageOwner
    from .retention import Retention

    retention = Retention(event_retention, document_retention)
    owner = StorageOwner(state_directory, _database(state_directory, url, namespace))
    return DurableJournal(owner, retention, on_fault)


def _database(state_directory: Path, url: str | None, namespace: str) -> "Database":
    if url:
        from .postgres import PostgresDatabase

        return PostgresDatabase(url, namespace)
    from .sqlite import SqliteDatabase

    return SqliteDatabase(state_directory)
