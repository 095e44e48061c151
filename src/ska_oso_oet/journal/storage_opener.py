"""Opens the storage: the lock, the database or its replacement, and the numbers to continue with."""

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ska_oso_oet.files import make_private

from .backend import Backend, StorageDamagedError, StorageError, StorageLockedError
from .directory_lock import DirectoryLock
from .entries import Entries, MissingRange, MissingRanges
from .high_water_marks import HighWaterMarkFile, HighWaterMarks, LastNumbers, unreached_numbers
from .protocol import JournalLockedError, JournalUnavailableError
from .schema import ANY_KIND
from .sql_storage import SqlStorage, StorageSummary

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Opened:
    """A storage that is ready to be written, and the greatest numbers assigned so far."""

    storage: SqlStorage
    last_numbers: LastNumbers
    first_seq: int
    missing: MissingRanges


class StorageOpener:
    """Opens the storage of a journal, and holds the lock on the state directory until `close`.

    :param directory: the state directory, created if it does not exist
    :param backend: the database with the entries
    :param on_intrusion: called when the lock file was removed, by the thread that appends
    """

    def __init__(
        self, directory: Path, backend: Backend, on_intrusion: Callable[[], None] = lambda: None
    ) -> None:
        self._directory = directory
        self._backend = backend
        self._on_intrusion = on_intrusion
        self._marks = HighWaterMarkFile(directory)
        self._lock: DirectoryLock | None = None
        self._recovery: str | None = None
        self._intrusion: str | None = None

    @property
    def recovery(self) -> str | None:
        """What was lost or removed and what was done about it, for an operator; None if nothing was."""
        return " ".join(filter(None, (self._recovery, self._intrusion))) or None

    def open(self, assigned: LastNumbers | None = None) -> Opened:
        """Take the lock and open the storage; a damaged one is moved aside, and a new one is created.

        :param assigned: the numbers assigned while there was no storage; None at the start
        :raises StorageError: if the storage cannot be used at present
        :raises JournalLockedError: if another server uses it
        :raises JournalTooNewError: if its schema is newer than this version of the OET
        """
        self._take_lock()
        marks = self._marks.load()
        try:
            storage, summary = self._open_backend()
        except StorageDamagedError as damage:
            salvaged = self._backend.salvage()
            self.move_aside(damage)
            storage, summary = self._open_backend()
            last_numbers = assigned or self._safe_numbers(marks, salvaged)
        else:
            stored = summary.last_numbers
            last_numbers = stored.union(assigned) if assigned else self._continued(stored, marks)
        with contextlib.suppress(OSError):
            make_private(self._directory, "journal*")  # those that the database has created, too
        try:
            return self._opened(storage, summary, last_numbers)
        except BaseException:
            storage.close()
            raise

    @property
    def name(self) -> str:
        """Name of the database, for an operator."""
        return self._backend.name

    def _open_backend(self) -> tuple[SqlStorage, StorageSummary]:
        try:
            storage = SqlStorage(self._backend)
        except StorageLockedError as refusal:
            raise JournalLockedError(str(refusal)) from refusal
        try:
            return storage, storage.summary()
        except BaseException:
            storage.close()
            raise

    def _take_lock(self) -> None:
        if self._lock is None:
            try:
                make_private(self._directory)
                self._lock = DirectoryLock(self._directory)
            except OSError as error:
                raise StorageError(f"the state directory cannot be written: {error}") from error

    def move_aside(self, damage: StorageDamagedError) -> None:
        """Move a damaged database aside, so that `open` creates a new one.

        :raises StorageError: if that is not possible at present
        """
        aside = self._backend.move_aside()
        self._report(f"{damage}. What was left of it is in {aside}; a new journal was created")

    def report_loss(self, first: int) -> None:
        """Report that the database has lost events that were written to it.

        :param first: number of the first of them
        """
        self._report(
            f"{self._backend.name} came back without events from number {first} on, and without documents"
            " written since; those still in memory are written again"
        )

    def _continued(self, stored: LastNumbers, marks: HighWaterMarks | None) -> LastNumbers:
        """Return the numbers to continue with, and report it if the database lacks entries.

        :param stored: the numbers of a database that is not damaged
        :param marks: the high-water marks; None if they are not available
        """
        if marks is None:
            return stored
        last_numbers = marks.last_numbers.union(stored)
        if stored == LastNumbers() and last_numbers != stored:
            self._report(f"{self._backend.name} was empty or did not exist; a new journal was created")
            return last_numbers
        if marks.crossed_power_loss and not self._backend.survives_power_loss:
            self._report(
                "the machine stopped without warning: events of its last moments may be lost;"
                f" new events are numbered from {last_numbers.last_seq + 1} on"
            )
            return last_numbers
        if marks.exceed(stored):
            self._report(
                f"{self._backend.name} lacks entries: the previous server could not write them, or somebody"
                f" removed them; new events are numbered from {last_numbers.last_seq + 1} on"
            )
            return last_numbers
        return stored

    @staticmethod
    def _safe_numbers(marks: HighWaterMarks | None, salvaged: LastNumbers | None) -> LastNumbers:
        """Return numbers that are certainly not below those of a database that cannot be read."""
        if marks is not None:
            return marks.last_numbers.union(salvaged or LastNumbers())
        if salvaged is not None and salvaged.last_ids:
            return salvaged.with_margin()
        return unreached_numbers().union(salvaged or LastNumbers())

    @staticmethod
    def _opened(storage: SqlStorage, summary: StorageSummary, last_numbers: LastNumbers) -> Opened:
        skipped: list[MissingRange] = []
        if last_numbers != summary.last_numbers:
            if last_numbers.last_seq > summary.last_numbers.last_seq:
                skipped.append(MissingRange(summary.last_numbers.last_seq + 1, last_numbers.last_seq))
            storage.write(
                Entries(
                    missing=skipped,
                    last_ids={**last_numbers.last_ids, ANY_KIND: last_numbers.id_floor},
                )
            )
        first_seq = summary.first_seq if summary.first_seq is not None else last_numbers.last_seq + 1
        return Opened(storage, last_numbers, first_seq, MissingRanges.of([*summary.missing, *skipped]))

    def assumed_numbers(self) -> LastNumbers:
        """Return numbers that are certainly not below those of a storage that cannot be opened at present.

        :raises JournalUnavailableError: if nothing is known of them
        """
        marks = self._marks.load()
        if marks is not None:
            return marks.last_numbers
        match self._backend.exists():
            case True:
                return self._safe_numbers(None, self._backend.salvage())
            case False:
                return LastNumbers()
        raise JournalUnavailableError(
            f"{self._backend.name} cannot be reached, and {self._directory} does not contain the last numbers"
            " of events and procedures: make the database reachable, then start again"
        )

    def reserve(self, last_numbers: LastNumbers, stored: LastNumbers | None) -> None:
        """Reserve these numbers, so that they are known even if the database is lost.

        :param last_numbers: the greatest numbers assigned
        :param stored: the numbers that the database has; None if it lacks some that were assigned
        """
        try:
            self._marks.reserve(last_numbers, stored)
            intrusion = self._lock.renew_file() if self._lock is not None else None
        except OSError:
            return  # the database has the numbers, too, and reports a fault of the disk
        if intrusion is not None:
            LOGGER.error("The journal: %s", intrusion)
            self._intrusion = f"{intrusion}."
            self._on_intrusion()

    def close(self, last_numbers: LastNumbers | None) -> None:
        """Write the last numbers, if they are not None, and release the lock."""
        if self._lock is not None:
            if last_numbers is not None:
                with contextlib.suppress(OSError):
                    self._marks.write_final(last_numbers)
            self._lock.release()
            self._lock = None

    def _report(self, sentence: str) -> None:
        LOGGER.error("The journal: %s", sentence)
        self._recovery = sentence
