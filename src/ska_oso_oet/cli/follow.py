"""Follows a script until it ends."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from ska_oso_oet.model import ActivityState, ProcedurePhase, ProcedureState, ProcedureSummary, failure_line

from .errors import CommandError, DetachedError, ServerUnavailableError, StoppedError
from .output import CommandOutput
from .output_follower import OutputFollower
from .printer import EventPrinter, Shown, print_event
from .question_prompt import QuestionPrompt
from .rest import Reply
from .session import Session
from .stream import Pulse, Received
from .subjects import State, Subject, is_about_procedure
from .tables import print_stacktrace


def show_events(session: Session, topic: str, since: int | None, in_full: bool) -> None:
    """Print all events until Ctrl-C.

    :param session: with the service that sends them
    :param topic: what the topics of those to print begin with
    :param since: the number after which to begin; None for what happens from now on
    :param in_full: whether to print all fields of each
    """
    with suppress(KeyboardInterrupt), session.stream(since) as stream:  # Ctrl-C is how this ends
        for item in stream:
            if isinstance(item, Received) and item.event.topic.startswith(topic):
                print_event(session.output, item, in_full)


def follow(session: Session, items: Iterator[Received | Pulse], subject: Subject, shown: Shown) -> None:
    """Print the events and the output of a script until it ends, and how it ended.

    :param session: with the service that runs it
    :param items: of a stream that was opened before the script was asked to run
    :param subject: the script
    :param shown: what is printed
    :raises CommandError: if the script did not complete, or if that is not known because the server is lost;
        with the exit status for that, also after Ctrl-C
    """
    try:
        with (
            QuestionPrompt(session) as prompt,
            EventPrinter(session.output, subject.name, shown.in_full, prompt.show) as printer,
            OutputFollower(session, shown.output) as output,
        ):
            state = print_until_end(items, subject, printer, output)
    except KeyboardInterrupt:
        raise detached(subject) from None
    report_end(subject, state, session.output)


def wait_until_prepared(
    session: Session, pid: int, items: Iterable[Received | Pulse], show: Callable[[Received], None]
) -> Reply[ProcedureSummary]:
    """Wait until a procedure is no longer in preparation, and return it as it is then.

    :param session: with the service that prepares it
    :param pid: its ID
    :param items: of a stream that is open
    :param show: called with each event of the procedure
    """
    # From now on the stream reports every change.
    reply = session.rest.procedure(pid)
    events = iter(items)
    while reply.content.phase is ProcedurePhase.PREPARING:
        item = next(events)
        concerned = isinstance(item, Received) and is_about_procedure(item.event, pid)
        if isinstance(item, Received) and concerned:
            show(item)
        if concerned or isinstance(item, Pulse):
            reply = session.rest.procedure(pid)
    return reply


def show_progress_of_preparation(session: Session, received: Received) -> None:
    """Say on stderr how far the preparation of a procedure has come, if an event says so."""
    if received.event.topic == "procedure.environment.progress":
        session.output.note(f"Procedure {received.event.msg_src}: {received.event.fields.get('msg')}")


def print_until_end(
    items: Iterator[Received | Pulse], subject: Subject, printer: EventPrinter, output: OutputFollower
) -> State:
    """Print the events and the output of a script until it ends, and return the state it ended in.

    :param items: of a stream that was opened before the script was asked to run
    :param subject: the script
    :param printer: prints its events
    :param output: prints its output
    :raises CommandError: if it will never begin, or if the server is lost
    """
    state = _print_events(items, subject, printer, output)
    output.finish()
    return state


def _print_events(
    items: Iterator[Received | Pulse], subject: Subject, printer: EventPrinter, output: OutputFollower
) -> State:
    ended: State | None = None
    doubtful = False
    output.follow(subject.procedure_id)
    for item in items:
        output.follow(subject.procedure_id)
        if isinstance(item, Received):
            if subject.concerns(item.event):
                printer.show(item)
                # A script can publish any event: the service alone knows whether this was the end.
                doubtful = doubtful or subject.end_reported_by(item.event) is not None
                if doubtful:
                    # If it does not answer, the next attempt is at the next event or pulse.
                    with suppress(ServerUnavailableError):
                        if (state := subject.look()) is not None:
                            return state
        elif ended is not None:
            return ended
        else:
            # Its last events may be on their way: they have time until the next pulse.
            with suppress(ServerUnavailableError):  # the stream itself is alive, so it is worth listening on
                ended = subject.look()
    raise AssertionError("a stream of events has no end")


def report_end(subject: Subject, state: State, output: CommandOutput) -> None:
    """Say how a script ended.

    :param subject: the script
    :param state: the state it ended in
    :param output: output of the command
    :raises CommandError: if it did not complete
    """
    sentence = f"{subject.name} is {state}"
    if state in {ProcedureState.COMPLETE, ActivityState.COMPLETE, ActivityState.PREPARED}:
        if not output.as_json:
            output.text(sentence)
        return
    reason = ""
    with suppress(ServerUnavailableError):  # how it ended is still known
        reason = (subject.reason() or "").strip()
    if state in {ProcedureState.STOPPED, ActivityState.STOPPED}:
        raise StoppedError(f"{sentence}: {reason}" if reason else sentence)
    if "\n" in reason and not output.as_json:
        print_stacktrace(output, reason)
    raise failed(subject.name, state, reason)


def failed(name: str, state: State, reason: str | None) -> CommandError:
    """Say that something failed, and why.

    :param name: what to call it in a sentence
    :param state: the state it ended in
    :param reason: a sentence or a stack trace, if it is known
    """
    sentence = f"{name} is {state}"
    return CommandError(f"{sentence}: {failure_line(reason)}" if reason else sentence)


def detached(subject: Subject) -> DetachedError:
    """Report that the listening has ended, and that the script continues."""
    pid = subject.procedure_id
    stop = "oet procedure stop" + ("" if pid is None else f" --pid={pid}")
    return DetachedError(
        f"No longer listening. {subject.name} continues: '{stop}' stops it, 'oet listen' listens again"
    )
