"""The state of the queue: its live entries in their order, and whether it runs. Every change is published."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import orjson

from ska_oso_oet.event.bus import Announcement, EventBus
from ska_oso_oet.event.last_published import last_published
from ska_oso_oet.journal import Document
from ska_oso_oet.model import QueueCondition, QueueEntry, QueueEntryState, QueueState, Requester

from .order import EntryOrder, ranked_behind

ENTRY_KIND = "queue_entry"
"""Kind of the documents that hold entries of the queue."""

CONDITION_KIND = "queue"
"""Kind of the document that holds the state of the queue."""

SOURCE = "Queue"
"""Source of the events of the queue."""


class QueueLedger:
    """Holds the queue, and publishes every change of it as one transaction of the journal.

    Hold `lock` while you call a method, or read the state for the next step; do not wait meanwhile.

    :param bus: where to publish
    :ivar lock: held while the queue changes
    :ivar woken: set when the queue has changed, or there may be a next step for another reason
    :ivar order: the live entries
    :ivar condition: the state of the queue
    """

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self.lock = threading.Lock()
        self.woken = threading.Event()
        self.order = EntryOrder()
        self.condition = QueueCondition()
        self._first_id = self._next_id = bus.journal.last_id(ENTRY_KIND) + 1

    @property
    def current(self) -> QueueEntry | None:
        """The entry that has begun, None if there is none. It is the first."""
        head = self.order.head
        return head if head is not None and head.state.is_begun else None

    def new_ids(self, count: int) -> range:
        """Return numbers for new entries."""
        first, self._next_id = self._next_id, self._next_id + count
        return range(first, self._next_id)

    def load(self, conclude: Callable[[QueueEntry], QueueEntry]) -> list[Document]:
        """Load the records of previous servers from the journal.

        :param conclude: returns the present state of an entry that had begun
        :returns: the documents of unchanged entries
        :raises JournalUnavailableError: if the journal cannot be read
        """
        journal = self._bus.journal
        changes: list[QueueEntry] = []
        unchanged: list[Document] = []
        newer = list(self.order)
        for document in journal.live_documents(ENTRY_KIND):
            if document.id >= self._first_id or document.id in self.order:
                continue
            try:
                entry = QueueEntry.model_validate_json(document.text)
            except ValueError as error:
                journal.damaged.add(ENTRY_KIND, document.id, error)
                continue
            # Preparations ahead of their turn have ended with their server.
            now = conclude(entry) if entry.state.is_begun else entry.unprepared()
            if now is entry:
                unchanged.append(document._replace(value=entry))
            else:
                changes.append(now)
            if not now.state.is_final:
                self.order.put(now)
        changes += self._restored(conclude)
        former = [document.value.rank for document in unchanged] + [
            entry.rank for entry in changes if not entry.state.is_final
        ]
        if newer and former:
            # They were added before the earlier ones were read: they follow them.
            changes += ranked_behind(newer, min(former), max(former))
        if changes:
            self.publish("changed", changes)
        return unchanged

    def _restored(self, conclude: Callable[[QueueEntry], QueueEntry]) -> list[QueueEntry]:
        """Return the entries whose documents are damaged, restored from events as far as possible.

        Events do not have the texts of embedded scripts: entries with such are lost. What is lost is set
        aside: it would be found damaged at each start.
        """
        damaged = self._bus.journal.damaged
        ids = [each for each in damaged.ids(ENTRY_KIND) if each < self._first_id and each not in self.order]
        if not ids:
            return []
        restored = []
        found = last_published(self._bus.journal, "queue.entry.", ids, "entry_id")
        for entry_id, published in found.items():
            with suppress(ValueError):
                entry = QueueEntry.model_validate(published.summary)
                restored.append(conclude(entry) if entry.state.is_begun else entry.unprepared())
                damaged.mark_restored(ENTRY_KIND, entry_id)
        self._bus.journal.set_aside(ENTRY_KIND, {*ids} - {entry.id for entry in restored})
        return restored

    def former_condition(self) -> QueueCondition | None:
        """Return the state of the queue of the previous server, None if there was none.

        :raises JournalUnavailableError: if the journal cannot be read
        """
        journal = self._bus.journal
        document = journal.read_document(CONDITION_KIND, 1)
        if document is None:
            return None
        try:
            return QueueCondition.model_validate_json(document.text)
        except ValueError as error:
            journal.damaged.add(CONDITION_KIND, document.id, error)
            return None

    def publish(
        self,
        verb: str,
        entries: Sequence[QueueEntry],
        condition: QueueCondition | None = None,
        by: Requester | None = None,
    ) -> None:
        """Store and publish changed entries and the state of the queue.

        :param verb: change of the entries: ``added``, ``changed`` or ``removed``
        :param entries: the entries as they are now
        :param condition: the new state of the queue, None if it stays
        :param by: the client that has requested it, None if the OET does it by itself
        :raises ValueError: if an entry contains text that is not valid Unicode; then nothing is changed
        """
        documents = [
            Document(
                ENTRY_KIND, entry.id, entry.model_dump_json(fallback=repr), not entry.state.is_final, entry
            )
            for entry in entries
        ]
        requested_by = None if by is None else by.model_dump()
        events = [
            Announcement(
                f"queue.entry.{verb}",
                SOURCE,
                {
                    "entry_id": each.id,
                    "result": orjson.Fragment(listed_text(each)),
                    "requested_by": requested_by,
                },
            )
            for each in documents
        ]
        if condition is not None:
            self.condition = condition
            # It never ends, so that the journal keeps it.
            documents.append(Document(CONDITION_KIND, 1, condition.model_dump_json(), True, condition))
            fields = {"new_state": condition.state, "reason": condition.reason, "requested_by": requested_by}
            events.append(Announcement("queue.state", SOURCE, fields))
        for entry in entries:
            if entry.state.is_final:
                self.order.discard(entry.id)
            else:
                self.order.put(entry)
        self._bus.publish(*events, documents=documents)
        self.woken.set()

    def set_condition(
        self, state: QueueState, reason: str | None = None, by: Requester | None = None
    ) -> None:
        """Change the state of the queue.

        :param state: the state
        :param reason: why
        :param by: the client that has requested it
        """
        if (self.condition.state, self.condition.reason) != (state, reason):
            self.publish("changed", [], QueueCondition(state=state, reason=reason), by)

    def change(self, entry: QueueEntry, state: QueueEntryState, reason: str | None = None) -> QueueEntry:
        """Change the state of an entry, and return it."""
        entered = entry.entering(state, time.time(), reason)
        self.publish("changed", [entered])
        return entered


def ended(entry: QueueEntry, state: QueueEntryState, reason: str | None = None) -> QueueEntry:
    """Return an entry that has ended; one that is to be repeated waits again, in the same place.

    :param entry: the entry
    :param state: how it has ended
    :param reason: why
    """
    now = time.time()
    done = entry.entering(state, now, reason)
    if state is not QueueEntryState.DONE or entry.request.repeat == 1:
        return done
    request = entry.request.model_copy(update={"repeat": entry.request.repeat - 1})
    again = done.entering(QueueEntryState.WAITING, now).unprepared()
    # An entry that is repeated a million times does not keep all times.
    return again.model_copy(update={"request": request, "states": again.states[-2:]})


def listed_text(document: Document) -> str:
    """Return the JSON of an entry for lists and events; see `QueueEntry.in_lists`.

    :param document: document of an entry
    """
    entry: QueueEntry = document.value
    listed = entry.in_lists()
    return document.text if listed is entry else listed.model_dump_json(fallback=repr)
