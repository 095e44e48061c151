"""Implementation of `oet procedure`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, NamedTuple, TypeVar

from ska_oso_oet.model import (
    FileSystemScript,
    GitArgs,
    GitScript,
    ProcedureInput,
    ProcedurePhase,
    ProcedureRequest,
    ProcedureState,
    ProcedureSummary,
    Script,
)

from .errors import CommandError, DetachedError, RefusedError
from .follow import follow, report_end, show_progress_of_preparation, wait_until_prepared
from .local_scripts import is_local, read_local_script
from .printer import Shown
from .rest import Reply
from .session import Session
from .stream import Pulse, Received
from .subjects import FollowedProcedure, not_started, running_procedure
from .tables import print_procedure, print_procedures, print_procedures_with_users

T = TypeVar("T")

_DO_NOT_FIT = "ArgumentsDoNotFit"
"""Kind of a refusal: a function does not take the arguments. Nothing was created or started then."""


class GitOptions(NamedTuple):
    """Options for the place of a script in git."""

    values: Mapping[str, Any]
    """Repository, branch, commit and ``create_env``."""
    given: Sequence[str]
    """Names of those that the user has given."""


def create_procedure(
    session: Session,
    uri: str,
    args: list[Any],
    kwargs: dict[str, Any],
    git_options: GitOptions,
    wait: bool,
) -> None:
    """Prepare a script.

    :param session: with the service that runs it
    :param uri: of the script
    :param args: of its ``init``, by position
    :param kwargs: of its ``init``, by name
    :param git_options: place of a script in git
    :param wait: whether to wait until it is READY or has failed
    :raises CommandError: if it has failed, with the reason
    """
    script = read_script(session, uri, git_options)
    with ExitStack() as stack:
        items = iter(stack.enter_context(session.stream())) if wait else None
        reply = create_with(session, script, args, kwargs)
        if items is not None:
            reply = _once_prepared(session, reply.content, items)
    session.show(reply.as_list(), print_procedures)
    if wait and reply.content.state is not ProcedureState.READY:
        report_end(FollowedProcedure(session.rest, reply.content.id), reply.content.state, session.output)


def create_with(
    session: Session,
    script: Script,
    args: list[Any],
    kwargs: dict[str, Any],
    main: ProcedureInput | None = None,
) -> Reply[ProcedureSummary]:
    """Request that a script is prepared.

    :param session: with the service that runs it
    :param script: the script
    :param args: of its ``init``, by position
    :param kwargs: of its ``init``, by name
    :param main: arguments of its ``main``, so that they are checked already; None if they are not known yet
    """

    def create(init: ProcedureInput) -> Reply[ProcedureSummary]:
        script_args = {"init": init} if main is None else {"init": init, "main": main}
        return session.rest.create_procedure(ProcedureRequest(script=script, script_args=script_args))

    return with_subarray(session, create, args, kwargs)


def _once_prepared(
    session: Session, created: ProcedureSummary, items: Iterator[Received | Pulse]
) -> Reply[ProcedureSummary]:
    """Return a procedure once it is no longer in preparation.

    :raises DetachedError: after Ctrl-C
    """
    try:
        return wait_until_prepared(session, created.id, items, partial(show_progress_of_preparation, session))
    except KeyboardInterrupt:
        raise DetachedError(
            f"No longer waiting. The preparation of procedure {created.id} continues: "
            f"'oet procedure stop --pid={created.id} --run_abort=False' ends it"
        ) from None


def list_procedures(session: Session, pid: int | None, with_users: bool) -> None:
    """Print a line for each procedure.

    :param session: with the service that knows them
    :param pid: the only one to list, if not None
    :param with_users: whether to show who created them
    """
    rest = session.rest
    print_ = print_procedures_with_users if with_users else print_procedures
    session.show(rest.procedures() if pid is None else rest.procedure(pid).as_list(), print_)


def start_procedure(
    session: Session,
    pid: int | None,
    args: list[Any],
    kwargs: dict[str, Any],
    shown: Shown | None,
) -> None:
    """Start a procedure, as soon as it is READY.

    :param session: with the service that runs it
    :param pid: its ID; None for the last one that this user has created
    :param args: of its ``main``, by position
    :param kwargs: of its ``main``, by name
    :param shown: options for its display until it ends; None to return at once
    """
    rest = session.rest
    before = rest.last_created_by_this_user() if pid is None else rest.procedure(pid).content
    if before.phase is ProcedurePhase.PREPARING:
        # So that a start can follow a create in a shell script.
        before = _wait_to_start(session, before.id)
    with ExitStack() as stack:
        stream = None if shown is None else stack.enter_context(session.stream())
        reply = start_with(session, before, args, kwargs)
        session.show(reply.as_list(), print_procedures)
        if stream is not None and shown is not None:
            follow(session, iter(stream), FollowedProcedure(session.rest, before.id), shown)


def _wait_to_start(session: Session, pid: int) -> ProcedureSummary:
    try:
        session.output.note(f"Procedure {pid} is in preparation: waiting until it is READY")
        # What happens until then is not shown with the events of main: this stream is another one.
        with session.stream() as stream:
            show = partial(show_progress_of_preparation, session)
            return wait_until_prepared(session, pid, stream, show).content
    except KeyboardInterrupt:
        raise DetachedError(
            f"No longer waiting. Procedure {pid} was not started: 'oet procedure start --pid={pid}' starts it"
        ) from None


def start_with(
    session: Session, before: ProcedureSummary, args: list[Any], kwargs: dict[str, Any]
) -> Reply[ProcedureSummary]:
    """Request that a procedure is started.

    :param session: with the service that runs it
    :param before: the procedure, as it was last seen
    :param args: of its ``main``, by position
    :param kwargs: of its ``main``, by name
    :raises CommandError: if it was not started
    """
    reply = with_subarray(session, partial(session.rest.start_procedure, before.id), args, kwargs)
    if not _was_started(before, reply.content):
        raise not_started(reply.content)
    return reply


def stop_procedure(session: Session, pid: int | None, run_abort: bool, at_checkpoint: bool = False) -> None:
    """Stop a procedure.

    :param session: with the service that runs it
    :param pid: its ID; None for the one that is running
    :param run_abort: whether the abort script is to run then
    :param at_checkpoint: whether to let it continue to its next checkpoint, and not to wait for that
    :raises CommandError: if it is not running, or if it was stopped and the abort script did not complete
    """
    number = running_procedure(session.rest) if pid is None else pid
    reply = session.rest.stop_procedure(number, run_abort, at_checkpoint)
    stop = reply.content
    is_done = (stop.stopped or at_checkpoint) and stop.aborted is not False
    if is_done or session.output.as_json:
        session.show(reply, lambda output, shown: output.text(shown.abort_message))
    if not is_done:
        raise CommandError(stop.abort_message)


def describe_procedure(session: Session, pid: int | None) -> None:
    """Print all about a procedure.

    :param session: with the service that knows it
    :param pid: its ID; None for the last one created
    """
    number = session.rest.last_created().id if pid is None else pid
    session.show(session.rest.procedure(number), print_procedure)


def with_subarray(
    session: Session,
    call: Callable[[ProcedureInput], T],
    args: list[Any],
    kwargs: dict[str, Any],
) -> T:
    """Call a function of a script with the number of the subarray, if that was typed.

    Where the number chose the controller, a function that does not take it is called without it: the number
    was still needed.

    :param session: with the service, and the number
    :param call: makes the request with arguments
    :param args: by position
    :param kwargs: by name; one of the same name goes first
    """
    if session.subarray_id is None or "subarray_id" in kwargs:
        return call(ProcedureInput(*args, **kwargs))
    try:
        return call(ProcedureInput(*args, **{"subarray_id": session.subarray_id, **kwargs}))
    except RefusedError as error:
        if not session.is_chosen or error.kind != _DO_NOT_FIT:
            raise
    return call(ProcedureInput(*args, **kwargs))


def read_script(session: Session, uri: str, git_options: GitOptions) -> Script:
    """Return the script that a command names.

    :param session: reports options that are ignored
    :param uri: of the script; or the path of a file here, or a dash for standard input, which is sent
    :param git_options: place of a script in git
    :raises CommandError: if there can be no such script
    """
    if uri.startswith("git://"):
        git_args = {name: value for name, value in git_options.values.items() if name != "create_env"}
        return GitScript(uri, GitArgs(**git_args), git_options.values["create_env"])
    if git_options.given:
        # The user expects another script to run.
        options = ", ".join(f"--{name}" for name in git_options.given)
        session.output.note(f"Ignored {options}: {uri} is not a git:// script")
    if is_local(uri):
        return read_local_script(uri)
    try:
        return FileSystemScript(uri)
    except ValueError as error:
        raise CommandError(str(error)) from None


def _was_started(before: ProcedureSummary, after: ProcedureSummary) -> bool:
    """Return whether a request to start was granted. If not, the procedure is unchanged.

    The reply to one that was granted may still show the procedure READY.
    """
    if after.main_began:
        return not before.main_began
    return after.state is ProcedureState.READY
