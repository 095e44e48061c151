"""Subjects that can be followed: a procedure, or an activity with its procedure."""

from contextlib import suppress
from typing import Protocol

from ska_oso_oet.model import ActivityState, ActivitySummary, Event, ProcedureState, ProcedureSummary

from .errors import CommandError, ServerUnavailableError
from .rest import RestClient, summary_id

State = ProcedureState | ActivityState

_LAST_EVENTS = {
    "procedure.lifecycle.complete": ProcedureState.COMPLETE,
    "procedure.lifecycle.failed": ProcedureState.FAILED,
    "procedure.lifecycle.stopped": ProcedureState.STOPPED,
}


class Subject(Protocol):
    """Interface of a subject."""

    name: str
    """Name of it in a sentence."""
    procedure_id: int | None
    """The procedure that runs its script; None if that is not known yet."""

    def concerns(self, event: Event) -> bool:
        """Whether an event is about it."""

    def end_reported_by(self, event: Event) -> State | None:
        """Return the state it ended in, if an event that concerns it is its last."""

    def look(self) -> State | None:
        """Ask the service for the state it ended in: the last event may have been lost with its server.

        :raises CommandError: if the service refuses to answer, or if it will never begin
        """

    def reason(self) -> str | None:
        """Ask the service why it failed: a sentence or a stack trace."""


class FollowedProcedure:
    """A procedure that is listened to.

    :param rest: the service that runs it
    :param pid: its ID
    """

    def __init__(self, rest: RestClient, pid: int) -> None:
        self.name = f"Procedure {pid}"
        self.procedure_id: int | None = pid
        self._rest = rest
        self._pid = pid

    def concerns(self, event: Event) -> bool:
        """Whether an event is about it."""
        return is_about_procedure(event, self._pid)

    def end_reported_by(self, event: Event) -> State | None:
        """Return the state it ended in, if an event that concerns it is its last."""
        # When its server has died, this is the only event of a procedure.
        if event.fields.get("new_state") == ProcedureState.UNKNOWN:
            return ProcedureState.UNKNOWN
        return _LAST_EVENTS.get(event.topic)

    def look(self) -> State | None:
        """Ask the service for the state it ended in."""
        procedure = self._rest.procedure(self._pid).content
        if procedure.state is ProcedureState.READY and not procedure.main_began:
            raise not_started(procedure)
        return procedure.state if procedure.state.is_final else None

    def reason(self) -> str | None:
        """Ask the service why it failed, or was stopped without a request."""
        return self._rest.procedure(self._pid).content.history.stacktrace


class FollowedActivity:
    """An activity that is listened to, with the procedure that runs its script.

    :param rest: the service that runs it
    :param activity: as it was when it was accepted
    """

    def __init__(self, rest: RestClient, activity: ActivitySummary) -> None:
        self.name = f"Activity {activity.id}"
        self.procedure_id = activity.procedure_id
        self._rest = rest
        self._aid = activity.id
        self._prepare_only = activity.prepare_only

    def concerns(self, event: Event) -> bool:
        """Whether an event is about it."""
        if event.topic.startswith("activity."):
            return event.fields.get("activity_id") == self._aid or _summary_in(event, "result") == self._aid
        return self.procedure_id is not None and is_about_procedure(event, self.procedure_id)

    def end_reported_by(self, event: Event) -> State | None:
        """Return the state it ended in, if an event that concerns it is its last."""
        if event.topic != "activity.lifecycle.statechange":
            return None
        if self.procedure_id is None:
            with suppress(ServerUnavailableError):  # then the next attempt is at the next event or pulse
                self.look()
        try:
            return self._if_over(ActivityState(str(event.fields.get("new_state"))))
        except ValueError:
            return None

    def look(self) -> State | None:
        """Ask the service for the state it ended in."""
        activity = self._rest.activity(self._aid).content
        self.procedure_id = activity.procedure_id
        return self._if_over(activity.state)

    def reason(self) -> str | None:
        """Ask the service why it failed, or was stopped without a request."""
        activity = self._rest.activity(self._aid).content
        if activity.procedure_id is None:
            return activity.reason
        procedure = self._rest.procedure(activity.procedure_id).content
        return procedure.history.stacktrace or activity.reason

    def _if_over(self, state: ActivityState) -> ActivityState | None:
        over = state.is_final or (self._prepare_only and state is ActivityState.PREPARED)
        return state if over else None


def not_started(procedure: ProcedureSummary) -> CommandError:
    """Say that a procedure was not started, and why."""
    reason = ""
    if procedure.state in {ProcedureState.FAILED, ProcedureState.UNKNOWN}:
        reason = f": {procedure.failure_line}" if procedure.failure_line else ""
        advice = f"'oet procedure describe --pid={procedure.id}' shows more; create it again to run it"
    elif procedure.state.is_final or procedure.main_began:
        advice = f"It runs once: 'oet procedure rerun {procedure.id}' runs its script again"
    elif procedure.state is ProcedureState.READY:
        advice = "Another script may be running: 'oet procedure list' shows it"
    else:
        advice = "Start it when 'oet procedure list' shows it READY"
    return CommandError(
        f"Procedure {procedure.id} was not started, as it is {procedure.state}{reason}. {advice}"
    )


def running_procedure(rest: RestClient) -> int:
    """Return the ID of the procedure that runs main; where there is none, of the only one that runs init.

    :raises CommandError: if there is none, or there are several
    """
    running = [procedure for procedure in rest.procedures().content if procedure.state.is_executing]
    candidates = [procedure.id for procedure in running if procedure.main_began] or [p.id for p in running]
    match candidates:
        case []:
            raise CommandError("No procedure is running: 'oet procedure list' shows what there is")
        case [pid]:
            return pid
    raise CommandError(f"Procedures {', '.join(map(str, candidates))} are running: choose one with --pid")


def is_about_procedure(event: Event, pid: int) -> bool:
    """Return whether an event comes from a procedure or is about it."""
    if event.msg_src == str(pid):
        return True
    if not event.topic.startswith(("procedure.", "request.procedure.")):
        return False
    command = event.fields.get("cmd")
    return _summary_in(event, "result") == pid or (isinstance(command, dict) and command.get("pid") == pid)


def _summary_in(event: Event, field: str) -> int | None:
    return summary_id(event.fields.get(field))
