"""The observing queue: attributes and queries about it, and the commands that change it."""

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import TypeVar

from ska_oso_oet.model import (
    QueueAddRequest,
    QueueClearRequest,
    QueueCondition,
    QueueEntry,
    QueueMoveRequest,
    QueueQuery,
    QueueRemoveRequest,
    QueueStartRequest,
    QueueState,
    QueueStopRequest,
    QueueUpdateRequest,
    Requester,
)
from ska_oso_oet.queue import QueueService

from .arguments import parse
from .executor import Executor
from .executor_keeper import ExecutorKeeper
from .json_text import ascii_json, json_list

# Tango numbers the labels of an enumeration from 0.
QueueStateLabel = IntEnum(  # type: ignore[misc]
    "QueueStateLabel", [state.name for state in QueueState], start=0
)

_EMPTY = '{"state":"STOPPED","reason":null,"length":0,"entries":[],"next":null}'

R = TypeVar("R", QueueAddRequest, QueueMoveRequest, QueueUpdateRequest, QueueRemoveRequest, QueueClearRequest)


class ObservingQueue:
    """The queue of a controller.

    :param keeper: keeps the executor that runs it
    :param requester: returns the requester of the present request, from the name in the request
    """

    def __init__(
        self, keeper: ExecutorKeeper, requester: Callable[[Requester | None], Requester | None]
    ) -> None:
        self._keeper = keeper
        self._requester = requester

    # What clients read

    def text(self) -> str:
        """Return the queue as JSON.

        :raises tango.DevFailed: if it is not known because of a fault
        """
        executor = self._keeper.for_reading()
        return _EMPTY if executor is None else ascii_json(executor.queue.view.text())

    def state(self) -> QueueStateLabel:
        """Return the state of the queue."""
        executor = self._keeper.executor
        state = QueueState.STOPPED if executor is None else executor.queue.view.condition.state
        return label_of(state)

    def length(self) -> int:
        """Return how many entries have not ended."""
        executor = self._keeper.executor
        return 0 if executor is None else executor.queue.view.length

    # Commands

    def page(self, argin: str) -> str:
        """Answer GetQueue."""
        return self._keeper.answer(
            "GetQueue", lambda executor: ascii_json(executor.queue.view.page(parse(QueueQuery, argin)))
        )

    def describe(self, entry_id: int) -> str:
        """Answer DescribeQueueEntry."""
        return self._keeper.answer(
            "DescribeQueueEntry", lambda executor: ascii_json(executor.queue.document(entry_id))
        )

    def add(self, argin: str) -> str:
        """Carry out QueueAdd."""
        return self._change("QueueAdd", QueueAddRequest, argin, lambda queue, it: queue.add(it))

    def move(self, argin: str) -> str:
        """Carry out QueueMove."""
        return self._change("QueueMove", QueueMoveRequest, argin, lambda queue, it: queue.move(it))

    def update(self, argin: str) -> str:
        """Carry out QueueUpdate."""
        return self._change("QueueUpdate", QueueUpdateRequest, argin, lambda queue, it: queue.update(it))

    def remove(self, argin: str) -> str:
        """Carry out QueueRemove."""
        return self._change("QueueRemove", QueueRemoveRequest, argin, lambda queue, it: queue.remove(it))

    def clear(self, argin: str) -> str:
        """Carry out QueueClear."""
        return self._change("QueueClear", QueueClearRequest, argin, lambda queue, it: queue.clear(it))

    def start(self, argin: str) -> str:
        """Carry out QueueStart."""

        def start(executor: Executor) -> str:
            request = parse(QueueStartRequest, argin)
            self._keeper.require_in_use("QueueStart")
            return _condition(executor.queue.start(self._requester(request.requested_by)))

        return self._keeper.answer("QueueStart", start)

    def stop(self, argin: str) -> str:
        """Carry out QueueStop."""

        def stop(executor: Executor) -> str:
            request = parse(QueueStopRequest, argin)
            by = self._requester(request.requested_by)
            return _condition(executor.queue.stop(now=request.now, by=by))

        return self._keeper.answer("QueueStop", stop)

    def suspend(self, why: str) -> None:
        """Stop the queue: it begins no further entry until it is started. Does not wait.

        :param why: the reason, as a clause
        """
        if (executor := self._keeper.executor) is not None:
            executor.queue.suspend(f"{why}: send QueueStart to continue", self._requester(None))

    def _change(
        self,
        name: str,
        model: type[R],
        argin: str,
        change: Callable[[QueueService, R], Iterable[QueueEntry]],
    ) -> str:
        """Change entries, and return them as JSON."""

        def carry_out(executor: Executor) -> str:
            request = parse(model, argin)
            by = self._requester(request.requested_by)
            changed = change(executor.queue, request.model_copy(update={"requested_by": by}))
            return f'{{"entries":{json_list(each.model_dump_json(fallback=repr) for each in changed)}}}'

        return self._keeper.answer(name, carry_out)


def label_of(state: QueueState) -> QueueStateLabel:
    """Return the label that the attribute queueState has for a state of the queue."""
    return QueueStateLabel[state.name]


def _condition(condition: QueueCondition) -> str:
    return ascii_json(condition.model_dump_json(include={"state", "reason"}))
