"""Register of all activities: the live ones, and the published summaries and events of all."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import orjson

from ska_oso_oet.event.bus import Announcement, EventBus
from ska_oso_oet.event.summaries import Conclusion, SummaryStore
from ska_oso_oet.journal.document_view import DocumentView
from ska_oso_oet.model import ActivitySummary, ProcedureState, ProcedureSummary
from ska_oso_oet.procedure.application import Origin
from ska_oso_oet.procedure.application.recorder import KIND as PROCEDURE

from ..domain import (
    Activity,
    ActivityNotFoundError,
    ActivityRefusedError,
    ActivityState,
    activity_states,
)
from .commands import ActivityCommand

KIND = "activity"
"""Kind of the documents that hold summaries of activities."""

SOURCE = "ActivityService"
"""Source of the events of activities."""

_SERVER_DIED = (
    "The server of this activity ended while the activity was alive. How far its script had come is not "
    "known: see the procedure, its output and its events."
)


class ActivityRegister:
    """Numbers activities, holds the live ones, and publishes every change of one. Any thread may use it.

    Every change is one transaction of the journal: the events that report it, and the new summary. Changes
    are published in the order in which they are made.

    :param bus: where to publish
    :param history_length: how many ended activities are listed
    """

    def __init__(self, bus: EventBus, history_length: int) -> None:
        self._bus = bus
        self._lock = threading.Lock()
        self._live: dict[int, Activity] = {}
        self._summaries = SummaryStore(
            bus,
            KIND,
            read=ActivitySummary.model_validate_json,
            conclude=self._conclude,
            history_length=history_length,
        )
        self._next_id = self._summaries.first_id

    @property
    def view(self) -> DocumentView:
        """The documents of activities."""
        return self._summaries.view

    def recall(self) -> None:
        """Load the records of previous servers from a journal that could not be read at the start.

        Does not wait for the bus.

        :raises JournalUnavailableError: if it still cannot be read
        """
        self._summaries.recall()

    def _conclude(self, last: ActivitySummary) -> Conclusion[ActivitySummary]:
        """Return the end of an activity that was live when its server died: that of its procedure."""
        concluded = _concluded(last, self._procedure(last.procedure_id))
        return Conclusion(concluded, _state_changes(last, concluded))

    def _procedure(self, procedure_id: int | None) -> ProcedureSummary | None:
        if procedure_id is None:
            return None
        document = self._bus.journal.read_document(PROCEDURE, procedure_id)
        if document is None or document.value is not None:
            return None if document is None else document.value
        try:
            return ProcedureSummary.model_validate_json(document.text)
        except ValueError as error:
            self._bus.journal.damaged.add(PROCEDURE, procedure_id, error)
            return None

    def add(self, cmd: ActivityCommand, origin: Origin) -> int:
        """Begin an activity.

        :param cmd: the request
        :param origin: origin of the request
        :raises ActivityRefusedError: if it contains text that is not valid Unicode; the activity is not
            created
        :returns: ID of the activity
        """
        with self._lock:
            activity = _requested(self._next_id, cmd, origin)
            summary = activity.summary
            try:
                document = self._summaries.document(summary)
            except ValueError as error:
                raise ActivityRefusedError(
                    f"the request contains text that is not valid Unicode: {error}"
                ) from None
            self._next_id += 1
            self._live[activity.activity_id] = activity
            self._bus.publish(
                Announcement(
                    "request.activity.run",
                    origin.msg_src,
                    {
                        "request_id": origin.request_id,
                        "cmd": cmd.to_json_values(),
                        "requested_by": origin.requested_by_json(),
                    },
                ),
                _state_change(summary.id, ActivityState.REQUESTED),
                Announcement(
                    "activity.lifecycle.running",
                    SOURCE,
                    # The text of the document is the JSON of the summary.
                    {"request_id": origin.request_id, "result": orjson.Fragment(document.text)},
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
        """Change an activity, as one step; the change is published at the end.

        :param activity_id: the activity
        :returns: the activity; None if it is not live
        """
        with self._lock:
            activity = self._live.get(activity_id)
            if activity is None:
                yield None
                return
            before = activity.summary
            yield activity
            after = activity.summary
            if after != before:
                self._summaries.publish(*_state_changes(before, after), summary=after)
            if after.state.is_final:
                del self._live[activity_id]

    def live(self) -> list[ActivitySummary]:
        """Return summaries of the live activities, as they are in this moment."""
        with self._lock:
            return [activity.summary for activity in self._live.values()]

    def activity_of(self, procedure_id: int) -> int | None:
        """Return the ID of the live activity that a procedure belongs to, None if there is none."""
        with self._lock:
            return next(
                (known.activity_id for known in self._live.values() if known.procedure_id == procedure_id),
                None,
            )

    def requested_by(self, request_id: float) -> int | None:
        """Return the ID of the live activity that a request has begun, None if there is none."""
        with self._lock:
            return next(
                (known.activity_id for known in self._live.values() if known.request_id == request_id), None
            )

    def summary(self, activity_id: int) -> ActivitySummary:
        """Return the summary of an activity, as it was committed.

        :raises ActivityNotFoundError: if it does not exist, or is no longer kept
        """
        summary = self._summaries.get(activity_id)
        if summary is None:
            raise ActivityNotFoundError(f"No information available for ID={activity_id}")
        return summary

    def listed(self) -> list[ActivitySummary]:
        """Return summaries of all live activities and the newest that have ended, as they were committed."""
        return self._summaries.listed()


def origin_of(activity: Activity) -> Origin:
    """Return the origin of the requests to create and start the procedure of an activity.

    :param activity: the activity
    """
    command_id = activity.command_id
    name_command = (lambda _: command_id) if command_id is not None else None
    return Origin(
        SOURCE,
        activity.request_id,
        name_command,
        requested_by=activity.requested_by,
        queue_entry=activity.queue_entry,
    )


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
        requested_by=origin.requested_by,
        queue_entry=origin.queue_entry,
    )


def _concluded(last: ActivitySummary, procedure: ProcedureSummary | None) -> ActivitySummary:
    """Return the final summary of an activity whose server died.

    The end of its procedure may be in the journal although that of the activity is not.

    :param last: its last summary
    :param procedure: the procedure that ran its script
    """
    ended: list[tuple[ActivityState, float]] = []
    reason: str | None = _SERVER_DIED
    if procedure is not None:
        passed = {state for state, _ in last.activity_states}
        since = activity_states(procedure.history.process_states)
        ended = [(state, when) for state, when in since if state not in passed]
        if procedure.state is ProcedureState.FAILED:
            reason = procedure.failure_line
        elif procedure.state in (ProcedureState.COMPLETE, ProcedureState.STOPPED):
            reason = None
    if not ended or not ended[-1][0].is_final:
        ended.append((ActivityState.FAILED, time.time()))
    states = [*last.activity_states, *ended]
    return last.model_copy(update={"activity_states": states, "state": states[-1][0], "reason": reason})


def _state_changes(before: ActivitySummary, after: ActivitySummary) -> list[Announcement]:
    """Return the events about the states that an activity entered between two summaries."""
    entered = after.activity_states[len(before.activity_states) :]
    return [_state_change(after.id, state) for state, _ in entered]


def _state_change(activity_id: int, state: ActivityState) -> Announcement:
    fields = {"activity_id": activity_id, "new_state": state}
    return Announcement("activity.lifecycle.statechange", SOURCE, fields)
