"""The event bus: numbers events, writes them to the journal, and distributes them in order.

One thread does this, fed by a queue that any thread may put to. So the order of the numbers is the order of
publication, all waiting entries are committed together, and no publisher waits for a disk. Subscribers are
called after the commit: each event that a client has received is in the journal.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from ska_oso_oet.journal import Batch, Document, Journal, JournalEvent
from ska_oso_oet.mptools.encoding import to_json
from ska_oso_oet.mptools.futures import irrevocable_future

LOGGER = logging.getLogger(__name__)

RESERVED_FIELDS = frozenset({"seq", "time", "topic"})


class Announcement(NamedTuple):
    """An event that has no number yet.

    Fields are JSON values, or `orjson.Fragment` of such; what is neither is rendered as JSON.
    """

    topic: str
    msg_src: str | None
    fields: dict[str, Any]


class _Entry(NamedTuple):
    """One item of the bus's queue: it is written to the journal completely, or not at all."""

    time: float
    announcements: tuple[Announcement, ...]
    documents: tuple[Document, ...]
    committed: "Future[None] | None"


Subscriber = Callable[[Batch], None]

# Bounds the memory that a burst of events takes and the time that its first event waits.
_MAX_BATCH = 1000

_MAX_HELD = 64
"""Entries that a thread holds back at most, because other threads could process them already."""


class _Held(threading.local):
    """Entries that a thread has published and not handed over yet; None while it hands over each at once."""

    entries: list[_Entry] | None = None


class _Together:
    """Context in which a thread holds back its entries. Of nested contexts, the outermost one counts.

    :param held: the entries
    :param hand_over: hands them over
    """

    def __init__(self, held: _Held, hand_over: Callable[[list[_Entry]], None]) -> None:
        self._held = held
        self._hand_over = hand_over
        self._is_outermost = held.entries is None

    def __enter__(self) -> None:
        if self._is_outermost:
            self._held.entries = []

    def __exit__(self, *_: object) -> None:
        if self._is_outermost:
            entries, self._held.entries = self._held.entries, None
            self._hand_over(entries or [])


class EventBus:
    """Numbers, journals and distributes events and documents.

    :param journal: where they are kept; owned and closed by the bus
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._queue: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._held = _Held()
        self._subscribers: list[Subscriber] = []
        self._followers: list[Subscriber] = []
        self._telling = threading.Lock()
        self._seq = journal.last_seq
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="oet-event-bus", daemon=True)
        self._thread.start()

    def publish(
        self,
        *announcements: Announcement,
        document: Document | None = None,
        documents: Iterable[Document] = (),
    ) -> None:
        """Announce events and store documents, in one transaction. Any thread may call this.

        :param announcements: the events, in order
        :param document: the newest state of the thing that the events are about
        :param documents: the newest states of further things
        """
        stored = tuple(documents) if document is None else (document, *documents)
        self._put(_Entry(time.time(), announcements, stored, None))

    def together(self) -> AbstractContextManager[None]:
        """Return a context: what this thread publishes within it is committed together, at its end.

        If there is much, the first part is handed over earlier. Contexts may be nested: the outermost one
        counts.
        """
        return _Together(self._held, self._put_all)

    def _put(self, entry: _Entry) -> None:
        held = self._held.entries
        if held is None:
            self._queue.put(entry)
            return
        held.append(entry)
        if len(held) == _MAX_HELD:
            self._put_all(held)
            self._held.entries = []

    def _put_all(self, entries: list[_Entry]) -> None:
        for entry in entries:
            self._queue.put(entry)

    @property
    def backlog(self) -> int:
        """Approximate number of entries that wait to be committed."""
        return self._queue.qsize()

    def committed(self) -> "Future[None]":
        """Return a future that is done when all that was published before has been committed and distributed.

        Within `together`, it is done only after the end of that.

        Never wait for it in a thread that a subscriber may wait for. It raises RuntimeError once the bus is
        closed: what was published since then is lost.
        """
        future: Future[None] = irrevocable_future()
        with self._closing:
            if not self._closed:
                self._put(_Entry(time.time(), (), (), future))
                return future
        future.set_exception(RuntimeError("the event bus is closed: it commits nothing more"))
        return future

    def subscribe(self, subscriber: Subscriber, *, last: bool = False) -> None:
        """Subscribe a function: the thread of the bus calls it with every batch from now on, in order.

        :param subscriber: must be quick; if it raises, that is logged and the bus continues
        :param last: call it after all other subscribers
        """
        # A new list each time: the bus's thread may be iterating over the old one.
        if last:
            self._followers = [*self._followers, subscriber]
        else:
            self._subscribers = [*self._subscribers, subscriber]

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Unsubscribe a function."""
        self._subscribers = [known for known in self._subscribers if known != subscriber]
        self._followers = [known for known in self._followers if known != subscriber]

    def wait_while_telling(self) -> None:
        """Wait until no batch is known to one subscriber and not yet to another.

        A caller that reads one subscriber, calls this, and reads another one finds nothing older there. Never
        call it in a thread that a subscriber may wait for.
        """
        with self._telling:
            pass

    def close(self) -> None:
        """Commit and hand on what has been published, end the thread and close the journal."""
        with self._closing:
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        self.journal.close()

    def _run(self) -> None:
        open_ = True
        while open_:
            entries, open_ = self._drain()
            try:
                self._commit(entries)
            except Exception:
                # Nothing would restart this thread: after any failure of one batch, continue with the next.
                LOGGER.exception("The event bus could not handle a batch of %d entries", len(entries))
                # The numbers of events that were not kept have not been published: they are assigned again.
                self._seq = self.journal.last_seq
            for entry in entries:
                if entry.committed is not None:
                    entry.committed.set_result(None)

    def _drain(self) -> tuple[list[_Entry], bool]:
        """Wait for an entry, then take all that are there. The flag is False once the bus is to close."""
        entries: list[_Entry] = []
        entry = self._queue.get()
        while entry is not None:
            entries.append(entry)
            if len(entries) >= _MAX_BATCH:
                return entries, True
            try:
                entry = self._queue.get_nowait()
            except queue.Empty:
                return entries, True
        return entries, False

    def _commit(self, entries: list[_Entry]) -> None:
        announcements = [(each, entry.time) for entry in entries for each in entry.announcements]
        events = [self._number(announcement, time_) for announcement, time_ in announcements]
        versions = [document for entry in entries for document in entry.documents]
        # Of a document that changed several times within the batch, the newest version is the one to keep.
        documents = {(document.kind, document.id): document for document in versions}
        if not events and not documents:
            return
        fields = [{"msg_src": each.msg_src, **each.fields} for each, _ in announcements]
        batch = Batch(events, list(documents.values()), fields, versions)
        self.journal.append(batch.events, batch.documents)
        with self._telling:
            self._tell(batch)

    def _tell(self, batch: Batch) -> None:
        for subscriber in (*self._subscribers, *self._followers):
            try:
                subscriber(batch)
            except Exception:
                LOGGER.exception(
                    "A subscriber of the event bus failed; the other subscribers are still called"
                )

    def _number(self, announcement: Announcement, time_: float) -> JournalEvent:
        self._seq += 1
        fields = announcement.fields
        if not RESERVED_FIELDS.isdisjoint(fields):
            fields = {name + "_" if name in RESERVED_FIELDS else name: fields[name] for name in fields}
        flat = {
            "topic": announcement.topic,
            "msg_src": announcement.msg_src,
            **fields,
            "seq": self._seq,
            "time": time_,
        }
        return JournalEvent(self._seq, announcement.topic, to_json(flat).decode())
