"""What the threads of the journal share: entries in memory, numbers, and the state of the storage."""

import threading
from collections.abc import Sequence
from typing import Final, NamedTuple

from .gaps import Gaps
from .numbering import Numbering
from .owner import Opened
from .protocol import Document, EventsNoLongerKept, JournalEvent, JournalUnavailable
from .recent import RecentEntries
from .retention import EVENTS_AT_ONCE, LARGE_EVENTS_AT_ONCE, Retention
from .schema import ANY_KIND
from .storage import Entries, SqlStorage

_MAX_UNWRITTEN_CHARS: Final = 64 * 2**20


class EventsInMemory(NamedTuple):
    """What memory has of the events that were asked for."""

    events: list[JournalEvent]
    complete: bool
    """Whether there is nothing older in the storage that was asked for too."""


class Ledger:
    """The journal's memory. Every method is safe for threads, quick, and waits for no storage.

    While `fault` is None, all entries are stored, and the one that appends writes new ones itself.
    Otherwise the maintenance thread alone writes, until it has caught up.

    :param numbering: the greatest numbers given out so far
    :param retention: how much is kept
    """

    def __init__(self, numbering: Numbering, retention: Retention) -> None:
        self._lock = threading.Lock()
        self._retention = retention
        self._recent = RecentEntries(
            numbering.last_seq, retention.events, _MAX_UNWRITTEN_CHARS, retention.documents
        )
        self._last_ids = dict(numbering.last_ids)
        self._id_floor = numbering.id_floor
        self._gaps = Gaps()
        self._reason: str | None = None
        self._unread = False
        self.last_seq = numbering.last_seq
        self.first_seq = numbering.last_seq + 1
        self.storage: SqlStorage | None = None
        self.base_numbering = numbering

    # ---- the storage ---------------------------------------------------------------------------------

    def adopt(self, opened: Opened) -> None:
        """Use a storage that was opened."""
        with self._lock:
            self.storage = opened.storage
            self._unread = False
            self._gaps = opened.gaps
            self.first_seq = self._present(opened.first_seq)

    def expect_storage(self) -> None:
        """Note that entries are in a storage that could not be opened yet."""
        with self._lock:
            self._unread = self.base_numbering != Numbering()
            # How far back they go is not known.
            self.first_seq = 1

    def lose_storage(self) -> SqlStorage | None:
        """Note that what is stored is lost, but for what memory holds; return the storage."""
        with self._lock:
            lost, self.storage = self.storage, None
            self._recent.mark_all_unwritten(self._all_last_ids())
            self._gaps = Gaps()
            self.first_seq = self._recent.base + 1
            self.base_numbering = Numbering(self._recent.base, dict(self._last_ids), self._id_floor)
            return lost

    def rewind(self, stored: int) -> bool:
        """Take notice of how far the storage has come; see `RecentEntries.rewind`."""
        with self._lock:
            return self._recent.rewind(stored, self._all_last_ids())

    def _all_last_ids(self) -> dict[str, int]:
        return {**self._last_ids, ANY_KIND: self._id_floor}

    @property
    def fault(self) -> str | None:
        """What is wrong with the storage, in a sentence for an operator."""
        reason, dropped = self._reason, self._recent.dropped
        if reason is None:
            return None
        sentence = (
            f"{reason}. Events and procedures are kept in memory until the journal can be written again"
        )
        if dropped is not None:
            sentence += f"; events from number {dropped.first} on have been lost"
        return sentence

    def set_fault(self, reason: str) -> None:
        """Note why the storage cannot be used; the maintenance thread is to write from now on."""
        with self._lock:
            self._reason = reason

    # ---- numbers -------------------------------------------------------------------------------------

    def last_id(self, kind: str) -> int:
        """Return the greatest ID that may ever have been given out for a kind."""
        return self._last_ids.get(kind, self._id_floor)

    def kinds(self) -> list[str]:
        """Return the kinds of documents there have been."""
        with self._lock:
            return list(self._last_ids)

    def numbering(self, entries: Entries | None = None) -> Numbering:
        """Return the greatest numbers given out, those of entries to be appended included."""
        last_ids, last_seq = self._last_ids, self.last_seq
        if entries is not None:
            last_ids = {**last_ids, **entries.last_ids}
            last_seq = entries.events[-1].seq if entries.events else last_seq
        return Numbering(last_seq, dict(last_ids), self._id_floor)

    # ---- entries -------------------------------------------------------------------------------------

    def entries(self, events: Sequence[JournalEvent], documents: Sequence[Document]) -> Entries:
        """Return events and documents with the IDs that are new among them."""
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
        """Add entries to those that are to be written, if there is a fault.

        :param reason: a fault that the caller has just met
        :returns: whether they were added
        """
        with self._lock:
            self._reason = self._reason or reason
            if self._reason is None:
                return False
            self._add(entries, written=False)
            return True

    def _add(self, entries: Entries, *, written: bool) -> None:
        self._recent.add(entries, written=written)
        self._last_ids.update(entries.last_ids)
        if entries.events:
            self.last_seq = entries.events[-1].seq

    def unwritten(self, limit: int) -> Entries:
        """Return what is to be written next, with not more than `limit` events."""
        with self._lock:
            return self._recent.unwritten(limit)

    def mark_written(self, entries: Entries) -> bool:
        """Note that what `unwritten` returned is stored. There is no fault any more if that was all.

        :returns: whether that was all
        """
        with self._lock:
            self._recent.mark_written(entries)
            self._gaps = Gaps.of([*self._gaps.runs, *entries.gaps])
            if not self._recent.has_unwritten:
                self._reason = None
            return self._reason is None

    def unwritten_count(self) -> tuple[int, int]:
        """Return how many events, and how many documents, are only in memory."""
        with self._lock:
            entries = self._recent.unwritten(self._retention.events)
            return len(entries.events), len(entries.documents)

    # ---- retention -----------------------------------------------------------------------------------

    def next_to_drop(self, *, oversize: bool) -> int | None:
        """Take the next few events out of what is kept.

        :param oversize: whether all of them take too much space, so that even fewer are to be kept
        :returns: the number up to which they are to be deleted; None if nothing is to be dropped
        """
        kept = self._retention.least_events if oversize else self._retention.events
        at_once = LARGE_EVENTS_AT_ONCE if oversize else EVENTS_AT_ONCE
        with self._lock:
            oldest = self._gaps.oldest_of(self.last_seq, kept)
            if self.first_seq >= oldest:
                return None
            self.first_seq = self._present(min(oldest, self.first_seq + at_once))
            self._gaps = self._gaps.beyond(self.first_seq)
            return self.first_seq - 1

    def forget_ended(self, kind: str, up_to: int) -> None:
        """Forget ended documents that were deleted from the storage."""
        with self._lock:
            self._recent.forget_ended(kind, up_to)

    def _present(self, seq: int) -> int:
        return self._gaps.first_present(seq)

    # ---- reading -------------------------------------------------------------------------------------

    def events_in_memory(self, after: int, limit: int, topic: str) -> EventsInMemory:
        """Return what memory has of the events that are asked for.

        :raises EventsNoLongerKept: if older ones are asked for than are kept
        """
        with self._lock:
            self._refuse_dropped(after)
            complete = after >= self._recent.base
            return EventsInMemory(self._recent.events_after(after, limit, topic), complete)

    def cut(self, found: list[JournalEvent], after: int, limit: int) -> list[JournalEvent]:
        """End what was found at the first missing event; see `Gaps.cut`.

        :raises EventsNoLongerKept: if it begins with missing ones, or retention has overtaken the reader
        """
        with self._lock:
            self._refuse_dropped(after)
            dropped = self._recent.dropped
            gaps = self._gaps if dropped is None else Gaps.of([*self._gaps.runs, dropped])
        return gaps.cut(found, after, to_the_end=len(found) < limit) if gaps.runs else found

    def _refuse_dropped(self, after: int) -> None:
        if after + 1 < self.first_seq:
            raise EventsNoLongerKept(after, self.first_seq)

    def document_in_memory(self, kind: str, document_id: int) -> Document | None:
        """Return a document, if memory has it."""
        with self._lock:
            return self._recent.document(kind, document_id)

    def documents_in_memory(self, kind: str) -> list[Document]:
        """Return the documents of a kind that memory has."""
        with self._lock:
            return self._recent.documents(kind)

    def readable_storage(self) -> SqlStorage | None:
        """Return where the entries are that memory does not have; None if there are no others.

        :raises JournalUnavailable: if they are in a storage that is not open
        """
        with self._lock:
            if self.storage is None and self._unread:
                raise JournalUnavailable(f"what was journalled before cannot be read: {self._reason}")
            return self.storage
