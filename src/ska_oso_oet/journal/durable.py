"""Durable journal: a database for all entries, memory for the newest."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress

from .backend import StorageError
from .damage import DamagedRows, StoredDocument, StoredEvent
from .entries import MissingRange
from .entry_cache import merged
from .high_water_marks import GREATEST_ID, GREATEST_SEQ
from .journal_state import JournalState
from .protocol import Document, JournalEvent, JournalUnavailableError, answerable
from .retention import Retention
from .sql_storage import SqlStorage
from .storage_opener import StorageOpener
from .writer import JournalWriter


class DurableJournal:
    """Keeps entries in a database, and in memory while the database cannot be written.

    :param opener: opens the storage; closed by the journal
    :param retention: how much is kept
    :param on_fault: called by a thread of the journal with each new value of `fault`
    :param on_damage: called when `recovery` names one more damaged row, by the thread that reads
    :raises JournalLockedError: if another server uses the storage
    :raises JournalTooNewError: if it was written by a newer version of the OET
    :raises JournalUnavailableError: if it cannot be opened, and the last numbers are not known
    """

    def __init__(
        self,
        opener: StorageOpener,
        retention: Retention,
        on_fault: Callable[[str | None], None] | None = None,
        on_damage: Callable[[], None] = lambda: None,
    ) -> None:
        self.damaged = DamagedRows(opener.name, on_damage)
        self._opener = opener
        self._state = _open_state(opener, retention)
        self._writer = JournalWriter(opener, self._state, retention, on_fault)

    @property
    def fault(self) -> str | None:
        """Why the newest entries may not survive a crash; None while there is no fault."""
        return self._state.fault

    @property
    def recovery(self) -> str | None:
        """What was lost, at opening or since, and what was done about it; None if nothing was lost."""
        return " ".join(filter(None, (self._opener.recovery, self.damaged.sentence))) or None

    @property
    def first_seq(self) -> int:
        """Number of the oldest event that is kept, or the next number while there is none."""
        return self._state.first_seq

    @property
    def last_seq(self) -> int:
        """Number of the newest event, 0 before the first."""
        return self._state.last_seq

    def last_id(self, kind: str) -> int:
        """Return the greatest ID that may ever have been assigned for a kind of document."""
        return self._state.last_id(kind)

    def append(self, events: Sequence[JournalEvent], documents: Sequence[Document]) -> None:
        """Write events and documents in one transaction, or keep them in memory until that is possible."""
        self._writer.append(self._state.entries(events, documents))

    def read_events(self, after: int, limit: int, topic: str = "") -> list[JournalEvent]:
        """Read events, oldest first; the newest without reading the storage."""
        if limit <= 0:
            return []
        found, complete = self._state.events_in_memory(after, limit, topic)
        if not complete:
            with self._reading() as storage:
                stored = self._sound(storage.read_events(after, limit, topic)) if storage else []
            newest = stored[-1].seq if stored else after
            newer = [event for event in found if event.seq > newest]
            found = [*stored, *newer][:limit]
        return answerable(self._state.cut(found, after, limit))

    def read_document(self, kind: str, document_id: int) -> Document | None:
        """Return a document, or None if it never existed or is no longer kept."""
        found = self._state.document_in_memory(kind, document_id)
        if found is None:
            with self._reading() as storage:
                stored = storage.read_document(kind, document_id) if storage else None
            found = next(iter(self.damaged.sound_documents([stored] if stored else [])), None)
        return found

    def newest_documents(self, kind: str, limit: int, before: int | None = None) -> list[Document]:
        """Return the newest documents of a kind, ordered by ID, oldest first."""
        if limit <= 0:
            return []
        with self._reading() as storage:
            stored = self._newest_sound(storage, kind, limit, before) if storage else []
        newer = self._state.documents_in_memory(kind)
        return merged(stored, [each for each in newer if before is None or each.id < before])[-limit:]

    def live_documents(self, kind: str) -> list[Document]:
        """Return the documents of a kind that are live, ordered by ID, oldest first."""
        with self._reading() as storage:
            stored = storage.live_documents(kind) if storage else []
        sound = self.damaged.sound_documents(stored)
        return [each for each in merged(sound, self._state.documents_in_memory(kind)) if each.live]

    def _sound(self, stored: list[StoredEvent]) -> list[JournalEvent]:
        """Return the events of the storage that are not damaged. The others are missing from now on."""
        sound = self.damaged.sound_events(stored)
        if len(sound) < len(stored):
            # One with a number that was never assigned is missing elsewhere.
            present = {event.seq for event in sound}
            self._state.add_missing(
                MissingRange(event.seq, event.seq)
                for event, _ in stored
                if event.seq not in present and event.seq <= GREATEST_SEQ
            )
        return sound

    def _newest_sound(self, storage: SqlStorage, kind: str, limit: int, before: int | None) -> list[Document]:
        """Return as many documents of the storage as are asked for, though some may be damaged."""
        found: list[Document] = []
        while page := storage.newest_documents(kind, limit - len(found), before):
            sound = self.damaged.sound_documents(page)
            found += sound
            if len(sound) == len(page):
                break
            before = _least_id(page)
        return found

    def set_aside(self, kind: str, ids: Collection[int]) -> None:
        """Keep damaged documents for people alone, under a kind of their own."""
        with suppress(JournalUnavailableError), self._reading() as storage:
            damaged = [each for each in ids if storage is not None and self._is_damaged(storage, kind, each)]
            if damaged and self._writer.set_aside(kind, damaged):
                for document_id in damaged:
                    self.damaged.mark_set_aside(kind, document_id)

    def _is_damaged(self, storage: SqlStorage, kind: str, document_id: int) -> bool:
        stored = storage.read_document(kind, document_id)
        return stored is not None and not self.damaged.sound_documents([stored])

    @contextmanager
    def _reading(self) -> Iterator[SqlStorage | None]:
        try:
            yield self._state.readable_storage()
        except StorageError as fault:
            self._writer.handle_read_fault(fault)
            raise JournalUnavailableError(f"the journal cannot be read at present: {fault}") from fault

    def close(self) -> None:
        """Write the entries that are only in memory, as far as possible, and close the storage."""
        self._writer.close()


def _least_id(page: list[StoredDocument]) -> int:
    """Return the ID before which to read on. A damaged ID may have any type; numbers are sorted first."""
    numbers = [each.document.id for each in page if isinstance(each.document.id, int | float)]
    return min(numbers, default=GREATEST_ID + 1)


def _open_state(opener: StorageOpener, retention: Retention) -> JournalState:
    try:
        try:
            opened = opener.open()
        except StorageError as fault:
            # Observing is more important than history: continue without storage, if the numbers are known.
            state = JournalState(opener.assumed_numbers(), retention)
            state.mark_storage_unopened()
            state.set_fault(str(fault))
            return state
    except BaseException:
        opener.close(None)
        raise
    state = JournalState(opened.last_numbers, retention)
    state.use_storage(opened)
    return state
