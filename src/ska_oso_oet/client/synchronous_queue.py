"""Synchronous client of the observing queue."""

from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

from ska_oso_oet.model import (
    Queue,
    QueueAddRequest,
    QueueClearRequest,
    QueueCondition,
    QueueEntry,
    QueueMoveRequest,
    QueueQuery,
    QueueRemoveRequest,
    QueueStartRequest,
    QueueStopRequest,
    QueueUpdateRequest,
)

from .observing_queue import ObservingQueue

T = TypeVar("T")


class Runner(Protocol):
    """Runs coroutines on a loop, and waits for them."""

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run something, and return its result."""


class SyncObservingQueue:
    """Reads and changes the queue, and waits for each answer. Errors are those of `ObservingQueue`.

    :param runner: runs the coroutines
    :param queue: makes them
    """

    def __init__(self, runner: Runner, queue: ObservingQueue) -> None:
        self._runner = runner
        self._queue = queue

    def read(self) -> Queue:
        """Return the queue: its first page."""
        return self._runner.run(self._queue.read())

    def page(self, query: QueueQuery) -> Queue:
        """Return a part of the queue; see `ObservingQueue.page`."""
        return self._runner.run(self._queue.page(query))

    def entry(self, entry_id: int) -> QueueEntry:
        """Return an entry; see `ObservingQueue.entry`."""
        return self._runner.run(self._queue.entry(entry_id))

    def add(self, request: QueueAddRequest) -> list[QueueEntry]:
        """Add entries, all or none; see `ObservingQueue.add`."""
        return self._runner.run(self._queue.add(request))

    def move(self, request: QueueMoveRequest) -> list[QueueEntry]:
        """Move an entry that has not begun; see `ObservingQueue.move`."""
        return self._runner.run(self._queue.move(request))

    def update(self, request: QueueUpdateRequest) -> list[QueueEntry]:
        """Change an entry that has not begun; see `ObservingQueue.update`."""
        return self._runner.run(self._queue.update(request))

    def remove(self, request: QueueRemoveRequest) -> list[QueueEntry]:
        """Remove an entry that has not begun; see `ObservingQueue.remove`."""
        return self._runner.run(self._queue.remove(request))

    def clear(self, request: QueueClearRequest | None = None) -> list[QueueEntry]:
        """Remove all entries that have not begun; see `ObservingQueue.clear`."""
        return self._runner.run(self._queue.clear(request))

    def start(self, request: QueueStartRequest | None = None) -> QueueCondition:
        """Run the entries, one after the other; see `ObservingQueue.start`."""
        return self._runner.run(self._queue.start(request))

    def stop(self, request: QueueStopRequest | None = None) -> QueueCondition:
        """Begin no further entry; see `ObservingQueue.stop`."""
        return self._runner.run(self._queue.stop(request))
