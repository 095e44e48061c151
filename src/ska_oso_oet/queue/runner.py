"""Runner of the queue: one thread, which waits for the next step and does it."""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from ska_oso_oet.activity.application import ActivityService
from ska_oso_oet.activity.application.register import KIND as ACTIVITY
from ska_oso_oet.journal import Batch
from ska_oso_oet.model import (
    ActivityState,
    OetError,
    ProcedureState,
    ProcedureSummary,
    QueueCondition,
    QueueEntry,
    QueueEntryState,
    QueueState,
    Requester,
)
from ska_oso_oet.procedure.application import Hold, ScriptExecutionService
from ska_oso_oet.procedure.application.recorder import KIND as PROCEDURE
from ska_oso_oet.procedure.domain import ProcedureNotFoundError, StateForbidsError

from .ahead import EarlyPreparation
from .launcher import Launcher
from .ledger import QueueLedger, ended

LOGGER = logging.getLogger(__name__)

_LONGEST_WAIT = 60.0
"""Seconds after which the clock is read again: it may have been set."""

_PROCEDURE_ENDS = {
    ProcedureState.COMPLETE: QueueEntryState.DONE,
    ProcedureState.FAILED: QueueEntryState.FAILED,
    ProcedureState.STOPPED: QueueEntryState.STOPPED,
    ProcedureState.UNKNOWN: QueueEntryState.UNKNOWN,
}
_ACTIVITY_ENDS = {
    ActivityState.COMPLETE: QueueEntryState.DONE,
    ActivityState.FAILED: QueueEntryState.FAILED,
    ActivityState.STOPPED: QueueEntryState.STOPPED,
}

_Step = Callable[[], None]


class QueueRunner:
    """Begins, starts and follows the entries of the queue.

    :param ledger: the queue
    :param scripts: runs the scripts
    :param activities: runs the activities
    :param stop_on_failure: whether an entry that fails, or is stopped, stops the queue
    :param may_begin: returns whether an entry may begin
    """

    def __init__(
        self,
        ledger: QueueLedger,
        scripts: ScriptExecutionService,
        activities: ActivityService,
        *,
        stop_on_failure: bool,
        may_begin: Callable[[], bool],
    ) -> None:
        self._ledger = ledger
        self._launcher = Launcher(scripts, activities)
        self._ahead = EarlyPreparation(ledger, self._launcher)
        self._stop_on_failure = stop_on_failure
        self._may_begin = may_begin
        self._is_held = False
        """Whether the entry that has begun was prepared ahead of its turn, and waits to be released."""
        self._stop_current = False
        self._stopped_by: Requester | None = None
        self._closing = False
        self._first: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._run, name="oet-queue", daemon=True)
        # Also for a start that its script refuses late, which has no document.
        scripts.call_when_idle(self._wake)

    def begin(self, first: Callable[[], None]) -> None:
        """Start the thread.

        :param first: the first job of the thread
        """
        self._first = first
        self._thread.start()

    def on_batch(self, batch: Batch) -> None:
        """Receive committed changes. Runs in the thread of the bus."""
        if any(document.kind in (PROCEDURE, ACTIVITY) for document in batch.documents):
            self._wake()

    def _wake(self) -> None:
        """Look for a next step after a change outside of the queue: without entries there is none.

        Without the lock, which others may hold for longer than the bus can wait: an added entry wakes the
        thread after that.
        """
        if len(self._ledger.order):
            self._ledger.woken.set()

    def stop_current(self, by: Requester | None = None) -> None:
        """Stop the entry that has begun. The ledger is held.

        :param by: the requester
        """
        self._stop_current = True
        self._stopped_by = by
        self._ledger.woken.set()

    def close(self) -> None:
        """End the thread, and record how the entry that has begun has ended.

        Call it after all scripts have ended.
        """
        self._closing = True
        self._ledger.woken.set()
        self._thread.join()
        if (current := self._current) is not None:
            self._follow(current)
        with self._ledger.lock:
            self._ahead.forget()

    @property
    def _current(self) -> QueueEntry | None:
        with self._ledger.lock:
            return self._ledger.current

    def _run(self) -> None:
        self._first()
        timeout: float | None = 0.0
        while not self._closing:
            self._ledger.woken.wait(timeout)
            # Before the look: later changes are processed next time.
            self._ledger.woken.clear()
            timeout = None
            if self._closing:
                break
            try:
                timeout = self._proceed()
            except Exception as error:
                LOGGER.exception("The queue failed to run its first entry")
                self._fail(f"The OET failed to run it: {error!r}. See its log.")

    def _proceed(self) -> float | None:
        """Do all steps that are possible. Returns the seconds until the next one, without other changes."""
        if (current := self._current) is not None:
            self._follow(current)
        with self._ledger.lock:
            step, timeout = self._decide()
        if step is None:
            return timeout
        step()
        return 0.0

    def _decide(self) -> tuple[_Step | None, float | None]:
        """Return the next step, or None and the seconds until the next one, without other changes."""
        ledger = self._ledger
        if ledger.current is None:
            self._stop_current = self._is_held = False
            if ledger.condition.state is QueueState.STOPPING:
                ledger.set_condition(QueueState.STOPPED, ledger.condition.reason)
            elif ledger.condition.state is QueueState.PAUSED:
                ledger.set_condition(QueueState.RUNNING)
        if (step := self._ahead.discarding_step()) is not None:
            return step, None
        head = ledger.order.head
        if ledger.condition.state is not QueueState.RUNNING or head is None or not self._may_begin():
            return None, None
        timeout = None
        if ledger.current is None:
            step, timeout = self._decide_about(head)
        if step is None and timeout != 0.0:
            step = self._ahead.preparing_step()
        return step, timeout

    def _decide_about(self, head: QueueEntry) -> tuple[_Step | None, float | None]:
        """Begin the first entry, if it may begin. Returns what `_decide` does."""
        now = time.time()
        if head.not_before is not None and head.not_before > now:
            return None, min(head.not_before - now, _LONGEST_WAIT)
        if not self._launcher.is_free:
            return None, None
        if head.deadline is not None and now > head.deadline:
            reason = _too_late(head, now - head.deadline)
            self._ledger.change(head.unprepared(), QueueEntryState.SKIPPED, reason)
            return None, 0.0
        prepared = self._ahead.take(head)
        self._is_held = prepared is not None
        begun = self._ledger.change(prepared or head.unprepared(), QueueEntryState.PREPARING)
        return (None, 0.0) if prepared is not None else (partial(self._prepare, begun), None)

    # Steps

    def _prepare(self, entry: QueueEntry) -> None:
        """Prepare the script of an entry whose turn has come."""
        try:
            known = self._launcher.prepare(entry, Hold.NOTHING)
        except (OetError, ValueError, OSError, RuntimeError) as error:
            if not self._closing:
                self._fail(str(error))
            return
        self._note(known)

    def _prepare_again(self, entry: QueueEntry) -> None:
        """Prepare an entry that has changed since it was prepared ahead of its turn."""
        self._is_held = False
        bare = entry.unprepared()
        with self._ledger.lock:
            self._ledger.publish("changed", [bare])
        why = "whose script has changed since"
        self._launcher.stop(entry, reason=f"It was prepared for entry {entry.id} of the queue, {why}.")
        self._prepare(bare)

    def _note(self, known: dict[str, int]) -> None:
        with self._ledger.lock:
            if (current := self._ledger.current) is not None:
                self._ledger.publish("changed", [current.model_copy(update=known)])

    def _follow(self, entry: QueueEntry) -> None:
        """Update an entry from its activity and its procedure, and start it when that is possible."""
        if self._stop_current:
            self._request_stop(entry)
        if entry.activity_id is not None and not self._follow_activity(entry):
            return
        if entry.procedure_id is None:
            # An activity has one by now, and this is called again; else it has not been prepared yet.
            if self._closing:
                reason = "The server was shut down before the script was prepared."
                self._conclude(entry, QueueEntryState.STOPPED, reason)
            return
        if (procedure := self._launcher.procedure(entry)) is not None:
            self._follow_procedure(entry, procedure)

    def _follow_activity(self, entry: QueueEntry) -> bool:
        """Update an entry from its activity. Returns whether the entry continues."""
        activity = self._launcher.activity(entry)
        if activity is None:
            return False
        if activity.state.is_final:
            procedure = self._launcher.procedure(entry)
            if procedure is not None:
                self._catch_up(procedure)
            self._conclude(entry, _ACTIVITY_ENDS[activity.state], activity.reason)
            return False
        if activity.procedure_id is not None and entry.procedure_id is None:
            self._note({"procedure_id": activity.procedure_id})
            return False
        return True

    def _follow_procedure(self, entry: QueueEntry, procedure: ProcedureSummary) -> None:
        """Update an entry from its procedure, and start that when it is READY."""
        self._catch_up(procedure)
        self._follow_pause(procedure)
        if procedure.state.is_final:
            # The end of an activity follows, and counts.
            if entry.activity_id is None or self._closing:
                self._conclude(entry, _PROCEDURE_ENDS[procedure.state], procedure.failure_line)
        elif procedure.main_began or not self._launcher.is_free:
            return
        elif self._is_held:
            # The text of a script that is still being loaded is not known.
            if procedure.script_sha256 is not None and procedure.state in (
                ProcedureState.IDLE,
                ProcedureState.READY,
            ):
                self._release(entry, procedure)
        elif procedure.state is ProcedureState.READY:
            self._start(procedure, release=False)

    def _follow_pause(self, procedure: ProcedureSummary) -> None:
        """Set the queue PAUSED as long as the running script is."""
        with self._ledger.lock:
            state = self._ledger.condition.state
            if procedure.state is ProcedureState.PAUSED and state is QueueState.RUNNING:
                reason = f"Procedure {procedure.id} is PAUSED: send Resume to continue"
                self._ledger.set_condition(QueueState.PAUSED, reason)
            elif procedure.state is not ProcedureState.PAUSED and state is QueueState.PAUSED:
                self._ledger.set_condition(QueueState.RUNNING)

    def _catch_up(self, procedure: ProcedureSummary) -> None:
        """Let the entry that has begun enter the states that its procedure has been in since."""
        if procedure.was_ready and not self._is_held:
            self._enter(QueueEntryState.READY)
        if procedure.main_began:
            self._enter(QueueEntryState.RUNNING)

    def _release(self, entry: QueueEntry, procedure: ProcedureSummary) -> None:
        """Continue with an entry that was prepared ahead of its turn, if it is unchanged."""
        if self._launcher.is_outdated(entry, procedure):
            self._prepare_again(entry)
        elif self._start(procedure, release=True):
            self._is_held = False

    def _start(self, procedure: ProcedureSummary, *, release: bool) -> bool:
        """Start the procedure of the entry that has begun. Returns whether that was accepted."""
        if self._stop_current or self._closing:
            return False
        try:
            self._launcher.start(procedure, release=release)
        except (StateForbidsError, ProcedureNotFoundError) as error:
            # Another script runs, or a client has started or stopped this one: the next change wakes the
            # thread.
            LOGGER.info("Procedure %d is not started by the queue now: %s", procedure.id, error)
            return False
        except (OetError, RuntimeError) as error:
            if not self._closing and (current := self._current) is not None:
                self._launcher.stop(current)
                self._fail(str(error))
            return False
        return True

    def _request_stop(self, entry: QueueEntry) -> None:
        if entry.activity_id is None and entry.procedure_id is None:
            return  # the next attempt is made when they are known
        self._stop_current = False
        self._launcher.stop(entry, self._stopped_by)

    def _enter(self, state: QueueEntryState) -> None:
        """Let the entry that has begun enter a state, unless it has been in it."""
        with self._ledger.lock:
            current = self._ledger.current
            if current is not None and all(state is not passed for passed, _ in _since_begin(current)):
                self._ledger.change(current, state)

    def _fail(self, reason: str) -> None:
        """Fail the entry that has begun."""
        if (current := self._current) is not None:
            self._conclude(current, QueueEntryState.FAILED, reason)

    def _conclude(self, entry: QueueEntry, state: QueueEntryState, reason: str | None) -> None:
        """Record the end of an entry, and the resulting state of the queue, in one step."""
        ledger = self._ledger
        with ledger.lock:
            current = ledger.current or entry
            condition = self._following(entry, state, reason)
            ledger.publish("changed", [ended(current, state, reason)], condition)

    def _following(
        self, entry: QueueEntry, state: QueueEntryState, reason: str | None
    ) -> QueueCondition | None:
        """Return the state of the queue that follows from the end of an entry, None if it stays."""
        present = self._ledger.condition
        is_stopping = present.state is QueueState.STOPPING
        if is_stopping and state in (QueueEntryState.DONE, QueueEntryState.STOPPED):
            return QueueCondition(state=QueueState.STOPPED, reason=present.reason)
        if present.state is QueueState.STOPPED or state is QueueEntryState.DONE:
            return None
        if not self._stop_on_failure:
            return QueueCondition(state=QueueState.STOPPED, reason=present.reason) if is_stopping else None
        because = f": {reason}" if reason else ""
        return QueueCondition(state=QueueState.STOPPED, reason=f"Entry {entry.id} is {state}{because}")


def _since_begin(entry: QueueEntry) -> list[tuple[QueueEntryState, float]]:
    """Return the states that an entry has passed through since its turn has come."""
    begins = [place for place, (state, _) in enumerate(entry.states) if state is QueueEntryState.PREPARING]
    return entry.states[begins[-1] :] if begins else []


def _too_late(entry: QueueEntry, late: float) -> str:
    window = entry.request.window or 0.0
    return f"Its turn came {late:.0f} s after the end of its window of {window:g} s."
