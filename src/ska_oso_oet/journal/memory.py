"""The journal that keeps everything in memory."""

import bisect
import threading
from collections.abc import Collection, Sequence
from itertools import islice

from .damage import DamagedRows
from .protocol import Document, EventsNoLongerKeptError, JournalEvent, answerable


class MemoryJournal:
    """A journal that is lost when its process ends: for tests, and for embedding without a disk.

    :param event_retention: how many events to keep
    :param document_retention: how many ended documents of each kind to keep
    """

    fault: str | None = None
    recovery: str | None = None

    def __init__(self, event_retention: int = 100_000, document_retention: int = 1_000) -> None:
        self.damaged = DamagedRows()
        self._lock = threading.Lock()
        self._event_retention = event_retention
        self._document_retention = document_retention
        self._events: list[JournalEvent] = []
        self._documents: dict[str, dict[int, Document]] = {}
        self._last_ids: dict[str, int] = {}
        self._last_seq = 0

    def append(self, events: Sequence[JournalEvent], documents: Sequence[Document]) -> None:
        """Keep events and documents."""
        with self._lock:
            if events:
                self._events.extend(events)
                self._last_seq = events[-1].seq
                # Dropping a tenth at a time keeps the cost of an append constant.
                if len(self._events) > self._event_retention * 1.1:
                    del self._events[: len(self._events) - self._event_retention]
            for document in documents:
                kept = self._documents.setdefault(document.kind, {})
                kept[document.id] = document
                self._last_ids[document.kind] = max(self._last_ids.get(document.kind, 0), document.id)
                if len(kept) > self._document_retention * 1.1:
                    self._drop_old(kept)

    def _drop_old(self, kept: dict[int, Document]) -> None:
        ended = sorted(document.id for document in kept.values() if not document.live)
        for document_id in ended[: max(0, len(ended) - self._document_retention)]:
            del kept[document_id]

    @property
    def first_seq(self) -> int:
        """Number of the oldest event that is kept, or the next number while there is none."""
        with self._lock:
            return self._events[0].seq if self._events else self._last_seq + 1

    @property
    def last_seq(self) -> int:
        """Number of the newest event, 0 before the first."""
        return self._last_seq

    def read_events(self, after: int, limit: int, topic: str = "") -> list[JournalEvent]:
        """Read events, oldest first."""
        with self._lock:
            if self._events and after + 1 < self._events[0].seq:
                raise EventsNoLongerKeptError(after, self._events[0].seq)
            start = bisect.bisect_right(self._events, after, key=lambda event: event.seq)
            if not topic:
                return answerable(self._events[start : start + limit])
            matching = (event for event in self._events[start:] if event.topic.startswith(topic))
            return answerable(list(islice(matching, limit)))

    def last_id(self, kind: str) -> int:
        """Return the greatest ID ever stored for a kind of document, 0 if there is none."""
        return self._last_ids.get(kind, 0)

    def read_document(self, kind: str, document_id: int) -> Document | None:
        """Return a document, or None if it never existed or is no longer kept."""
        with self._lock:
            return self._documents.get(kind, {}).get(document_id)

    def newest_documents(self, kind: str, limit: int, before: int | None = None) -> list[Document]:
        """Return the newest documents of a kind, ordered by ID, oldest first."""
        with self._lock:
            kept = self._documents.get(kind, {})
            ids = sorted(each for each in kept if before is None or each < before)
            return [kept[document_id] for document_id in ids[-limit:]] if limit > 0 else []

    def live_documents(self, kind: str) -> list[Document]:
        """Return the documents of a kind that are live, ordered by ID, oldest first."""
        with self._lock:
            kept = self._documents.get(kind, {})
            return [kept[document_id] for document_id in sorted(kept) if kept[document_id].live]

    def set_aside(self, kind: str, ids: Collection[int]) -> None:
        """Do nothing: in memory, no document is damaged."""

    def close(self) -> None:
        """Do nothing: there is no storage to close."""
