"""Preparation of the next entry ahead of its turn."""

import logging
from collections.abc import Callable
from functools import partial

from ska_oso_oet.model import QueueEntry, QueueEntryState
from ska_oso_oet.procedure.application import Hold

from .launcher import Launcher
from .ledger import QueueLedger

LOGGER = logging.getLogger(__name__)

_HOLDS = {"early": Hold.INIT, "init": Hold.MAIN}
"""Steps that are postponed until the turn of an entry, by its setting `prepare`."""

_Step = Callable[[], None]


class EarlyPreparation:
    """Prepares the next entry while another one runs, and discards preparations that are no longer needed.

    Belongs to the thread of the queue. The entry stays WAITING, and people may change it.

    :param ledger: the queue
    :param launcher: prepares and discards
    """

    def __init__(self, ledger: QueueLedger, launcher: Launcher) -> None:
        self._ledger = ledger
        self._launcher = launcher
        self._prepared: QueueEntry | None = None
        """The entry as it was when it was prepared, with its procedure or activity."""
        self._failed: QueueEntry | None = None
        """The entry that could not be prepared: it is prepared when its turn comes."""

    def discarding_step(self) -> _Step | None:
        """Return the step that discards an unusable preparation, None if there is none.

        The ledger is held.
        """
        if (prepared := self._prepared) is None:
            return None
        following = self._following()
        if following is None or following.id != prepared.id or not following.runs_like(prepared):
            return partial(self._discard, prepared)
        return partial(self._note_end, prepared, reason) if (reason := self._end_of(prepared)) else None

    def preparing_step(self) -> _Step | None:
        """Return the step that prepares the next entry, None if there is none. The ledger is held."""
        following, current = self._following(), self._ledger.current
        is_early = current is not None and current.state is not QueueEntryState.RUNNING
        if following is None or is_early or self._prepared is not None:
            return None
        failed = self._failed
        if failed is not None and failed.id == following.id and following.runs_like(failed):
            return None
        return partial(self._prepare, following)

    def take(self, entry: QueueEntry) -> QueueEntry | None:
        """Return an entry whose turn has come, with its preparation; None without one.

        The ledger is held.
        """
        prepared, self._failed = self._prepared, None
        if prepared is None or prepared.id != entry.id or not prepared.runs_like(entry):
            return None
        self._prepared = None
        known = {"procedure_id": prepared.procedure_id, "activity_id": prepared.activity_id}
        return entry.model_copy(update=known)

    def forget(self) -> None:
        """All scripts have ended."""
        if (prepared := self._prepared) is not None:
            self._clear(prepared)

    def _following(self) -> QueueEntry | None:
        """Return the next entry if it should be prepared now, None if there is none."""
        ledger = self._ledger
        if not ledger.condition.state.is_going:
            return None
        current = ledger.current
        is_repeated = current is not None and current.request.repeat > 1
        following = current if is_repeated else ledger.order.first_waiting
        return None if following is None or following.request.prepare == "late" else following

    def _end_of(self, prepared: QueueEntry) -> str | None:
        """Return why a preparation has ended before its turn, None if it has not."""
        procedure, activity = self._launcher.procedure(prepared), self._launcher.activity(prepared)
        if procedure is not None and procedure.state.is_final:
            return procedure.failure_line or f"its procedure {procedure.id} is {procedure.state}"
        if activity is not None and activity.state.is_final:
            return activity.reason or f"its activity {activity.id} is {activity.state}"
        return None

    # Steps; the ledger is not held

    def _prepare(self, entry: QueueEntry) -> None:
        hold = _HOLDS[entry.request.prepare]
        try:
            bare = entry.unprepared()
            prepared = bare.model_copy(update=self._launcher.prepare(bare, hold))
        except Exception as error:  # any exception: it is reported when its turn has come
            LOGGER.info("Entry %d of the queue cannot be prepared yet: %r", entry.id, error)
            self._note_end(entry, str(error))
            return
        with self._ledger.lock:
            self._prepared = prepared
            present = self._waiting(prepared)
            if present is not None:
                known = {"procedure_id": prepared.procedure_id, "activity_id": prepared.activity_id}
                self._ledger.publish("changed", [present.model_copy(update=known)])

    def _note_end(self, entry: QueueEntry, reason: str) -> None:
        """Record that an entry cannot be prepared ahead of its turn."""
        with self._ledger.lock:
            self._prepared, self._failed = None, entry
            present = self._waiting(entry)
            if present is not None:
                remark = f"It could not be prepared ahead of its turn; it is prepared in its turn: {reason}"
                update = {"reason": remark}
                self._ledger.publish("changed", [present.unprepared().model_copy(update=update)])

    def _discard(self, prepared: QueueEntry) -> None:
        with self._ledger.lock:
            self._clear(prepared)
        entry = f"entry {prepared.id} of the queue"
        self._launcher.stop(
            prepared, reason=f"It was prepared for {entry}, which has changed or is no longer the next."
        )

    def _clear(self, prepared: QueueEntry) -> None:
        self._prepared = None
        present = self._ledger.order.find(prepared.id)
        if present is not None and present.state is QueueEntryState.WAITING:
            bare = present.unprepared()
            if bare is not present:
                self._ledger.publish("changed", [bare])

    def _waiting(self, entry: QueueEntry) -> QueueEntry | None:
        """Return an entry as it is now, None if it no longer waits, or for something else to run."""
        present = self._ledger.order.find(entry.id)
        if present is None or present.state is not QueueEntryState.WAITING or not present.runs_like(entry):
            return None
        return present
