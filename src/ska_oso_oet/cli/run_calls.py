"""Implementation of `oet run`."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, NamedTuple

from ska_oso_oet.model import ProcedureInput, ProcedurePhase, ProcedureSummary

from .errors import CommandError
from .follow import detached, print_until_end, report_end, wait_until_prepared
from .output_follower import OutputFollower
from .printer import EventPrinter, Shown
from .procedure_calls import GitOptions, create_with, read_script, start_with
from .question_prompt import QuestionPrompt
from .rest import Reply
from .session import Session
from .subjects import FollowedProcedure, State, not_started
from .tables import print_procedures


class Calls(NamedTuple):
    """Arguments of a script's functions."""

    init: dict[str, Any]
    """Of ``init``, by name."""
    args: list[Any]
    """Of ``main``, by position."""
    main: dict[str, Any]
    """Of ``main``, by name."""


def run_script(session: Session, uri: str, calls: Calls, git_options: GitOptions, shown: Shown) -> None:
    """Prepare a script, run it, and show what it does until it ends.

    :param session: with the service that runs it
    :param uri: of the script
    :param calls: arguments of its functions
    :param git_options: place of a script in git
    :param shown: options for its display
    :raises CommandError: if it is refused, or does not complete; with the exit status for that
    """
    script = read_script(session, uri, git_options)
    # Arguments of main are checked before anything is created, unless a number of a subarray is added to
    # them: whether main takes that is known once the script is loaded.
    main = ProcedureInput(*calls.args, **calls.main) if session.subarray_id is None else None
    _run(
        session,
        lambda: create_with(session, script, [], calls.init, main),
        lambda prepared: _start(session, prepared, calls),
        shown,
    )


def rerun_procedure(session: Session, pid: int, calls: Calls, shown: Shown) -> None:
    """Prepare the script of a procedure again, run it with the same arguments, and show what it does.

    :param session: with the service that runs it
    :param pid: ID of the procedure
    :param calls: arguments that replace those of the procedure
    :param shown: options for its display
    :raises CommandError: if it is refused, or does not complete; with the exit status for that
    """
    replaced: dict[str, ProcedureInput] = {}
    if calls.init:
        replaced["init"] = ProcedureInput(**calls.init)
    if calls.args or calls.main:
        replaced["main"] = ProcedureInput(*calls.args, **calls.main)
    _run(
        session,
        lambda: session.rest.rerun_procedure(pid, replaced),
        # Without arguments it gets those that it was created with.
        lambda prepared: _checked(session.rest.start_procedure(prepared.id, ProcedureInput()).content),
        shown,
    )


def _checked(started: ProcedureSummary) -> None:
    if started.phase is ProcedurePhase.PREPARING or (started.state.is_final and not started.main_began):
        raise not_started(started)


def _run(
    session: Session,
    create: Callable[[], Reply[ProcedureSummary]],
    start: Callable[[ProcedureSummary], None],
    shown: Shown,
) -> None:
    """Create a procedure, start it, and show what it does until it ends."""
    with ExitStack() as stack:
        items = iter(stack.enter_context(session.stream()))
        created = create()
        session.show(created.as_list(), print_procedures)
        subject = FollowedProcedure(session.rest, created.content.id)
        prompt = stack.enter_context(QuestionPrompt(session))
        printer = stack.enter_context(EventPrinter(session.output, subject.name, shown.in_full, prompt.show))
        output = stack.enter_context(OutputFollower(session, shown.output))
        output.follow(created.content.id)
        try:
            prepared = wait_until_prepared(session, created.content.id, items, printer.show).content
            if prepared.phase is ProcedurePhase.READY:
                start(prepared)
                state: State = print_until_end(items, subject, printer, output)
            else:
                output.finish()
                state = prepared.state
        except KeyboardInterrupt:
            raise detached(subject) from None
    report_end(subject, state, session.output)


def _start(session: Session, prepared: ProcedureSummary, calls: Calls) -> None:
    try:
        start_with(session, prepared, calls.args, calls.main)
    except CommandError:
        session.output.note(
            f"Procedure {prepared.id} stays READY: 'oet procedure start --pid={prepared.id}' starts it, "
            f"'oet procedure stop --pid={prepared.id} --run_abort=False' ends it"
        )
        raise
