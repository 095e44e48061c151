"""What the journal asks of a kind of database, and the faults it tells apart."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection, Engine

from .numbering import Numbering


class StorageFault(Exception):
    """The storage cannot be used at present. The message is for an operator, and says what to do."""


class StorageDamaged(StorageFault):
    """What is stored cannot be read any more, and will not mend by waiting."""


class StorageSuspect(StorageFault):
    """Somebody seems to have changed what is stored, so that it has to be looked through first."""


class StorageLocked(StorageFault):
    """Another server writes to it."""


class EntryRejected(Exception):
    """The storage is well, and does not take a value that was to be written."""


class Step(NamedTuple):
    """A statement, and the rows that it is to be executed with."""

    statement: str
    """SQL in the dialect and with the positional placeholders of the driver."""

    rows: Sequence[tuple[Any, ...]]


class Database(Protocol):
    """A place for the tables of the journal: a file of SQLite, a schema of PostgreSQL."""

    name: str
    """What to call it in a sentence to an operator."""

    survives_power_loss: bool
    """Whether a transaction, once committed, survives the sudden end of the operating system too."""

    writer: Engine
    """Makes the one connection that writes, and begins transactions that may."""

    readers: Engine
    """Makes connections for reading, each statement of its own."""

    def exists(self) -> bool | None:
        """Whether there is something to be opened; None if that cannot be told."""

    def write(self, connection: Connection, steps: Sequence[Step]) -> None:
        """Take all of the steps in one transaction. Every event of the telescope waits for this.

        :param connection: made by `writer`
        :raises Exception: of the driver, to be classified; nothing was written then, or that is uncertain
        """

    def classify(self, error: Exception) -> StorageFault | EntryRejected:
        """Return what an exception of the database's driver means."""

    def salvage(self) -> Numbering | None:
        """Read the greatest numbers from a database that cannot be opened; None if nothing can be read."""

    def set_aside(self) -> str:
        """Move a damaged database out of the way, and return where it is now.

        :raises StorageFault: if that is not possible
        """

    def is_suspect(self) -> bool:
        """Whether somebody seems to have changed it from outside. Quick, asked before each transaction."""

    def verify(self) -> None:
        """Look for damage, however long that takes.

        :raises StorageDamaged: if there is some
        """

    def used_bytes(self) -> int:
        """Return the space that the entries take, as far as it is to be bounded here. Quick.

        :raises Exception: of the driver, to be classified
        """

    def tidy(self) -> bool:
        """Tidy up as far as that keeps nobody waiting, and return whether `compact` should be called.

        :raises Exception: of the driver, to be classified
        """

    def compact(self) -> None:
        """Bound the space that it takes; called while nobody writes.

        :raises Exception: of the driver, to be classified
        """

    def dispose(self) -> None:
        """Close all connections. The next use makes new ones."""
