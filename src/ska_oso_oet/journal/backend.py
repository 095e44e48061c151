"""The interface of the journal to a kind of database, and the faults that it distinguishes."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection, Engine

from ska_oso_oet.model import OetError

from .high_water_marks import LastNumbers


class StorageError(OetError):
    """The storage cannot be used at present. The message is for an operator, and says what to do."""


class StorageDamagedError(StorageError):
    """The stored entries can no longer be read, and waiting does not help."""


class StorageChangedError(StorageError):
    """Another program may have changed the storage, so that it has to be verified before it is used."""


class StorageLockedError(StorageError):
    """Another server writes to it."""


class EntryRejectedError(OetError):
    """The storage works, but refuses a value that was to be written."""


class WriteStatement(NamedTuple):
    """A statement, and the rows to execute it with."""

    statement: str
    """SQL in the dialect and with the positional placeholders of the driver."""

    rows: Sequence[tuple[Any, ...]]


class Backend(Protocol):
    """A database with the tables of the journal: a file of SQLite, a schema of PostgreSQL."""

    name: str
    """Name of the database in messages for an operator."""

    survives_power_loss: bool
    """Whether a committed transaction survives the sudden end of the operating system too."""

    writer: Engine
    """Creates the one connection that writes, and begins its transactions."""

    readers: Engine
    """Creates connections for reading, without transactions."""

    def exists(self) -> bool | None:
        """Whether the database exists; None if that is not known."""

    def write(self, connection: Connection, steps: Sequence[WriteStatement]) -> None:
        """Execute all steps in one transaction. Every event of the telescope waits for this.

        :param connection: created by `writer`
        :param steps: the statements to execute
        :raises Exception: of the driver, to be classified; whether anything was written may be uncertain
        """

    def classify(self, error: Exception) -> StorageError | EntryRejectedError:
        """Return the fault that an exception of the database's driver means."""

    def salvage(self) -> LastNumbers | None:
        """Read the greatest numbers from a database that cannot be opened; None if nothing can be read."""

    def move_aside(self) -> str:
        """Move a damaged database aside, and return its new place.

        :raises StorageError: if that is not possible
        """

    def may_have_changed(self) -> bool:
        """Whether another program may have changed the database. Quick: called before each transaction."""

    def verify(self) -> None:
        """Check for damage completely, even if that takes long.

        :raises StorageDamagedError: if the database is damaged
        """

    def used_bytes(self) -> int:
        """Return the space that the entries take; 0 where the journal does not limit it. Quick.

        :raises Exception: of the driver, to be classified
        """

    def checkpoint(self) -> bool:
        """Do the maintenance that delays no other thread, and return whether `compact` should be called.

        :raises Exception: of the driver, to be classified
        """

    def compact(self) -> None:
        """Reduce the space that the database takes; called while no thread writes.

        :raises Exception: of the driver, to be classified
        """

    def dispose(self) -> None:
        """Close all connections. The next use makes new ones."""
