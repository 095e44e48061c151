"""Writing to the storage, mending it, and keeping it small."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final

from .database import EntryRejected, StorageDamaged, StorageFault, StorageSuspect
from .ledger import Ledger
from .maintenance import MaintenanceThread
from .owner import StorageOwner
from .protocol import Document, JournalEvent, JournalLocked, JournalTooNew
from .retention import DOCUMENTS_AT_ONCE, Retention
from .storage import Entries, SqlStorage, storable

LOGGER = logging.getLogger(__name__)

FaultListener = Callable[[str | None], None]

_EVENTS_WRITTEN_AT_ONCE: Final = 1000
_COMPACTIONS_AT_ONCE: Final = 50
_FIRST_RETRY_S: Final = 0.25
_LONGEST_RETRY_S: Final = 5.0


class Upkeep:
    """Everything that is done to the storage, by the thread that appends and by one of its own.

    :param owner: opens the storage, and is closed with this
    :param ledger: what is in memory
    :param retention: how much is kept
    :param on_fault: called by the thread of this object with each new value of the journal's fault
    """

    def __init__(
        self, owner: StorageOwner, ledger: Ledger, retention: Retention, on_fault: FaultListener | None
    ) -> None:
        self._owner = owner
        self._ledger = ledger
        self._retention = retention
        self._on_fault = on_fault
        self._announced: str | None = None
        # One writes to the storage at a time, or exchanges it.
        self._writing = threading.Lock()
        self._damage: StorageDamaged | None = None
        self._suspect = False
        self._retry_s = _FIRST_RETRY_S
        self._appended = [0, 0, 0]
        self._thread = MaintenanceThread(self._work)
        self._thread.start()

    # ---- called by the thread that appends, and by readers -------------------------------------------

    def append(self, entries: Entries) -> None:
        """Store entries, or leave them to the maintenance thread if there is a fault."""
        if not self._ledger.add_if_faulty(entries):
            with self._writing:
                # A reader may have met a damage meanwhile.
                if not self._ledger.add_if_faulty(entries):
                    self._write_or_keep(entries)
        self._count(entries.events, entries.documents)

    def _write_or_keep(self, entries: Entries) -> None:
        storage = self._ledger.storage
        assert storage is not None, "there is a storage while there is no fault"  # noqa: S101
        self._owner.reserve(self._ledger.numbering(entries), self._ledger.numbering())
        try:
            storage.refuse_if_suspect()
            _write(storage, entries)
        except StorageFault as fault:
            self._note(fault)
            self._ledger.add_if_faulty(entries, str(fault))
            self._thread.wake()
        else:
            self._ledger.add(entries)

    def report(self, fault: StorageFault) -> None:
        """Take notice of a fault that a reader has met: a damage is mended, other faults pass or stay."""
        if isinstance(fault, StorageDamaged):
            self._note(fault)
            self._ledger.set_fault(str(fault))
            self._thread.wake()

    def _note(self, fault: StorageFault) -> None:
        if isinstance(fault, StorageDamaged):
            self._damage = fault
        elif isinstance(fault, StorageSuspect):
            self._suspect = True

    def _count(self, events: Sequence[JournalEvent], documents: Sequence[Document]) -> None:
        appended = self._appended
        appended[0] += len(events)
        appended[1] += len(documents)
        appended[2] += sum(len(event.text) for event in events) + sum(len(each.text) for each in documents)
        if self._retention.is_worth_while(*appended) and self._ledger.fault is None:
            self._appended = [0, 0, 0]
            self._thread.wake()

    # ---- the maintenance thread ----------------------------------------------------------------------

    def _work(self) -> float | None:
        self._announce()
        try:
            if self._ledger.fault is not None:
                self._mend()
            if self._ledger.fault is None:
                self._keep_house()
        except StorageFault as fault:
            self._note(fault)
            self._ledger.set_fault(str(fault))
        self._announce()
        return self._next_retry()

    def _next_retry(self) -> float | None:
        if self._ledger.fault is None:
            self._retry_s = _FIRST_RETRY_S
            return None
        delay = self._retry_s
        self._retry_s = min(2 * delay, _LONGEST_RETRY_S)
        return delay

    def _announce(self) -> None:
        fault = self._ledger.fault
        if fault == self._announced:
            return
        self._announced = fault
        LOGGER.log(
            logging.WARNING if fault else logging.INFO, "The journal: %s", fault or "all is written again"
        )
        if self._on_fault is not None:
            try:
                self._on_fault(fault)
            except Exception:
                LOGGER.exception("Who listens to the journal's faults failed")

    def _mend(self) -> None:
        """Get back to a storage that holds everything, if that is possible now."""
        with self._writing:
            self._owner.reserve(self._ledger.numbering(), None)
            self._check_suspicion()
            if self._damage is not None:
                self._give_up_storage(self._damage)
                self._damage = None
            if self._ledger.storage is None:
                self._open()
            self._catch_up()
            numbering = self._ledger.numbering()
            self._owner.reserve(numbering, numbering)

    def _check_suspicion(self) -> None:
        if self._suspect and self._ledger.storage is not None:
            try:
                self._ledger.storage.check()
            except StorageDamaged as damage:
                self._damage = damage
        self._suspect = False

    def _give_up_storage(self, damage: StorageDamaged) -> None:
        lost = self._ledger.lose_storage()
        if lost is not None:
            lost.close()
            self._owner.set_aside(damage)

    def _open(self) -> None:
        try:
            self._ledger.adopt(self._owner.open(self._ledger.base_numbering))
        except (JournalLocked, JournalTooNew) as refusal:
            raise StorageFault(str(refusal)) from refusal

    def _catch_up(self) -> None:
        storage = self._ledger.storage
        assert storage is not None, "it was opened before"  # noqa: S101
        # A transaction whose commit was answered by an error may have been committed all the same. And a
        # database that was restored, or replaced by its replica, may lack what had been committed.
        stored = storage.facts().numbering.last_seq
        if self._ledger.rewind(stored):
            self._owner.note_loss(stored + 1)
        complete = False
        while not complete:
            entries = self._ledger.unwritten(_EVENTS_WRITTEN_AT_ONCE)
            new = [event for event in entries.events if event.seq > stored]
            _write(storage, Entries(new, entries.documents, entries.gaps, entries.last_ids))
            complete = self._ledger.mark_written(entries)

    def _keep_house(self) -> None:
        storage = self._ledger.storage
        assert storage is not None, "there is a storage while there is no fault"  # noqa: S101
        while self._drop_events(storage, oversize=False):
            pass
        while storage.used_bytes() > self._retention.bytes and self._drop_events(storage, oversize=True):
            pass
        for kind in self._ledger.kinds():
            self._drop_documents(storage, kind)
        # Who waits for SQLite's own lock does so in leaps of up to 0.1 s, so they wait for this one instead.
        for _ in range(_COMPACTIONS_AT_ONCE):
            if self._thread.closing or not storage.tidy():
                break
            with self._writing:
                storage.compact()

    def _drop_events(self, storage: SqlStorage, *, oversize: bool) -> bool:
        """Delete the oldest events, a few of them; return whether there may be more to delete."""
        if self._thread.closing or (up_to := self._ledger.next_to_drop(oversize=oversize)) is None:
            return False
        with self._writing:
            storage.drop_events(up_to)
        return True

    def _drop_documents(self, storage: SqlStorage, kind: str) -> None:
        up_to = 1
        while not self._thread.closing and up_to:
            with self._writing:
                up_to = storage.drop_documents(kind, self._retention.documents, DOCUMENTS_AT_ONCE)
            self._ledger.forget_ended(kind, up_to)

    def close(self) -> None:
        """End the thread, write what is left if that is possible, and close the storage."""
        self._thread.close()
        if self._ledger.fault is not None:
            try:
                self._mend()
            except StorageFault as fault:
                events, documents = self._ledger.unwritten_count()
                LOGGER.error("%d events and %d documents are lost: %s", events, documents, fault)
        if self._ledger.storage is not None:
            self._ledger.storage.close()
        self._owner.close(self._ledger.numbering())


def _write(storage: SqlStorage, entries: Entries) -> None:
    """Write entries; what the database refuses is written with other characters rather than not at all."""
    try:
        storage.write(entries)
    except EntryRejected:
        try:
            storage.write(storable(entries))
        except EntryRejected as rejection:
            raise StorageFault(f"the database refuses an entry: {rejection}") from rejection
