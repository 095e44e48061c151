"""View of the queue for clients: only what is in the journal."""

import threading
import time
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import orjson

from ska_oso_oet.journal import Batch, Document
from ska_oso_oet.model import (
    ENTRIES_SHOWN,
    QueueCondition,
    QueueEntry,
    QueueEntryState,
    QueueQuery,
    QueueState,
)

from .durations import DurationBook, Expectation, names_of
from .errors import QueueEntryNotFoundError
from .ledger import CONDITION_KIND, ENTRY_KIND, listed_text


class _Live(NamedTuple):
    """An entry that has not ended, as it is shown.

    :param rank: its place in the order
    :param text: its JSON, without estimates
    :param names: names under which its duration may be stored
    :param begun: when its turn has come, None if it has not yet
    :param not_before: its earliest start, None for any time
    :param repeat: how many times it is still to run
    """

    rank: float
    text: str
    names: Sequence[str]
    begun: float | None
    not_before: float | None
    repeat: int


_Estimate = tuple[Expectation | None, float | None, float | None]
"""Expected duration of one run of an entry, and its expected begin and end."""


def _members(expected: Expectation | None, start: float | None, end: float | None) -> str:
    """Return the JSON members with the expected times of an entry."""
    members = {
        "expected_duration": None if expected is None else round(expected.seconds, 3),
        "expected_from": None if expected is None else expected.source.model_dump(),
        "estimated_start": start,
        "estimated_end": end,
    }
    return orjson.dumps(members)[1:-1].decode()


def _begun(entry: QueueEntry) -> float | None:
    """Return when the turn of an entry has come, None if it has not yet."""
    if not entry.state.is_begun:
        return None
    turns = [when for state, when in entry.states if state is QueueEntryState.PREPARING]
    return turns[-1] if turns else entry.states[-1][1]


class QueueView:
    """The committed entries and state of the queue.

    The thread of the bus writes, after each commit; any thread may read.

    :param history_length: how many entries that have ended are shown
    :param durations: how long entries are expected to take
    """

    def __init__(self, history_length: int, durations: DurationBook) -> None:
        self._durations = durations
        self._lock = threading.Lock()
        self._condition = QueueCondition()
        self._live: dict[int, _Live] = {}
        self._order: list[tuple[float, int]] = []
        self._ended: deque[str] = deque(maxlen=history_length)

    @property
    def condition(self) -> QueueCondition:
        """The state of the queue."""
        return self._condition

    @property
    def length(self) -> int:
        """How many entries have not ended."""
        return len(self._order)

    def text(self, limit: int = ENTRIES_SHOWN) -> str:
        """Return the first page of the queue as JSON; see `page`."""
        return self.page(QueueQuery(limit=limit))

    def page(self, query: QueueQuery) -> str:
        """Return a part of the queue as JSON: state, reason, length, entries, and where to read on.

        Entries that have ended lately are the first, the others follow in their order.

        :param query: which part
        :raises QueueEntryNotFoundError: if it begins after an entry that is no longer there
        """
        with self._lock:
            start = 0 if query.after is None else self._place_behind(query.after)
            end = start + query.limit
            live = [self._live[entry_id] for _, entry_id in self._order[:end]]
            following = self._order[end - 1][1] if len(self._order) > end else None
            length, condition = len(self._order), self._condition
            ended = list(self._ended) if query.after is None else []
        estimates = islice(self._estimates(live, condition.state), start, None)
        texts = [
            f"{each.text[:-1]},{_members(*it)}}}" for each, it in zip(live[start:], estimates, strict=True)
        ]
        state, reason = orjson.dumps(condition.state).decode(), orjson.dumps(condition.reason).decode()
        return (
            f'{{"state":{state},"reason":{reason},"length":{length},'
            f'"entries":[{",".join([*ended, *texts])}],'
            f'"next":{"null" if following is None else following}}}'
        )

    def _place_behind(self, entry_id: int) -> int:
        if (entry := self._live.get(entry_id)) is None:
            raise QueueEntryNotFoundError(entry_id)
        return bisect_left(self._order, (entry.rank, entry_id)) + 1

    def _estimates(self, entries: Iterable[_Live], state: QueueState) -> Iterator[_Estimate]:
        """Return the expected times of the first entries."""
        now = time.time()
        # Expected end of the entry before, as long as it is known.
        free: float | None = now
        for entry in entries:
            expected = self._durations.expected(entry.names)
            begin, start = entry.begun, None
            if entry.begun is None and state is QueueState.RUNNING and free is not None:
                begin = start = max(free, entry.not_before or free)
            end = None if begin is None or expected is None else begin + expected.seconds * entry.repeat
            # One that takes longer than expected may end at any moment.
            free = None if end is None else max(end, now)
            yield expected, start, free

    def on_batch(self, batch: Batch) -> None:
        """Receive committed changes."""
        self.show(batch.documents)

    def show(self, documents: Iterable[Document]) -> None:
        """Show the newest versions of documents. Those of other kinds are ignored."""
        for document in documents:
            if document.kind == ENTRY_KIND:
                with self._lock:
                    self._show_entry(document)
            elif document.kind == CONDITION_KIND:
                self._condition = document.value

    def _show_entry(self, document: Document) -> None:
        entry: QueueEntry = document.value
        if (shown := self._live.pop(entry.id, None)) is not None:
            del self._order[bisect_left(self._order, (shown.rank, entry.id))]
        if not entry.state.is_final:
            self._live[entry.id] = _Live(
                entry.rank,
                listed_text(document),
                names_of(entry),
                _begun(entry),
                entry.not_before,
                entry.request.repeat,
            )
            insort(self._order, (entry.rank, entry.id))
        elif entry.state is not QueueEntryState.REMOVED:
            self._ended.append(listed_text(document))
