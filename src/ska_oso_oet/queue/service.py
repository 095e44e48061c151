"""High-level interface of the observing queue."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from ska_oso_oet.activity.application import ActivityService
from ska_oso_oet.activity.ui import to_activity_command
from ska_oso_oet.event.bus import EventBus
from ska_oso_oet.journal import Document, JournalUnavailableError
from ska_oso_oet.model import (
    EntryRequest,
    Position,
    ProcedureInput,
    ProcedureState,
    ProcedureSummary,
    QueueAddRequest,
    QueueClearRequest,
    QueueCondition,
    QueueEntry,
    QueueEntryState,
    QueueMoveRequest,
    QueueRemoveRequest,
    QueueState,
    QueueUpdateRequest,
    Requester,
)
from ska_oso_oet.procedure.application import ScriptExecutionService
from ska_oso_oet.procedure.ui import to_prepare_command

from .durations import DurationBook, DurationLearner
from .errors import QueueEntryNotFoundError
from .ledger import CONDITION_KIND, ENTRY_KIND, QueueLedger, ended
from .runner import QueueRunner
from .view import QueueView

_ENDS = {
    ProcedureState.COMPLETE: QueueEntryState.DONE,
    ProcedureState.FAILED: QueueEntryState.FAILED,
    ProcedureState.STOPPED: QueueEntryState.STOPPED,
}


@dataclass(frozen=True)
class QueueSettings:
    """Settings of the queue.

    :param autostart: whether it runs from the start of the server on
    :param stop_on_failure: whether an entry that fails, or is stopped, stops it
    :param history_length: how many entries that have ended are shown
    """

    autostart: bool = False
    stop_on_failure: bool = True
    history_length: int = 10


class QueueService:
    """Keeps the entries of the queue, and runs them. Any thread may use it.

    Call `halt` before scripts are shut down, and `close` afterwards.

    :param scripts: runs the scripts
    :param activities: runs the activities
    :param settings: settings of the queue; by default those of a controller's properties
    :param may_begin: returns whether an entry may begin; the queue waits as long as none may
    :ivar view: the queue as clients see it
    """

    def __init__(
        self,
        scripts: ScriptExecutionService,
        activities: ActivityService,
        settings: QueueSettings | None = None,
        *,
        may_begin: Callable[[], bool] = lambda: True,
    ) -> None:
        settings = settings or QueueSettings()
        self._bus: EventBus = scripts.bus
        self._scripts = scripts
        self._activities = activities
        self._ledger = QueueLedger(self._bus)
        book = DurationBook()
        self._learner = DurationLearner(book, scripts.view, activities.view)
        self.view = QueueView(settings.history_length, book)
        stop_on_failure = settings.stop_on_failure
        self._runner = QueueRunner(
            self._ledger, scripts, activities, stop_on_failure=stop_on_failure, may_begin=may_begin
        )
        self._bus.subscribe(self.view.on_batch)
        self._bus.subscribe(self._learner.on_batch)
        self._bus.subscribe(self._runner.on_batch)
        self._autostart = settings.autostart
        self._is_complete = False
        with suppress(JournalUnavailableError):
            self.recall()
        self._bus.committed().result()
        self._runner.begin(self._learn)

    def recall(self) -> None:
        """Load the records of previous servers from the journal, once. Does not wait for the bus.

        :raises JournalUnavailableError: if it cannot be read at present
        """
        with self._ledger.lock:
            former = None if self._is_complete else self._ledger.former_condition()
            self.view.show(self._ledger.load(self._concluded))
            # A later request of a client has precedence.
            if not self._is_complete and self._ledger.condition == QueueCondition():
                self._follow_on(former or QueueCondition())
            self._is_complete = True

    def _follow_on(self, former: QueueCondition) -> None:
        """Set the state of the queue that follows from its state in the previous server."""
        self._ledger.condition = former
        if self._autostart:
            self._ledger.set_condition(QueueState.RUNNING)
        elif former.state is not QueueState.STOPPED:
            reason = f"The server ended while the queue was {former.state}: send QueueStart to continue"
            self._ledger.set_condition(QueueState.STOPPED, reason)
        else:
            self.view.show([Document(CONDITION_KIND, 1, "", True, former)])

    def _learn(self) -> None:
        # Runs that cannot be read now are ignored: they are used for estimates only.
        with suppress(JournalUnavailableError):
            self._learner.recall()

    def _concluded(self, entry: QueueEntry) -> QueueEntry:
        """Return an entry that had begun when its server ended, as it is now."""
        procedure = self._procedure_of(entry)
        if procedure is not None and procedure.state in _ENDS:
            known = entry.model_copy(update={"procedure_id": procedure.id})
            return ended(known, _ENDS[procedure.state], procedure.failure_line)
        reason = (
            "The server ended after this entry had begun. It is not known how far its script ran: see the "
            "procedure, its output and its events."
        )
        return ended(entry, QueueEntryState.UNKNOWN, reason)

    def _procedure_of(self, entry: QueueEntry) -> ProcedureSummary | None:
        """Return the procedure of an entry that had begun, None if there was none yet."""
        if entry.procedure_id is not None:
            document = self._scripts.view.get(entry.procedure_id)
            return None if document is None else document.value
        documents = [*self._scripts.view.all(), *self._scripts.view.live_in_journal()]
        # Others were prepared for it before its turn, and discarded.
        begun = entry.states[-1][1]
        runs = [
            document.value
            for document in documents
            if document.value.queue_entry == entry.id and document.value.created >= begun
        ]
        return max(runs, key=lambda each: each.id, default=None)

    def document(self, entry_id: int) -> str:
        """Return an entry as JSON, with all of it, also one that has ended.

        :param entry_id: the entry
        :raises QueueEntryNotFoundError: if it does not exist, or is no longer kept
        :raises JournalUnavailableError: if the journal cannot be read at present
        """
        document = self._bus.journal.read_document(ENTRY_KIND, entry_id)
        if document is None:
            raise QueueEntryNotFoundError(entry_id)
        return document.text

    # Requests of clients

    def add(self, request: QueueAddRequest) -> list[QueueEntry]:
        """Add entries, all or none.

        :param request: the entries, their position, and the requester
        :returns: the new entries
        :raises QueueEntryNotFoundError: if the position refers to an entry that is not in the queue
        :raises QueueEntryBegunError: if the position is in front of an entry that has begun
        :raises ScriptError: if a script or its arguments cannot be accepted
        :raises ActivityRefusedError: if it is certain that an activity cannot be run
        :raises ValueError: if a request contains text that is not valid Unicode
        """
        self._check(request.entries)
        now = time.time()
        with self._ledger.lock:
            ranks = self._ranks_at(request.position, len(request.entries))
            entries = [
                QueueEntry(
                    id=entry_id,
                    request=wanted,
                    reason=_remark(wanted, now),
                    added=now,
                    added_by=request.requested_by,
                    states=[(QueueEntryState.WAITING, now)],
                    rank=rank,
                )
                for entry_id, wanted, rank in zip(
                    self._ledger.new_ids(len(ranks)), request.entries, ranks, strict=True
                )
            ]
            self._ledger.publish("added", entries, by=request.requested_by)
        return self._committed(entries)

    def move(self, request: QueueMoveRequest) -> list[QueueEntry]:
        """Move an entry that has not begun.

        :param request: the entry, and where it is put
        :raises QueueEntryNotFoundError: if it, or the entry of its new position, is not in the queue
        :raises QueueEntryBegunError: if it, or the entry behind it, has begun
        """
        with self._ledger.lock:
            self._ledger.order.changeable(request.id)
            rank = self._ranks_at(request.position, 1)[0]
            # Room may have been made meanwhile: the entry as it is now.
            entry = self._ledger.order.get(request.id).model_copy(update={"rank": rank})
            self._ledger.publish("changed", [entry], by=request.requested_by)
        return self._committed([entry])

    def update(self, request: QueueUpdateRequest) -> list[QueueEntry]:
        """Change what an entry that has not begun is to run, or when.

        :param request: the entry, and what is to be changed
        :raises QueueEntryNotFoundError: if it is not in the queue
        :raises QueueEntryBegunError: if it has begun
        :raises ScriptError: if its script or the arguments cannot be accepted
        :raises ActivityRefusedError: if it is certain that its activity cannot be run
        :raises ValueError: if the changes do not fit
        """
        if request.procedure is not None or request.activity is not None:
            # Not while the queue is held: files are read.
            self._check([EntryRequest(procedure=request.procedure, activity=request.activity)])
        with self._ledger.lock:
            entry = self._ledger.order.changeable(request.id)
            wanted = request.apply_to(entry.request)
            update = {"request": wanted, "reason": _remark(wanted, time.time())}
            entry = entry.model_copy(update=update)
            self._ledger.publish("changed", [entry], by=request.requested_by)
        return self._committed([entry])

    def remove(self, request: QueueRemoveRequest) -> list[QueueEntry]:
        """Remove an entry that has not begun. Returns the entry.

        :param request: the entry, and the requester
        :raises QueueEntryNotFoundError: if it is not in the queue
        :raises QueueEntryBegunError: if it has begun
        """
        with self._ledger.lock:
            removed = self._removed([self._ledger.order.changeable(request.id)], request.requested_by)
        return self._committed(removed)

    def clear(self, request: QueueClearRequest) -> list[QueueEntry]:
        """Remove all entries that have not begun, and return them.

        :param request: the requester
        """
        with self._ledger.lock:
            waiting = [entry for entry in self._ledger.order if not entry.state.is_begun]
            removed = self._removed(waiting, request.requested_by)
        return self._committed(removed)

    def _removed(self, entries: Sequence[QueueEntry], by: Requester | None) -> list[QueueEntry]:
        now = time.time()
        removed = [entry.unprepared().entering(QueueEntryState.REMOVED, now) for entry in entries]
        if removed:
            self._ledger.publish("removed", removed, by=by)
        return removed

    def start(self, by: Requester | None = None) -> QueueCondition:
        """Run the entries, one after the other. Returns the state of the queue.

        :param by: the requester
        """
        with self._ledger.lock:
            if self._ledger.condition.state is not QueueState.PAUSED:
                self._ledger.set_condition(QueueState.RUNNING, by=by)
            condition = self._ledger.condition
        self._bus.committed().result()
        return condition

    def stop(self, *, now: bool = False, by: Requester | None = None) -> QueueCondition:
        """Begin no further entry. Returns the state of the queue.

        :param now: stop the entry that has begun, too
        :param by: the requester
        """
        reason = f"It was stopped by {by}" if by else "It was stopped by request"
        with self._ledger.lock:
            if now and self._ledger.current is not None:
                self._runner.stop_current(by)
            self._begin_to_stop(reason, by)
            condition = self._ledger.condition
        self._bus.committed().result()
        return condition

    def suspend(self, reason: str, by: Requester | None = None) -> None:
        """Stop the queue: it begins no further entry until it is started. Does not wait.

        :param reason: why, as a sentence
        :param by: the client that has caused it
        """
        with self._ledger.lock:
            self._begin_to_stop(reason, by)

    def _begin_to_stop(self, reason: str, by: Requester | None = None) -> None:
        if self._ledger.condition.state.is_going:
            state = QueueState.STOPPED if self._ledger.current is None else QueueState.STOPPING
            self._ledger.set_condition(state, reason, by)

    def wake(self) -> None:
        """Check again whether an entry may begin. Does not wait."""
        self._ledger.woken.set()

    def _check(self, requests: Iterable[EntryRequest]) -> None:
        """Check all that can be checked before entries are run."""
        commands = []
        for request in requests:
            if request.procedure is not None:
                cmd = to_prepare_command(request.procedure)
                commands.append(replace(cmd, main_args=cmd.main_args or ProcedureInput()))
            if request.activity is not None:
                self._activities.check(to_activity_command(request.activity))
        self._scripts.check(commands)

    def _ranks_at(self, position: Position, count: int) -> Sequence[float]:
        order = self._ledger.order
        ranks = order.ranks_at(position, count)
        if ranks is None:
            self._ledger.publish("changed", order.make_room(position, count))
            ranks = order.ranks_at(position, count)
            assert ranks is not None, "there is room between entries that were spread"  # noqa: S101
        return ranks

    def _committed(self, entries: list[QueueEntry]) -> list[QueueEntry]:
        """Return entries in the form of lists, once they are in the journal."""
        self._bus.committed().result()
        return [entry.in_lists() for entry in entries]

    # The end

    def halt(self) -> None:
        """Begin no further entry, because the server is shut down."""
        with self._ledger.lock:
            if self._ledger.condition.state is not QueueState.STOPPED:
                reason = "The server was shut down: send QueueStart to continue"
                self._ledger.set_condition(QueueState.STOPPED, reason)

    def close(self) -> None:
        """End the thread of the queue, once scripts have been shut down."""
        self._runner.close()
        self._bus.unsubscribe(self._runner.on_batch)
        self._bus.unsubscribe(self._learner.on_batch)
        self._bus.unsubscribe(self.view.on_batch)


def _remark(request: EntryRequest, now: float) -> str | None:
    """Return a remark for people on an accepted request."""
    if request.not_before is not None and request.not_before.timestamp() < now:
        return "'not_before' has passed already: it starts when its turn comes"
    return None
