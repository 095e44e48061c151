"""The journal's database as a file of SQLite in the state directory."""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from sqlalchemy import Connection, NullPool, QueuePool, create_engine, event
from sqlalchemy.exc import DBAPIError

from .backend import EntryRejectedError, StorageDamagedError, StorageError, WriteStatement
from .high_water_marks import LastNumbers

JOURNAL_FILE: Final = "journal.sqlite"
_COMPANIONS: Final = ("-wal", "-shm")
_DAMAGED_FILES_KEPT: Final = 3

# A transaction that begins by reading may fail to get the lock when it writes.
_BEGIN: Final = "BEGIN IMMEDIATE"
_BUSY_TIMEOUT_MS: Final = 2000
# A larger log is emptied although the writer has to wait a moment for that.
_MAX_LOG_BYTES: Final = 16 * 2**20
_FREE_PAGES_KEPT: Final = 1000
_PAGES_FREED_AT_ONCE: Final = 250

_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})
_DAMAGED_EXTENDED: Final = frozenset({sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS})
_NO_TEXT: Final = "Could not decode to UTF-8"
"""Beginning of the driver's message for a value that is not valid text; such an error has no code."""

_REASONS: Final = {
    sqlite3.SQLITE_FULL: "the disk is full: free some space",
    sqlite3.SQLITE_READONLY: "it is read-only: make the file and its directory writable",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: check the free space, and that its directory is writable",
    sqlite3.SQLITE_PERM: "access is denied: let the user of this server write there",
    sqlite3.SQLITE_BUSY: "it is locked by another program: close what else has it open",
    sqlite3.SQLITE_IOERR: "the file system reports an error: check its free space and its health",
}


class _FileIdentity(NamedTuple):
    """Identity of a file, and its size."""

    device: int
    inode: int
    size: int

    def may_have_become(self, found: os.stat_result) -> bool:
        """Whether the file with this status can be the same one, unchanged or grown."""
        return found.st_ino == self.inode and found.st_dev == self.device and found.st_size >= self.size


def _identity(path: Path) -> _FileIdentity:
    found = os.stat(path)
    return _FileIdentity(found.st_dev, found.st_ino, found.st_size)


class SqliteBackend:
    """The file `journal.sqlite`, with a write-ahead log (WAL).

    :param directory: the state directory
    """

    survives_power_loss = False  # synchronous=NORMAL: a commit does not call fsync

    def __init__(self, directory: Path) -> None:
        self._path = directory / JOURNAL_FILE
        self.name = str(self._path)
        self.writer = create_engine("sqlite://", creator=self._connect_writer, poolclass=NullPool)
        event.listen(self.writer, "begin", _begin_immediate)
        self.readers = create_engine(
            "sqlite://", creator=self._connect_reader, poolclass=QueuePool, isolation_level="AUTOCOMMIT"
        )
        self._known = _FileIdentity(0, 0, 0)

    def exists(self) -> bool | None:
        """Whether the file exists; None if its directory cannot be read."""
        try:
            return self._path.exists()
        except OSError:
            return None

    def _connect_writer(self) -> sqlite3.Connection:
        connection = self._connect("rwc")
        try:
            # Has an effect only before the first table is created.
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            # Moving the log into the file waits for the disk: the background thread does that.
            connection.execute("PRAGMA wal_autocheckpoint=0")
        except BaseException:
            connection.close()
            raise
        self._remember_file()
        return connection

    def _connect_reader(self) -> sqlite3.Connection:
        connection = self._connect("rw")
        connection.execute("PRAGMA query_only=ON")
        # A row with bytes that are not text must not make the others unreadable.
        connection.text_factory = lambda raw: raw.decode(errors="surrogateescape")
        return connection

    def _connect(self, mode: str) -> sqlite3.Connection:
        return sqlite3.connect(
            f"file:{quote(str(self._path))}?mode={mode}",
            uri=True,
            timeout=_BUSY_TIMEOUT_MS / 1000,
            isolation_level=None,
            check_same_thread=False,
        )

    def write(self, connection: Connection, steps: Sequence[WriteStatement]) -> None:
        """Execute all steps in one transaction.

        Uses the driver directly: through SQLAlchemy an event takes three times as long.
        """
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection), "created by _connect_writer"  # noqa: S101
        driver.execute(_BEGIN)
        try:
            for step in steps:
                driver.executemany(step.statement, step.rows)
            driver.execute("COMMIT")
        except BaseException:
            # After some errors SQLite has rolled back itself.
            if driver.in_transaction:
                driver.execute("ROLLBACK")
            raise

    def classify(self, error: Exception) -> StorageError | EntryRejectedError:
        """Return the fault that an exception of SQLite means."""
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        if isinstance(cause, UnicodeError | OverflowError | sqlite3.DataError | sqlite3.InterfaceError):
            return EntryRejectedError(str(cause))
        code = getattr(cause, "sqlite_errorcode", None)
        if code is None and str(cause).startswith(_NO_TEXT):
            return EntryRejectedError(str(cause))
        if code is None:
            return StorageError(f"{self.name}: {cause}")
        # The tables are created at opening: one that is missing later was removed, or the schema was changed.
        lost = code == sqlite3.SQLITE_ERROR and str(cause).startswith(("no such table", "no such column"))
        if lost or code in _DAMAGED_EXTENDED or code & 0xFF in _DAMAGED:
            return StorageDamagedError(f"{self.name} is damaged: {cause}")
        reason = _REASONS.get(code & 0xFF, "it cannot be used")
        return StorageError(f"{self.name}: {reason} ({cause})")

    def salvage(self) -> LastNumbers | None:
        """Read the greatest numbers from a file that cannot be opened; None if nothing can be read."""
        found = [*self._salvage("mode=ro"), *self._salvage("mode=ro&immutable=1")]
        plausible = [last_numbers for last_numbers in found if last_numbers.is_plausible()]
        if not plausible:
            return None
        result = plausible[0]
        for last_numbers in plausible[1:]:
            result = result.union(last_numbers)
        return result

    def _salvage(self, options: str) -> list[LastNumbers]:
        found = []
        try:
            connection = sqlite3.connect(f"file:{quote(str(self._path))}?{options}", uri=True)
        except sqlite3.Error:
            return []
        with contextlib.closing(connection):
            connection.text_factory = lambda raw: raw.decode(errors="replace")
            for column in ("max(seq) FROM events", "max(last) FROM gaps"):
                with contextlib.suppress(sqlite3.Error, TypeError, ValueError):
                    found.append(LastNumbers(int(connection.execute(f"SELECT {column}").fetchone()[0])))
            for columns in ("kind, last_id FROM identifiers", "kind, max(id) FROM documents GROUP BY kind"):
                with contextlib.suppress(sqlite3.Error, TypeError, ValueError):
                    rows = connection.execute(f"SELECT {columns}")
                    found.append(LastNumbers(0, {str(kind): int(last) for kind, last in rows}))
        return found

    def move_aside(self) -> str:
        """Rename the file and its companions, and return its new name."""
        self.dispose()
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        aside = self._path.with_name(f"{JOURNAL_FILE}.damaged-{stamp}")
        try:
            for suffix in ("", *_COMPANIONS):
                with contextlib.suppress(FileNotFoundError):
                    shutil.move(f"{self._path}{suffix}", f"{aside}{suffix}")
            self._drop_old_damaged()
        except OSError as error:
            raise StorageError(f"{self.name} is damaged and cannot be moved aside: {error}") from error
        return str(aside)

    def _drop_old_damaged(self) -> None:
        """Limit the space that damaged files take: keep the newest, for an operator to examine."""
        kept = sorted(
            path
            for path in self._path.parent.glob(f"{JOURNAL_FILE}.damaged-*")
            if not path.name.endswith(_COMPANIONS)
        )
        for path in kept[:-_DAMAGED_FILES_KEPT]:
            for suffix in ("", *_COMPANIONS):
                Path(f"{path}{suffix}").unlink(missing_ok=True)

    def may_have_changed(self) -> bool:
        """Whether the file was removed, exchanged, or shortened since the last checkpoint.

        SQLite itself would continue to write to a file that no longer has a name.
        """
        known = self._known
        try:
            found = os.stat(self._path)
        except OSError:
            return True
        if known.may_have_become(found):
            return False
        # Unless the background thread has changed the file since `known` was read.
        return self._known is known

    def verify(self) -> None:
        """Let SQLite check the whole file, if it is still the one that was opened."""
        try:
            found = _identity(self._path)
        except FileNotFoundError:
            raise StorageDamagedError(f"{self.name} was removed") from None
        if found._replace(size=0) != self._known._replace(size=0):
            raise StorageDamagedError(f"{self.name} was exchanged for another file")
        with contextlib.closing(self._connect("rw")) as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            # SQLite finds nothing wrong with an empty file, but it has no tables.
            connection.execute("SELECT seq FROM events LIMIT 1").fetchall()
        if verdict != "ok":
            raise StorageDamagedError(f"{self.name} is damaged: {verdict}")
        self._remember_file()

    def used_bytes(self) -> int:
        """Return the size of the pages that are not empty."""
        with contextlib.closing(self._connect("rw")) as connection:
            names = ("page_count", "freelist_count", "page_size")
            all_, free, size = (_number(connection, name) for name in names)
        return (all_ - free) * size

    def checkpoint(self) -> bool:
        """Move the log into the file, as far as possible while others read and write."""
        with self._maintaining() as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            return self._log_size() > _MAX_LOG_BYTES or _spare_pages(connection) > 0

    def compact(self) -> None:
        """Empty the log, and return some of the pages that retention has emptied to the file system."""
        with self._maintaining() as connection:
            if self._log_size() > _MAX_LOG_BYTES:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            if _spare_pages(connection) > 0:
                # It takes a step for each page, and `execute` makes only one for a statement without columns.
                connection.executescript(f"PRAGMA incremental_vacuum({_PAGES_FREED_AT_ONCE})")

    @contextlib.contextmanager
    def _maintaining(self) -> Iterator[sqlite3.Connection]:
        if self.may_have_changed():
            self.verify()
        # The file may become shorter now, which is not damage.
        self._known = self._known._replace(size=0)
        with contextlib.closing(self._connect("rw")) as connection:
            # If readers prevent it now, it is done next time.
            connection.execute("PRAGMA busy_timeout=0")
            yield connection
        self._remember_file()

    def _log_size(self) -> int:
        try:
            return Path(f"{self._path}-wal").stat().st_size
        except FileNotFoundError:
            return 0

    def _remember_file(self) -> None:
        found = _identity(self._path)
        if found.size == 0:
            raise StorageDamagedError(f"{self.name} was emptied")
        self._known = found

    def dispose(self) -> None:
        """Close the connections; the last one moves the log into the file."""
        self.readers.dispose()
        self.writer.dispose()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql(_BEGIN)


def _spare_pages(connection: sqlite3.Connection) -> int:
    """Return how many empty pages there are beyond those that the next events will fill."""
    free, all_ = (_number(connection, pragma) for pragma in ("freelist_count", "page_count"))
    return free - max(_FREE_PAGES_KEPT, all_ // 4)


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    value: Any = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
    return int(value)
