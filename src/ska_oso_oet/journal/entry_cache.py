"""The newest entries in memory, with all entries that could not be written yet."""

import bisect
from collections.abc import Mapping, Sequence
from typing import Final

from .entries import Entries, MissingRange
from .protocol import Document, JournalEvent

_EVENTS_KEPT: Final = 2000
_CHARS_KEPT: Final = 16 * 2**20
_ENDED_DOCUMENTS_KEPT: Final = 200
_Key = tuple[str, int]


class EntryCache:
    """The newest events and documents, which can be read without the storage.

    Not safe for threads: `JournalState` has the lock.

    :param last_seq: number of the newest event that is not in the cache
    :param max_unwritten: how many unwritten events to keep
    :param max_unwritten_chars: how many characters of unwritten events to keep
    :param max_documents: how many unwritten ended documents to keep
    :ivar base: number of the newest event that is older than those in the cache
    """

    def __init__(
        self, last_seq: int, max_unwritten: int, max_unwritten_chars: int, max_documents: int
    ) -> None:
        self.base = last_seq
        self._events: list[JournalEvent] = []
        self._written_seq = last_seq
        self._written_chars = 0
        self._unwritten_chars = 0
        self._max_unwritten = max_unwritten
        self._max_unwritten_chars = max_unwritten_chars
        self._dropped: MissingRange | None = None
        self._documents: dict[_Key, Document] = {}
        self._unwritten_documents: dict[_Key, Document] = {}
        self._ended: dict[_Key, None] = {}
        self._max_documents = max_documents
        self._unwritten_ids: dict[str, int] = {}

    def add(self, entries: Entries, *, written: bool) -> None:
        """Add entries; unwritten ones are kept until `mark_written`."""
        self._events.extend(entries.events)
        for document in entries.documents:
            self._add_document(document, written=written)
        chars = _chars(entries.events)
        if not written:
            self._unwritten_chars += chars
            self._unwritten_ids.update(entries.last_ids)
            self._bound_unwritten()
        elif entries.events:
            self._written_chars += chars
            self._written_seq = entries.events[-1].seq
        self._bound_written()

    @property
    def has_unwritten(self) -> bool:
        """Whether there are unwritten entries."""
        newest_is_unwritten = bool(self._events) and self._events[-1].seq > self._written_seq
        return newest_is_unwritten or bool(self._unwritten_documents or self._dropped or self._unwritten_ids)

    @property
    def dropped(self) -> MissingRange | None:
        """The events that were lost before they could be written, because their memory is bounded."""
        return self._dropped

    def unwritten(self, limit: int) -> Entries:
        """Return the entries to be written next: the oldest of the unwritten events, and everything else.

        :param limit: how many events
        """
        start = self._index(self._written_seq)
        return Entries(
            self._events[start : start + limit],
            list(self._unwritten_documents.values()),
            [self._dropped] if self._dropped else [],
            dict(self._unwritten_ids),
        )

    def mark_written(self, entries: Entries) -> None:
        """Record that the entries returned by `unwritten` are stored."""
        if entries.events:
            last_seq = entries.events[-1].seq
            start, end = self._index(self._written_seq), self._index(last_seq)
            chars = _chars(self._events[start:end])
            self._unwritten_chars -= chars
            self._written_chars += chars
            self._written_seq = max(self._written_seq, last_seq)
        for document in entries.documents:
            key = (document.kind, document.id)
            if self._unwritten_documents.get(key) is document:
                del self._unwritten_documents[key]
        for kind, last_id in entries.last_ids.items():
            if self._unwritten_ids.get(kind) == last_id:
                del self._unwritten_ids[kind]
        # If more was dropped meanwhile, the range has grown, and is written again.
        if self._dropped in entries.missing:
            self._dropped = None
        self._bound_written()

    def mark_all_unwritten(self, last_ids: Mapping[str, int]) -> None:
        """Record that nothing in the cache is stored, because the storage was lost.

        :param last_ids: the greatest IDs of all kinds
        """
        self._mark_unwritten(self.base, last_ids)
        self._dropped = None

    def rewind(self, stored: int, last_ids: Mapping[str, int]) -> bool:
        """Compare the cache with the storage, which may have lost events that were written to it.

        :param stored: number of its newest event, or of the last one that it records as missing
        :param last_ids: the greatest IDs of all kinds
        :returns: whether it has lost events; those in the cache are to be written again
        """
        written = self._dropped.first - 1 if self._dropped else self._written_seq
        if stored >= written:
            return False
        if stored < self.base:
            self._dropped = MissingRange(stored + 1, self.base)
        self._mark_unwritten(max(stored, self.base), last_ids)
        return True

    def _mark_unwritten(self, after: int, last_ids: Mapping[str, int]) -> None:
        self._written_seq = after
        start = self._index(after)
        self._written_chars = _chars(self._events[:start])
        self._unwritten_chars = _chars(self._events[start:])
        self._unwritten_documents = dict(self._documents)
        self._unwritten_ids = dict(last_ids)

    def events_after(self, after: int, limit: int, topic: str) -> list[JournalEvent]:
        """Return the events in the cache that have a greater number, oldest first."""
        start = self._index(after)
        if not topic:
            return self._events[start : start + limit]
        found: list[JournalEvent] = []
        for index in range(start, len(self._events)):
            if len(found) == limit:
                break
            if self._events[index].topic.startswith(topic):
                found.append(self._events[index])
        return found

    def document(self, kind: str, document_id: int) -> Document | None:
        """Return a document if it is in the cache."""
        return self._documents.get((kind, document_id))

    def documents(self, kind: str) -> list[Document]:
        """Return the documents of a kind that are in the cache, in no particular order."""
        return [document for document in self._documents.values() if document.kind == kind]

    def remove_ended(self, kind: str, up_to: int) -> None:
        """Remove ended documents of a kind with IDs up to this one, as retention has done in the storage."""
        for key in [key for key in self._ended if key[0] == kind and key[1] <= up_to]:
            self._remove(key)

    def _index(self, seq: int) -> int:
        """Return the index of the first event after a number."""
        if self._events and self._events[-1].seq <= seq:
            return len(self._events)
        return bisect.bisect_right(self._events, seq, key=_seq_of)

    def _add_document(self, document: Document, *, written: bool) -> None:
        key = (document.kind, document.id)
        self._documents[key] = document
        self._ended.pop(key, None)
        if not written:
            self._unwritten_documents[key] = document
        else:
            self._unwritten_documents.pop(key, None)
        if not document.live:
            self._ended[key] = None

    def _bound_written(self) -> None:
        """Remove the oldest written entries, many at a time, because shortening a list is slow."""
        written = self._index(self._written_seq)
        if written > _EVENTS_KEPT * 1.5 or self._written_chars > _CHARS_KEPT * 1.5:
            self._remove_written(written)
        while len(self._ended) > _ENDED_DOCUMENTS_KEPT:
            oldest = next(iter(self._ended))
            if oldest in self._unwritten_documents and len(self._ended) <= self._max_documents:
                break
            self._remove(oldest)

    def _remove_written(self, count: int) -> None:
        removed = max(0, count - _EVENTS_KEPT)
        self._written_chars -= _chars(self._events[:removed])
        while removed < count and self._written_chars > _CHARS_KEPT:
            self._written_chars -= len(self._events[removed].text)
            removed += 1
        self.base = self._events[removed - 1].seq
        del self._events[:removed]

    def _remove(self, key: _Key) -> None:
        del self._ended[key]
        del self._documents[key]
        self._unwritten_documents.pop(key, None)

    def _bound_unwritten(self) -> None:
        start = self._index(self._written_seq)
        count = len(self._events) - start
        if count <= self._max_unwritten and self._unwritten_chars <= self._max_unwritten_chars:
            return
        end = start
        # A tenth at a time, for the same reason as in _bound_written.
        while end < len(self._events) - 1 and (
            len(self._events) - end > self._max_unwritten * 0.9
            or self._unwritten_chars > self._max_unwritten_chars * 0.9
        ):
            self._unwritten_chars -= len(self._events[end].text)
            end += 1
        last = self._events[end - 1].seq
        first = self._dropped.first if self._dropped else self._events[start].seq
        self._dropped = MissingRange(first, last)
        del self._events[:end]
        self._written_chars = 0
        self._written_seq = self.base = last


def _chars(events: Sequence[JournalEvent]) -> int:
    return sum([len(event.text) for event in events])


def _seq_of(event: JournalEvent) -> int:
    return event.seq


def merged(stored: Sequence[Document], in_memory: Sequence[Document]) -> list[Document]:
    """Return the documents of both, ordered by ID; those from memory are the newer versions."""
    by_id = {document.id: document for document in stored}
    by_id.update({document.id: document for document in in_memory})
    return [by_id[document_id] for document_id in sorted(by_id)]
