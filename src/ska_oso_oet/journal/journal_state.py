"""Shared state of the threads of the journal: entries in memory, numbers, and the storage."""

import threading
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from .entries import Entries, MissingRange, MissingRanges
from .entry_cache import EntryCache
from .high_water_marks import LastNumbers
from .protocol import Document, EventsNoLongerKeptError, JournalEvent, JournalUnavailableError
from .retention import EVENTS_AT_ONCE, LARGE_EVENTS_AT_ONCE, Retention
from .schema import ANY_KIND
from .sql_storage import SqlStorage
from .storage_opener import Opened

_MAX_UNWRITTEN_CHARS: Final = 64 * 2**20


class EventsInMemory(NamedTuple):
    """The events in memory that match a query."""

    events: list[JournalEvent]
    complete: bool
    """Whether the storage has no older ones that match too."""


class JournalState:
    """The shared state of a journal. Each method is quick, safe for threads, and never waits for the storage.

    While `fault` is None, all entries are stored, and the thread that appends writes new ones itself.
    Otherwise only the background thread writes, until everything is written.

    :param last_numbers: the greatest numbers assigned so far
    :param retention: how much is kept
    """

    def __init__(self, last_numbers: LastNumbers, retention: Retention) -> None:
        self._lock = threading.Lock()
        self._retention = retention
        self._cache = EntryCache(
            last_numbers.last_seq, retention.events, _MAX_UNWRITTEN_CHARS, retention.documents
        )
        self._last_ids = dict(last_numbers.last_ids)
        self._id_floor = last_numbers.id_floor
        self._missing = MissingRanges()
        self._reason: str | None = None
        self._has_unopened_storage = False
        self.last_seq = last_numbers.last_seq
        self.first_seq = last_numbers.last_seq + 1
        self.storage: SqlStorage | None = None
        self.stored_numbers = last_numbers

    # ---- the storage ---------------------------------------------------------------------------------

    def use_storage(self, opened: Opened) -> None:
        """Use a storage that was opened from now on."""
        with self._lock:
            self.storage = opened.storage
            self._has_unopened_storage = False
            self._missing = opened.missing
            self.first_seq = self._missing.first_present(opened.first_seq)

    def mark_storage_unopened(self) -> None:
        """Record that older entries are in a storage that could not be opened yet."""
        with self._lock:
            self._has_unopened_storage = self.stored_numbers != LastNumbers()
            # The number of the oldest is not known.
            self.first_seq = 1

    def discard_storage(self) -> SqlStorage | None:
        """Record that only the entries in memory are left; return the storage that was lost."""
        with self._lock:
            lost, self.storage = self.storage, None
            self._cache.mark_all_unwritten(self._all_last_ids())
            self._missing = MissingRanges()
            self.first_seq = self._cache.base + 1
            self.stored_numbers = LastNumbers(self._cache.base, dict(self._last_ids), self._id_floor)
            return lost

    def rewind(self, stored: int) -> bool:
        """Compare the entries in memory with the storage; see `EntryCache.rewind`."""
        with self._lock:
            return self._cache.rewind(stored, self._all_last_ids())

    def _all_last_ids(self) -> dict[str, int]:
        return {**self._last_ids, ANY_KIND: self._id_floor}

    @property
    def fault(self) -> str | None:
        """Description of the fault of the storage, for an operator; None while there is no fault."""
        reason, dropped = self._reason, self._cache.dropped
        if reason is None:
            return None
        sentence = (
            f"{reason}. Events and procedures are kept in memory until the journal can be written again"
        )
        if dropped is not None:
            sentence += f"; events from number {dropped.first} on have been lost"
        return sentence

    def set_fault(self, reason: str) -> None:
        """Record why the storage cannot be used; only the background thread writes from now on."""
        with self._lock:
            self._reason = reason

    # ---- numbers -------------------------------------------------------------------------------------

    def last_id(self, kind: str) -> int:
        """Return the greatest ID that may ever have been assigned for a kind."""
        return self._last_ids.get(kind, self._id_floor)

    def kinds(self) -> list[str]:
        """Return the kinds of documents that were ever appended."""
        with self._lock:
            return list(self._last_ids)

    def last_numbers(self, entries: Entries | None = None) -> LastNumbers:
        """Return the greatest numbers assigned, including those of entries to be appended."""
        last_ids, last_seq = self._last_ids, self.last_seq
        if entries is not None:
            last_ids = {**last_ids, **entries.last_ids}
            last_seq = entries.events[-1].seq if entries.events else last_seq
        return LastNumbers(last_seq, dict(last_ids), self._id_floor)

    # ---- entries -------------------------------------------------------------------------------------

    def entries(self, events: Sequence[JournalEvent], documents: Sequence[Document]) -> Entries:
        """Return events and documents as entries, with the greatest IDs where these have grown."""
        grown: dict[str, int] = {}
        for document in documents:
            if document.id > grown.get(document.kind, self.last_id(document.kind)):
                grown[document.kind] = document.id
        return Entries(events, documents, last_ids=grown)

    def add(self, entries: Entries) -> None:
        """Add entries that are stored."""
        with self._lock:
            self._add(entries, written=True)

    def add_if_faulty(self, entries: Entries, reason: str | None = None) -> bool:
        """Add entries to the unwritten ones, if there is a fault.

        :param reason: a fault that the caller has just found
        :returns: whether they were added
        """
        with self._lock:
            self._reason = self._reason or reason
            if self._reason is None:
                return False
            self._add(entries, written=False)
            return True

    def _add(self, entries: Entries, *, written: bool) -> None:
        self._cache.add(entries, written=written)
        self._last_ids.update(entries.last_ids)
        if entries.events:
            self.last_seq = entries.events[-1].seq

    def unwritten(self, limit: int) -> Entries:
        """Return the entries to be written next, with at most `limit` events."""
        with self._lock:
            return self._cache.unwritten(limit)

    def mark_written(self, entries: Entries) -> bool:
        """Record that the entries returned by `unwritten` are stored. If these were all, the fault ends.

        :returns: whether these were all
        """
        with self._lock:
            self._cache.mark_written(entries)
            self._missing = MissingRanges.of([*self._missing.ranges, *entries.missing])
            if not self._cache.has_unwritten:
                self._reason = None
            return self._reason is None

    def unwritten_count(self) -> tuple[int, int]:
        """Return how many events, and how many documents, are only in memory."""
        with self._lock:
            entries = self._cache.unwritten(self._retention.events)
            return len(entries.events), len(entries.documents)

    def add_missing(self, ranges: Iterable[MissingRange]) -> None:
        """Record that events of the storage cannot be read."""
        with self._lock:
            self._missing = MissingRanges.of([*self._missing.ranges, *ranges])
            self.first_seq = self._missing.first_present(self.first_seq)

    # ---- retention -----------------------------------------------------------------------------------

    def next_to_drop(self, *, oversize: bool) -> int | None:
        """Exclude the next few events from those that are kept.

        :param oversize: whether they take too much space, so that even fewer are to be kept
        :returns: the number up to which events are to be deleted; None if no event is
        """
        kept = self._retention.least_events if oversize else self._retention.events
        at_once = LARGE_EVENTS_AT_ONCE if oversize else EVENTS_AT_ONCE
        with self._lock:
            oldest = self._missing.oldest_of_newest(self.last_seq, kept)
            if self.first_seq >= oldest:
                return None
            self.first_seq = self._missing.first_present(min(oldest, self.first_seq + at_once))
            self._missing = self._missing.ending_after(self.first_seq)
            return self.first_seq - 1

    def remove_ended(self, kind: str, up_to: int) -> None:
        """Remove ended documents that were deleted from the storage."""
        with self._lock:
            self._cache.remove_ended(kind, up_to)

    # ---- reading -------------------------------------------------------------------------------------

    def events_in_memory(self, after: int, limit: int, topic: str) -> EventsInMemory:
        """Return the events in memory that match a query.

        :raises EventsNoLongerKeptError: if the query begins with events that are no longer kept
        """
        with self._lock:
            self._refuse_dropped(after)
            complete = after >= self._cache.base
            return EventsInMemory(self._cache.events_after(after, limit, topic), complete)

    def cut(self, found: list[JournalEvent], after: int, limit: int) -> list[JournalEvent]:
        """Return the events found, up to the first missing event; see `MissingRanges.cut`.

        :raises EventsNoLongerKeptError: if the query begins with missing or dropped events
        """
        with self._lock:
            self._refuse_dropped(after)
            dropped = self._cache.dropped
            missing = self._missing
        if dropped is not None:
            missing = MissingRanges.of([*missing.ranges, dropped])
        return missing.cut(found, after, to_the_end=len(found) < limit)

    def _refuse_dropped(self, after: int) -> None:
        if after + 1 < self.first_seq:
            raise EventsNoLongerKeptError(after, self.first_seq)

    def document_in_memory(self, kind: str, document_id: int) -> Document | None:
        """Return a document, if it is in memory."""
        with self._lock:
            return self._cache.document(kind, document_id)

    def documents_in_memory(self, kind: str) -> list[Document]:
        """Return the documents of a kind that are in memory."""
        with self._lock:
            return self._cache.documents(kind)

    def readable_storage(self) -> SqlStorage | None:
        """Return the storage with the entries that are not in memory; None if there are no others.

        :raises JournalUnavailableError: if the storage with them is not open
        """
        with self._lock:
            if self.storage is None and self._has_unopened_storage:
                raise JournalUnavailableError(f"older entries of the journal cannot be read: {self._reason}")
            return self.storage
