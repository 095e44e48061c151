"""The journal that outlives its process: a database for all entries, memory for the newest."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from .database import StorageFault
from .ledger import Ledger
from .owner import StorageOwner
from .protocol import Document, JournalEvent, JournalUnavailable, answerable
from .recent import merged
from .retention import Retention
from .storage import SqlStorage
from .upkeep import Upkeep


class DurableJournal:
    """Keeps entries in a database, and in memory while the database cannot be written.

    :param owner: opens the storage; belongs to the journal from now on
    :param retention: how much is kept
    :param on_fault: called by a thread of the journal with each new value of `fault`
    :raises JournalLocked: if another server uses the storage
    :raises JournalTooNew: if it was written by a newer version of the OET
    :raises JournalUnavailable: if it cannot be opened, nor the last numbers be known
    """

    def __init__(
        self, owner: StorageOwner, retention: Retention, on_fault: Callable[[str | None], None] | None = None
    ) -> None:
        self._owner = owner
        self._ledger = _open_ledger(owner, retention)
        self._upkeep = Upkeep(owner, self._ledger, retention, on_fault)

    @property
    def fault(self) -> str | None:
        """Why what was appended lately may not survive a crash; None while all is well."""
        return self._ledger.fault

    @property
    def recovery(self) -> str | None:
        """What was lost, and what was done about it, since or on opening; None if nothing was."""
        return self._owner.recovery

    @property
    def first_seq(self) -> int:
        """Number of the oldest event that is kept, or the next number while there is none."""
        return self._ledger.first_seq

    @property
    def last_seq(self) -> int:
        """Number of the newest event, 0 before the first."""
        return self._ledger.last_seq

    def last_id(self, kind: str) -> int:
        """Return the greatest ID that may ever have been given out for a kind of document."""
        return self._ledger.last_id(kind)

    def append(self, events: Sequence[JournalEvent], documents: Sequence[Document]) -> None:
        """Write events and documents in one transaction, or keep them in memory until that is possible."""
        self._upkeep.append(self._ledger.entries(events, documents))

    def read_events(self, after: int, limit: int, topic: str = "") -> list[JournalEvent]:
        """Read events, oldest first; the newest without asking the storage."""
        if limit <= 0:
            return []
        found, complete = self._ledger.events_in_memory(after, limit, topic)
        if not complete:
            with self._reading() as storage:
                stored = storage.read_events(after, limit, topic) if storage else []
            newest = stored[-1].seq if stored else after
            newer = [event for event in found if event.seq > newest]
            found = [*stored, *newer][:limit]
        return answerable(self._ledger.cut(found, after, limit))

    def read_document(self, kind: str, document_id: int) -> Document | None:
        """Return a document, or None if it never was or is no longer kept."""
        found = self._ledger.document_in_memory(kind, document_id)
        if found is None:
            with self._reading() as storage:
                return storage.read_document(kind, document_id) if storage else None
        return found

    def newest_documents(self, kind: str, limit: int) -> list[Document]:
        """Return the newest documents of a kind, ordered by ID, oldest first."""
        if limit <= 0:
            return []
        with self._reading() as storage:
            stored = storage.newest_documents(kind, limit) if storage else []
        return merged(stored, self._ledger.documents_in_memory(kind))[-limit:]

    def live_documents(self, kind: str) -> list[Document]:
        """Return the documents of a kind that are live, ordered by ID, oldest first."""
        with self._reading() as storage:
            stored = storage.live_documents(kind) if storage else []
        return [each for each in merged(stored, self._ledger.documents_in_memory(kind)) if each.live]

    @contextmanager
    def _reading(self) -> Iterator[SqlStorage | None]:
        try:
            yield self._ledger.readable_storage()
        except StorageFault as fault:
            self._upkeep.report(fault)
            raise JournalUnavailable(f"the journal cannot be read at present: {fault}") from fault

    def close(self) -> None:
        """Write what is still in memory, as far as that is possible, and let go of the storage."""
        self._upkeep.close()


def _open_ledger(owner: StorageOwner, retention: Retention) -> Ledger:
    try:
        try:
            opened = owner.open()
        except StorageFault as fault:
            # Telescope time is worth more than history: go on without the storage, if the numbers are known.
            ledger = Ledger(owner.presume(), retention)
            ledger.expect_storage()
            ledger.set_fault(str(fault))
            return ledger
    except BaseException:
        owner.close(None)
        raise
    ledger = Ledger(opened.numbering, retention)
    ledger.adopt(opened)
    return ledger
