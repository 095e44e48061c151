"""Who owns the storage: takes the lock, opens the database, replaces a damaged one, knows the numbering."""

import contextlib
import logging
from dataclasses import dataclass
from pathlib import Path

from .database import Database, StorageDamaged, StorageFault, StorageLocked
from .gaps import Gap, Gaps
from .lock import DirectoryLock
from .numbering import HighWaterMarks, Marks, Numbering, unheard_of_numbering
from .protocol import JournalLocked, JournalUnavailable
from .schema import ANY_KIND
from .storage import Entries, Facts, SqlStorage

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Opened:
    """A storage that is ready to be written, and where its numbering goes on."""

    storage: SqlStorage
    numbering: Numbering
    first_seq: int
    gaps: Gaps


class StorageOwner:
    """The one that has the right to a state directory and to the database.

    :param directory: the state directory, made if there is none
    :param database: where the entries are stored
    :ivar recovery: what was lost and what was done about it, for an operator; None if nothing was
    """

    def __init__(self, directory: Path, database: Database) -> None:
        self._directory = directory
        self._database = database
        self._marks = HighWaterMarks(directory)
        self._lock: DirectoryLock | None = None
        self.recovery: str | None = None

    def open(self, given_out: Numbering | None = None) -> Opened:
        """Take the lock and open the storage; a damaged one is moved aside and a new one begun.

        :param given_out: numbers that were given out while there was no storage
        :raises StorageFault: if the storage cannot be used at present
        :raises JournalLocked: if another server uses it
        :raises JournalTooNew: if its schema is newer than this version of the OET
        """
        self._take_lock()
        marks = self._marks.load()
        try:
            storage, facts = self._open_database()
        except StorageDamaged as damage:
            salvaged = self._database.salvage()
            self.set_aside(damage)
            storage, facts = self._open_database()
            numbering = given_out or self._known(marks, salvaged)
        else:
            numbering = facts.numbering.union(given_out) if given_out else self._continued(facts, marks)
        try:
            return self._opened(storage, facts, numbering)
        except BaseException:
            storage.close()
            raise

    def _open_database(self) -> tuple[SqlStorage, Facts]:
        try:
            storage = SqlStorage(self._database)
        except StorageLocked as refusal:
            raise JournalLocked(str(refusal)) from refusal
        try:
            return storage, storage.facts()
        except BaseException:
            storage.close()
            raise

    def _take_lock(self) -> None:
        if self._lock is None:
            try:
                self._directory.mkdir(parents=True, exist_ok=True)
                self._lock = DirectoryLock(self._directory)
            except OSError as error:
                raise StorageFault(f"the state directory cannot be written: {error}") from error

    def set_aside(self, damage: StorageDamaged) -> None:
        """Move a damaged database out of the way, so that `open` begins a new one.

        :raises StorageFault: if that is not possible at present
        """
        aside = self._database.set_aside()
        self._report(f"{damage}. What was left of it is in {aside}; a new journal was begun")

    def note_loss(self, first: int) -> None:
        """Report that the database has come back without events that were written to it.

        :param first: number of the first of them
        """
        self._report(
            f"{self._database.name} came back without events from number {first} on, and what else was"
            " written since; what was still in memory is written once more"
        )

    def _continued(self, facts: Facts, marks: Marks | None) -> Numbering:
        """Return the numbering of a sound database, or of one that lacks what it should have."""
        stored = facts.numbering
        if marks is None:
            return stored
        numbering = marks.numbering.union(stored)
        if stored == Numbering() and numbering != stored:
            self._report(f"{self._database.name} was empty or had gone; a new journal was begun")
            return numbering
        if marks.crossed_power_loss and not self._database.survives_power_loss:
            self._report(
                "the machine stopped without warning: what was journalled in its last moments may be lost,"
                f" and events are numbered from {numbering.last_seq + 1} on"
            )
            return numbering
        if marks.is_missed_by(stored):
            self._report(
                f"{self._database.name} lacks what the server before could not write or somebody took away;"
                f" events are numbered from {numbering.last_seq + 1} on"
            )
            return numbering
        return stored

    @staticmethod
    def _known(marks: Marks | None, salvaged: Numbering | None) -> Numbering:
        """Return numbers that are safely beyond those of a database that cannot be read."""
        if marks is not None:
            return marks.numbering.union(salvaged or Numbering())
        if salvaged is not None and salvaged.last_ids:
            return salvaged.with_margin()
        return unheard_of_numbering().union(salvaged or Numbering())

    @staticmethod
    def _opened(storage: SqlStorage, facts: Facts, numbering: Numbering) -> Opened:
        left_out: list[Gap] = []
        if numbering != facts.numbering:
            if numbering.last_seq > facts.numbering.last_seq:
                left_out.append(Gap(facts.numbering.last_seq + 1, numbering.last_seq))
            storage.write(
                Entries(gaps=left_out, last_ids={**numbering.last_ids, ANY_KIND: numbering.id_floor})
            )
        first_seq = facts.first_seq if facts.first_seq is not None else numbering.last_seq + 1
        return Opened(storage, numbering, first_seq, Gaps.of([*facts.gaps, *left_out]))

    def presume(self) -> Numbering:
        """Return numbers that are safely beyond what is in a storage that cannot be opened at present.

        :raises JournalUnavailable: if they cannot be known
        """
        marks = self._marks.load()
        if marks is not None:
            return marks.numbering
        match self._database.exists():
            case True:
                return self._known(None, self._database.salvage())
            case False:
                return Numbering()
        raise JournalUnavailable(
            f"{self._database.name} cannot be reached, and nothing in {self._directory} says how far the"
            " numbers of events and procedures have come: see that it can be reached, then start again"
        )

    def reserve(self, numbering: Numbering, stored: Numbering | None) -> None:
        """See to it that these numbers are known whatever happens to the database.

        :param stored: the numbers that the database has; None if it lacks some that were given out
        """
        with contextlib.suppress(OSError):
            # The database knows them too; and it will say what is wrong with the disk.
            self._marks.cover(numbering, stored)

    def close(self, numbering: Numbering | None) -> None:
        """Write down the last numbers, if they are given, and release the lock."""
        if self._lock is not None:
            if numbering is not None:
                with contextlib.suppress(OSError):
                    self._marks.settle(numbering)
            self._lock.release()
            self._lock = None

    def _report(self, sentence: str) -> None:
        LOGGER.error("The journal: %s", sentence)
        self.recovery = sentence
