"""Listening to a script until it ends."""

from contextlib import suppress
from typing import Protocol

from ska_oso_oet.model import Activity, ActivityState, Event, Procedure, ProcedureState

from .errors import DetachedError, OetError, ServerUnavailableError, StoppedError
from .output import Output
from .printer import EventPrinter, print_event
from .rest import RestClient, summary_id
from .session import Session
from .stream import EventStream, Received
from .tables import print_stacktrace
from .text import exception_message

State = ProcedureState | ActivityState

_LAST_EVENTS = {
    "procedure.lifecycle.complete": ProcedureState.COMPLETE,
    "procedure.lifecycle.failed": ProcedureState.FAILED,
    "procedure.lifecycle.stopped": ProcedureState.STOPPED,
}


class Subject(Protocol):
    """What is listened to."""

    name: str
    """What to call it in a sentence."""
    procedure_id: int | None
    """The procedure that runs its script; None if that is not known yet."""

    def concerns(self, event: Event) -> bool:
        """Whether an event is about it."""

    def end_told_by(self, event: Event) -> State | None:
        """Return the state it ended in, if an event that concerns it is its last."""

    def look(self) -> State | None:
        """Ask the service for the state it ended in: the last event may have been lost with its server.

        :raises OetError: if the service refuses to tell, or if it will never begin
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

    def end_told_by(self, event: Event) -> State | None:
        """Return the state it ended in, if an event that concerns it is its last."""
        # Of a procedure whose server has died there is no event but this.
        if event.fields.get("new_state") == ProcedureState.UNKNOWN:
            return ProcedureState.UNKNOWN
        return _LAST_EVENTS.get(event.topic)

    def look(self) -> State | None:
        """Ask the service for the state it ended in."""
        procedure = self._rest.procedure(self._pid).content
        if procedure.state is ProcedureState.READY and not main_has_begun(procedure):
            raise not_started(procedure)
        return procedure.state if procedure.state.is_final else None

    def reason(self) -> str | None:
        """Ask the service why it failed."""
        return self._rest.procedure(self._pid).content.history.stacktrace


class FollowedActivity:
    """An activity that is listened to, with the procedure that runs its script.

    :param rest: the service that runs it
    :param activity: as it was when it was accepted
    """

    def __init__(self, rest: RestClient, activity: Activity) -> None:
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

    def end_told_by(self, event: Event) -> State | None:
        """Return the state it ended in, if an event that concerns it is its last."""
        if event.topic != "activity.lifecycle.statechange":
            return None
        if self.procedure_id is None:
            with suppress(ServerUnavailableError):  # then it is learnt at the next event or pulse
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
        """Ask the service why it failed."""
        activity = self._rest.activity(self._aid).content
        if activity.procedure_id is None:
            return activity.reason
        procedure = self._rest.procedure(activity.procedure_id).content
        return procedure.history.stacktrace or activity.reason

    def _if_over(self, state: ActivityState) -> ActivityState | None:
        over = state.is_final or (self._prepare_only and state is ActivityState.PREPARED)
        return state if over else None


def show_events(session: Session, topic: str, since: int | None) -> None:
    """Print all events until Ctrl-C.

    :param session: with the service that sends them
    :param topic: what the topics of those to print begin with
    :param since: the number after which to begin; None for what happens from now on
    """
    with suppress(KeyboardInterrupt), session.stream(since) as stream:  # Ctrl-C is how this ends
        for item in stream:
            if isinstance(item, Received) and item.event.topic.startswith(topic):
                print_event(session.output, item)


def follow(stream: EventStream, subject: Subject, output: Output) -> None:
    """Print the events of a script until it ends, and how it ended.

    :param stream: opened before the script was asked to run
    :param subject: the script
    :param output: where to print
    :raises OetError: if the script did not complete, or if nobody knows because the server is lost;
        with the exit status for that, also after Ctrl-C
    """
    try:
        with EventPrinter(output, subject.name) as printer:
            state = _print_until_end(stream, subject, printer)
    except KeyboardInterrupt:
        raise _detached(subject) from None
    _report(subject, state, output)


def wait_until_prepared(session: Session, pid: int) -> Procedure:
    """Wait until a procedure is no longer in preparation, and return it as it is then.

    :param session: with the service that prepares it
    :param pid: its ID
    :raises DetachedError: after Ctrl-C
    """
    try:
        session.output.note(f"Procedure {pid} is in preparation: waiting until it is READY")
        with session.stream() as stream:
            # Now that the stream is open nothing can happen unnoticed.
            procedure = session.rest.procedure(pid).content
            events = iter(stream)
            while is_in_preparation(procedure):
                item = next(events)
                if not isinstance(item, Received) or is_about_procedure(item.event, pid):
                    procedure = session.rest.procedure(pid).content
    except KeyboardInterrupt:
        raise DetachedError(
            f"No longer waiting. Procedure {pid} was not started: 'oet procedure start --pid={pid}' starts it"
        ) from None
    return procedure


def is_in_preparation(procedure: Procedure) -> bool:
    """Whether a procedure is on its way to READY."""
    states = [state for state, _ in procedure.history.process_states]
    return ProcedureState.READY not in states and not procedure.state.is_final


def main_has_begun(procedure: Procedure) -> bool:
    """Whether `main` has been started: RUNNING before the first READY is `init`."""
    states = [state for state, _ in procedure.history.process_states]
    if ProcedureState.READY not in states:
        return False
    return ProcedureState.RUNNING in states[states.index(ProcedureState.READY) :]


def not_started(procedure: Procedure) -> OetError:
    """Say that a procedure was not started, and why."""
    if procedure.state in {ProcedureState.FAILED, ProcedureState.UNKNOWN}:
        advice = f"'oet procedure describe --pid={procedure.id}' tells why; create it again to run it"
    elif procedure.state.is_final or main_has_begun(procedure):
        advice = "It runs once: create it again to run it again"
    elif procedure.state is ProcedureState.READY:
        advice = "Another script may be running: 'oet procedure list' shows it"
    else:
        advice = "Start it when 'oet procedure list' shows it READY"
    return OetError(f"Procedure {procedure.id} was not started, as it is {procedure.state}. {advice}")


def is_about_procedure(event: Event, pid: int) -> bool:
    """Whether an event comes from a procedure or tells about it."""
    if event.msg_src == str(pid):
        return True
    if not event.topic.startswith(("procedure.", "request.procedure.")):
        return False
    command = event.fields.get("cmd")
    return _summary_in(event, "result") == pid or (isinstance(command, dict) and command.get("pid") == pid)


def _print_until_end(stream: EventStream, subject: Subject, printer: EventPrinter) -> State:
    ended: State | None = None
    for item in stream:
        if isinstance(item, Received):
            if subject.concerns(item.event):
                printer.show(item)
                if (told := subject.end_told_by(item.event)) is not None:
                    return told
        elif ended is not None:
            return ended
        else:
            # Its last events may be on their way: they have time until the next pulse.
            with suppress(ServerUnavailableError):  # the stream itself is alive, so it is worth listening on
                ended = subject.look()
    raise AssertionError("a stream of events has no end")


def _summary_in(event: Event, field: str) -> int | None:
    return summary_id(event.fields.get(field))


def _report(subject: Subject, state: State, output: Output) -> None:
    sentence = f"{subject.name} is {state}"
    if state in {ProcedureState.COMPLETE, ActivityState.COMPLETE, ActivityState.PREPARED}:
        if not output.as_json:
            output.text(sentence)
        return
    if state in {ProcedureState.STOPPED, ActivityState.STOPPED}:
        raise StoppedError(sentence)
    reason = ""
    with suppress(ServerUnavailableError):  # that it failed is known all the same
        reason = (subject.reason() or "").strip()
    if "\n" in reason and not output.as_json:
        print_stacktrace(output, reason)
    raise failed(subject.name, state, reason)


def failed(name: str, state: State, reason: str | None) -> OetError:
    """Say that something failed, and why.

    :param name: what to call it in a sentence
    :param state: the state it ended in
    :param reason: a sentence or a stack trace, if it is known
    """
    sentence = f"{name} is {state}"
    return OetError(f"{sentence}: {exception_message(reason)}" if reason else sentence)


def _detached(subject: Subject) -> DetachedError:
    pid = subject.procedure_id
    stop = "oet procedure stop" + ("" if pid is None else f" --pid={pid}")
    return DetachedError(
        f"No longer listening. {subject.name} goes on: '{stop}' stops it, 'oet listen' listens again"
    )
