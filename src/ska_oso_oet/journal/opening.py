"""Open the journal that a server is configured to have."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .protocol import Journal

if TYPE_CHECKING:
    from .backend import Backend

JOURNAL_URL_VARIABLE: Final = "OET_JOURNAL_URL"
"""Name of the environment variable that usually holds the URL of a PostgreSQL database."""

_IMPORTED_LATE: Final = (
    ".durable",
    ".storage_opener",
    ".sqlite",
    "sqlalchemy.dialects.sqlite.pysqlite",
)


def prepare_to_open() -> None:
    """Import the modules that open a journal, so that `open_journal` takes no time for them later."""
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
    on_damage: Callable[[], None] = lambda: None,
) -> Journal:
    """Open the durable journal; create it if it does not exist, and upgrade its schema if that is old.

    A storage that cannot be used at present is not an error: the journal then starts in memory, reports that
    as `Journal.fault`, and writes everything to the storage once that is possible.

    :param state_directory: folder with the lock and the file of SQLite; created if it does not exist
    :param url: URL of a PostgreSQL database, used instead of the file
    :param namespace: schema of that database; each controller needs its own
    :param event_retention: how many of the newest events to keep
    :param document_retention: how many of the newest ended documents to keep of each kind
    :param on_fault: called by a thread of the journal with each new value of `Journal.fault`; it may read the
        journal, but must not wait for a thread that appends
    :param on_damage: called when `Journal.recovery` names one more damaged row, or that the lock file was
        removed, by the thread that reads or appends
    :returns: the journal; the caller closes it
    :raises JournalLockedError: if another server uses it
    :raises JournalTooNewError: if it was written by a newer version of the OET
    :raises JournalUnavailableError: if it cannot be opened, and the last numbers are not known
    :raises ValueError: if an argument is not valid
    """
    # SQLAlchemy takes half a second to import, which processes that open no journal do not need.
    from .durable import DurableJournal
    from .retention import Retention
    from .storage_opener import StorageOpener

    retention = Retention(event_retention, document_retention)
    opener = StorageOpener(state_directory, _backend(state_directory, url, namespace), on_damage)
    return DurableJournal(opener, retention, on_fault, on_damage)


def _backend(state_directory: Path, url: str | None, namespace: str) -> "Backend":
    if url:
        from .postgres import PostgresBackend

        return PostgresBackend(url, namespace)
    from .sqlite import SqliteBackend

    return SqliteBackend(state_directory)
