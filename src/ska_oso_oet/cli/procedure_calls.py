"""What `oet procedure` does."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from ska_oso_oet.model import FunctionArgs, GitArgs, Procedure, ProcedureRequest, ProcedureState, Script

from .errors import OetError
from .follow import (
    FollowedProcedure,
    follow,
    is_in_preparation,
    main_has_begun,
    not_started,
    wait_until_prepared,
)
from .output import Output
from .rest import RestClient
from .session import Session
from .tables import print_procedure, print_procedures

_ABORTED = "aborted subarray activity"
"""What the service's message ends with where the abort script has done its work."""


def create_procedure(
    session: Session,
    uri: str,
    args: list[Any],
    kwargs: dict[str, Any],
    git_options: Mapping[str, Any],
    given: Sequence[str],
) -> None:
    """Have a script prepared.

    :param session: with the service that runs it
    :param uri: of the script
    :param args: of its ``init``, by position
    :param kwargs: of its ``init``, by name
    :param git_options: repository, branch, commit and ``create_env``, for a script from git
    :param given: those of them that the user has given
    """
    script = _script(uri, git_options)
    if script.git_args is None and given:
        # Their user expects another script to run.
        options = ", ".join(f"--{name}" for name in given)
        session.output.note(f"Ignored {options}: {uri} is no git:// script")
    init = FunctionArgs(args=args, kwargs=kwargs)
    reply = session.rest.create_procedure(ProcedureRequest(script=script, script_args={"init": init}))
    session.show(reply.as_list(), print_procedures)


def list_procedures(session: Session, pid: int | None) -> None:
    """Print a line for each procedure.

    :param session: with the service that knows them
    :param pid: the only one to list, if not None
    """
    rest = session.rest
    session.show(rest.procedures() if pid is None else rest.procedure(pid).as_list(), print_procedures)


def start_procedure(
    session: Session, pid: int | None, args: list[Any], kwargs: dict[str, Any], listen: bool
) -> None:
    """Start a procedure, as soon as it is READY.

    :param session: with the service that runs it
    :param pid: its ID; None for the last one created
    :param args: of its ``main``, by position
    :param kwargs: of its ``main``, by name
    :param listen: whether to show its events until it ends
    """
    before = _last_created(session.rest) if pid is None else session.rest.procedure(pid).content
    if is_in_preparation(before):
        # So that a start can follow a create in a shell script.
        before = wait_until_prepared(session, before.id)
    with ExitStack() as stack:
        stream = stack.enter_context(session.stream()) if listen else None
        reply = session.rest.start_procedure(before.id, FunctionArgs(args=args, kwargs=kwargs))
        if not _was_started(before, reply.content):
            raise not_started(reply.content)
        session.show(reply.as_list(), print_procedures)
        if stream is not None:
            follow(stream, FollowedProcedure(session.rest, before.id), session.output)


def stop_procedure(session: Session, pid: int | None, run_abort: bool) -> None:
    """Stop a procedure.

    :param session: with the service that runs it
    :param pid: its ID; None for the one that is running
    :param run_abort: whether the abort script is to run then
    :raises OetError: if it is not running, or if it was stopped and the subarray was not told to abort
    """
    reply = session.rest.stop_procedure(_running(session.rest) if pid is None else pid, run_abort)
    not_stopped = reply.content.startswith("Cannot")
    if not_stopped or (run_abort and not reply.content.endswith(_ABORTED)):
        raise OetError(reply.content)
    session.show(reply, Output.text)


def describe_procedure(session: Session, pid: int | None) -> None:
    """Print all about a procedure.

    :param session: with the service that knows it
    :param pid: its ID; None for the last one created
    """
    number = _last_created(session.rest).id if pid is None else pid
    session.show(session.rest.procedure(number), print_procedure)


def _script(uri: str, git_options: Mapping[str, Any]) -> Script:
    if not uri.startswith("git://"):
        return Script(script_type="filesystem", script_uri=uri)
    git_args = {name: value for name, value in git_options.items() if name != "create_env"}
    return Script(
        script_type="git",
        script_uri=uri,
        git_args=GitArgs(**git_args),
        create_env=git_options["create_env"],
    )


def _last_created(rest: RestClient) -> Procedure:
    procedures = rest.procedures().content
    if not procedures:
        raise OetError("There is no procedure: 'oet procedure create' prepares one")
    return procedures[-1]


def _running(rest: RestClient) -> int:
    """Return the ID of the procedure that runs main; where there is none, of the only one that runs init."""
    running = [
        procedure for procedure in rest.procedures().content if procedure.state is ProcedureState.RUNNING
    ]
    candidates = [procedure.id for procedure in running if main_has_begun(procedure)] or [
        p.id for p in running
    ]
    match candidates:
        case []:
            raise OetError("No procedure is running: 'oet procedure list' shows what there is")
        case [pid]:
            return pid
    raise OetError(f"Procedures {', '.join(map(str, candidates))} are running: choose one with --pid")


def _was_started(before: Procedure, after: Procedure) -> bool:
    """Whether a request to start was granted. One that was not leaves the procedure as it was.

    The reply to one that was granted may still show the procedure READY.
    """
    if main_has_begun(after):
        return not main_has_begun(before)
    return after.state is ProcedureState.READY
