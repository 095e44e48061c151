"""Writer: writes to the storage, recovers it after faults, and limits its size."""

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from typing import Final

from ska_oso_oet.model import Backoff

from .backend import EntryRejectedError, StorageChangedError, StorageDamagedError, StorageError
from .background_thread import BackgroundThread
from .entries import Entries, storable
from .journal_state import JournalState
from .protocol import Document, JournalEvent, JournalLockedError, JournalTooNewError
from .retention import DOCUMENTS_AT_ONCE, Retention
from .sql_storage import SqlStorage
from .storage_opener import StorageOpener

LOGGER = logging.getLogger(__name__)

FaultListener = Callable[[str | None], None]

_EVENTS_WRITTEN_AT_ONCE: Final = 1000
_COMPACTIONS_AT_ONCE: Final = 50
_FIRST_RETRY_S: Final = 0.25
_LONGEST_RETRY_S: Final = 5.0


class JournalWriter:
    """Writes to the storage, in the thread that appends and in a background thread.

    :param opener: opens the storage; closed with this object
    :param state: the state of the journal
    :param retention: how much is kept
    :param on_fault: called by the background thread with each new value of the journal's fault
    """

    def __init__(
        self, opener: StorageOpener, state: JournalState, retention: Retention, on_fault: FaultListener | None
    ) -> None:
        self._opener = opener
        self._state = state
        self._retention = retention
        self._on_fault = on_fault
        self._reported: str | None = None
        # Held by the thread that writes to the storage, or replaces it.
        self._writing = threading.Lock()
        self._damage: StorageDamagedError | None = None
        self._may_have_changed = False
        self._retries = Backoff(_FIRST_RETRY_S, _LONGEST_RETRY_S)
        self._appended = [0, 0, 0]
        self._thread = BackgroundThread(self._work)
        self._thread.start()

    # ---- called by the thread that appends, and by readers -------------------------------------------

    def append(self, entries: Entries) -> None:
        """Store entries, or leave them to the background thread if there is a fault."""
        if not self._state.add_if_faulty(entries):
            with self._writing:
                # A reader may have found damage meanwhile.
                if not self._state.add_if_faulty(entries):
                    self._write_or_keep(entries)
        self._count(entries.events, entries.documents)

    def _write_or_keep(self, entries: Entries) -> None:
        storage = self._state.storage
        assert storage is not None, "there is a storage while there is no fault"  # noqa: S101
        self._opener.reserve(self._state.last_numbers(entries), self._state.last_numbers())
        try:
            storage.check_unchanged()
            _write(storage, entries)
        except StorageError as fault:
            self._record_fault(fault)
            self._state.add_if_faulty(entries, str(fault))
            self._thread.wake()
        else:
            self._state.add(entries)

    def handle_read_fault(self, fault: StorageError) -> None:
        """Handle a fault that a reader has found: start the repair of damage; other faults need no action."""
        if isinstance(fault, StorageDamagedError):
            self._record_fault(fault)
            self._state.set_fault(str(fault))
            self._thread.wake()

    def set_aside(self, kind: str, ids: Collection[int]) -> bool:
        """Store documents under a kind of damaged ones, and return whether that was possible."""
        with self._writing:
            storage = self._state.storage
            if storage is None or self._state.fault is not None:
                return False
            try:
                storage.set_aside(kind, ids)
            except StorageError as fault:
                LOGGER.warning("Damaged rows cannot be set aside: %s", fault)
                return False
        return True

    def _record_fault(self, fault: StorageError) -> None:
        if isinstance(fault, StorageDamagedError):
            self._damage = fault
        elif isinstance(fault, StorageChangedError):
            self._may_have_changed = True

    def _count(self, events: Sequence[JournalEvent], documents: Sequence[Document]) -> None:
        appended = self._appended
        appended[0] += len(events)
        appended[1] += len(documents)
        # By lists: for one event, the usual case, a generator takes twice as long.
        appended[2] += sum([len(event.text) for event in events]) + sum(
            [len(each.text) for each in documents]
        )
        if self._retention.is_due(*appended) and self._state.fault is None:
            self._appended = [0, 0, 0]
            self._thread.wake()

    # ---- the background thread -----------------------------------------------------------------------

    def _work(self) -> float | None:
        self._report_fault()
        try:
            if self._state.fault is not None:
                self._recover()
            if self._state.fault is None:
                self._clean_up()
        except StorageError as fault:
            self._record_fault(fault)
            self._state.set_fault(str(fault))
        self._report_fault()
        return self._next_retry()

    def _next_retry(self) -> float | None:
        if self._state.fault is None:
            self._retries.reset()
            return None
        return next(self._retries)

    def _report_fault(self) -> None:
        fault = self._state.fault
        if fault == self._reported:
            return
        self._reported = fault
        LOGGER.log(
            logging.WARNING if fault else logging.INFO,
            "The journal: %s",
            fault or "everything is written again",
        )
        if self._on_fault is not None:
            try:
                self._on_fault(fault)
            except Exception:
                LOGGER.exception("The listener to faults of the journal failed")

    def _recover(self) -> None:
        """Get a storage that contains all entries, if that is possible now."""
        with self._writing:
            self._opener.reserve(self._state.last_numbers(), None)
            self._verify_storage()
            if self._damage is not None:
                self._discard_storage(self._damage)
                self._damage = None
            if self._state.storage is None:
                self._open()
            self._catch_up()
            last_numbers = self._state.last_numbers()
            self._opener.reserve(last_numbers, last_numbers)

    def _verify_storage(self) -> None:
        if self._may_have_changed and self._state.storage is not None:
            try:
                self._state.storage.verify()
            except StorageDamagedError as damage:
                self._damage = damage
        self._may_have_changed = False

    def _discard_storage(self, damage: StorageDamagedError) -> None:
        lost = self._state.discard_storage()
        if lost is not None:
            lost.close()
            self._opener.move_aside(damage)

    def _open(self) -> None:
        try:
            self._state.use_storage(self._opener.open(self._state.stored_numbers))
        except (JournalLockedError, JournalTooNewError) as refusal:
            raise StorageError(str(refusal)) from refusal

    def _catch_up(self) -> None:
        storage = self._state.storage
        assert storage is not None, "it was opened before"  # noqa: S101
        # A transaction may have been committed although the commit was answered by an error. And a database
        # that was restored, or replaced by its replica, may lack committed transactions.
        stored = storage.summary().last_numbers.last_seq
        if self._state.rewind(stored):
            self._opener.report_loss(stored + 1)
        complete = False
        while not complete:
            entries = self._state.unwritten(_EVENTS_WRITTEN_AT_ONCE)
            new = [event for event in entries.events if event.seq > stored]
            _write(storage, Entries(new, entries.documents, entries.missing, entries.last_ids))
            complete = self._state.mark_written(entries)

    def _clean_up(self) -> None:
        storage = self._state.storage
        assert storage is not None, "there is a storage while there is no fault"  # noqa: S101
        while self._drop_events(storage, oversize=False):
            pass
        while storage.used_bytes() > self._retention.bytes and self._drop_events(storage, oversize=True):
            pass
        for kind in self._state.kinds():
            self._drop_documents(storage, kind)
        # SQLite waits for its own lock in steps of up to 0.1 s: with this lock, other threads wait less.
        for _ in range(_COMPACTIONS_AT_ONCE):
            if self._thread.closing or not storage.checkpoint():
                break
            with self._writing:
                storage.compact()

    def _drop_events(self, storage: SqlStorage, *, oversize: bool) -> bool:
        """Delete a few of the oldest events, and return whether there may be more to delete."""
        if self._thread.closing or (up_to := self._state.next_to_drop(oversize=oversize)) is None:
            return False
        with self._writing:
            storage.drop_events(up_to)
        return True

    def _drop_documents(self, storage: SqlStorage, kind: str) -> None:
        up_to = 1
        while not self._thread.closing and up_to:
            with self._writing:
                up_to = storage.drop_documents(kind, self._retention.documents, DOCUMENTS_AT_ONCE)
            self._state.remove_ended(kind, up_to)

    def close(self) -> None:
        """End the thread, write the remaining entries if that is possible, and close the storage."""
        self._thread.close()
        if self._state.fault is not None:
            try:
                self._recover()
            except StorageError as fault:
                events, documents = self._state.unwritten_count()
                LOGGER.error("%d events and %d documents are lost: %s", events, documents, fault)
        if self._state.storage is not None:
            self._state.storage.close()
        self._opener.close(self._state.last_numbers())


def _write(storage: SqlStorage, entries: Entries) -> None:
    """Write entries; characters that the database refuses are replaced."""
    try:
        storage.write(entries)
    except EntryRejectedError:
        try:
            storage.write(storable(entries))
        except EntryRejectedError as rejection:
            raise StorageError(f"the database refuses an entry: {rejection}") from rejection
