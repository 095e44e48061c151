"""All activities: the live ones as they are, and what is told of any of them."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from ska_oso_oet.event.bus import Announcement, EventBus
from ska_oso_oet.event.journal import JournalUnavailable
from ska_oso_oet.event.view import DocumentView
from ska_oso_oet.model import Procedure, ProcedureState
from ska_oso_oet.procedure.application import Origin
from ska_oso_oet.procedure.application.recorder import KIND as PROCEDURE

from ..domain import (
    Activity,
    ActivityNotFound,
    ActivityRefused,
    ActivityState,
    activity_states,
    failure_reason,
)
from .commands import ActivityCommand
from .summary import KIND, ActivitySummary

SOURCE = "ActivityService"
"""Source of the events of activities."""

_SERVER_DIED = (
    "The server of this activity ended while the activity was alive. How far its script had come is not "
    "known: see the procedure, its output and its events."
)


class ActivityRegister:
    """Numbers activities, holds the live ones, and publishes every change of one. Any thread may use it.

    Every change is one transaction of the journal: the events that tell it, and the new summary. Changes
    are published in the order in which they are made.

    :param bus: where to publish
    :param history_length: how many ended activities are listed
    """

    def __init__(self, bus: EventBus, history_length: int) -> None:
        self._bus = bus
        self._lock = threading.Lock()
        self._live: dict[int, Activity] = {}
        self._first_id = self._next_id = bus.journal.last_id(KIND) + 1
        self.view = DocumentView(bus, KIND, history_length)
        with suppress(JournalUnavailable):
            self._declare_dead()
        bus.committed().result()

    def recall(self) -> None:
        """Take up what former servers have left in a journal that could not be read at the start.

        Does not wait for the bus.

        :raises JournalUnavailable: if it still cannot be read
        """
        self.view.recall()
        self._declare_dead()

    def _declare_dead(self) -> None:
        """End the activities that were alive when their server died, as their procedures have ended."""
        for document in self._bus.journal.live_documents(KIND):
            if document.id >= self._first_id:
                continue  # of this server, and alive
            told = ActivitySummary.from_text(document.text)
            dead = _laid_to_rest(told, self._procedure(told.pid))
            entered = dead.activity_states[len(told.activity_states) :]
            self._publish(dead, [state for state, _ in entered])

    def _procedure(self, procedure_id: int | None) -> Procedure | None:
        if procedure_id is None:
            return None
        document = self._bus.journal.read_document(PROCEDURE, procedure_id)
        return Procedure.model_validate_json(document.text) if document is not None else None

    def add(self, cmd: ActivityCommand, origin: Origin) -> int:
        """Begin an activity.

        :param cmd: what was asked for
        :param origin: who asked
        :raises ActivityRefused: if it holds text that is not valid Unicode; nothing has begun then
        :returns: ID of the activity
        """
        with self._lock:
            activity = _requested(self._next_id, cmd, origin)
            summary = ActivitySummary.of(activity)
            try:
                document = summary.to_document()
            except ValueError as error:
                raise ActivityRefused(f"the request holds text that is not valid Unicode: {error}") from None
            self._next_id += 1
            self._live[activity.activity_id] = activity
            result = summary.to_model().model_dump(mode="json", fallback=repr)
            self._bus.publish(
                Announcement(
                    "request.activity.run",
                    origin.msg_src,
                    {"request_id": origin.request_id, "cmd": cmd.to_json_values()},
                ),
                _state_change(summary.id, ActivityState.REQUESTED),
                Announcement(
                    "activity.lifecycle.running", SOURCE, {"request_id": origin.request_id, "result": result}
                ),
                document=document,
            )
        return activity.activity_id

    def is_live(self, activity_id: int) -> bool:
        """Return whether an activity can still change."""
        with self._lock:
            return activity_id in self._live

    @contextmanager
    def changing(self, activity_id: int) -> Iterator[Activity | None]:
        """Change an activity, as one step; what the change was is published at the end.

        :param activity_id: the activity
        :returns: the activity; None if it is not live
        """
        with self._lock:
            activity = self._live.get(activity_id)
            if activity is None:
                yield None
                return
            before = ActivitySummary.of(activity)
            yield activity
            after = ActivitySummary.of(activity)
            if after != before:
                entered = after.activity_states[len(before.activity_states) :]
                self._publish(after, [state for state, _ in entered])
            if after.state.is_final:
                del self._live[activity_id]

    def _publish(self, summary: ActivitySummary, entered: list[ActivityState]) -> None:
        changes = [_state_change(summary.id, state) for state in entered]
        self._bus.publish(*changes, document=summary.to_document())

    def live(self) -> list[ActivitySummary]:
        """Return summaries of the live activities, as they are in this moment."""
        with self._lock:
            return [ActivitySummary.of(activity) for activity in self._live.values()]

    def activity_of(self, procedure_id: int) -> int | None:
        """Return the ID of the live activity that a procedure belongs to, None if there is none."""
        with self._lock:
            return next(
                (known.activity_id for known in self._live.values() if known.procedure_id == procedure_id),
                None,
            )

    def summary(self, activity_id: int) -> ActivitySummary:
        """Return the summary of an activity, as it was committed.

        :raises ActivityNotFound: if it never was, or is no longer kept
        """
        document = self.view.get(activity_id)
        if document is None:
            raise ActivityNotFound(f"No information available for ID={activity_id}")
        return ActivitySummary.from_text(document.text)

    def listed(self) -> list[ActivitySummary]:
        """Return summaries of all live activities and the newest that have ended, as they were committed."""
        return [ActivitySummary.from_text(document.text) for document in self.view.all()]


def _requested(activity_id: int, cmd: ActivityCommand, origin: Origin) -> Activity:
    return Activity(
        activity_id,
        None,
        cmd.uri if cmd.sbd_id is None else cmd.sbd_id,
        cmd.activity_name,
        cmd.prepare_only,
        dict(cmd.script_args),
        command_id=origin.name_command(activity_id) if origin.name_command else None,
        request_id=origin.request_id,
    )


def _laid_to_rest(told: ActivitySummary, procedure: Procedure | None) -> ActivitySummary:
    """Return the last summary of an activity whose server died.

    The end of its procedure may have been journalled, and its own not yet.
    """
    ended: list[tuple[ActivityState, float]] = []
    reason: str | None = _SERVER_DIED
    if procedure is not None:
        passed = {state for state, _ in told.activity_states}
        since = activity_states(procedure.history.process_states)
        ended = [(state, when) for state, when in since if state not in passed]
        if procedure.state is ProcedureState.FAILED:
            reason = failure_reason(procedure.history.stacktrace)
        elif procedure.state in (ProcedureState.COMPLETE, ProcedureState.STOPPED):
            reason = None
    if not ended or not ended[-1][0].is_final:
        ended.append((ActivityState.FAILED, time.time()))
    return replace(told, activity_states=[*told.activity_states, *ended], reason=reason)


def _state_change(activity_id: int, state: ActivityState) -> Announcement:
    fields = {"activity_id": activity_id, "new_state": state}
    return Announcement("activity.lifecycle.statechange", SOURCE, fields)
