"""`oet procedure`: scripts, one by one."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import click
from click.core import ParameterSource

from ska_oso_oet.model import FunctionArgs, GitArgs, Procedure, ProcedureRequest, ProcedureState, Script

from .arguments import ScriptCommand, integer_or_none, text_or_none
from .errors import OetError
from .follow import (
    FollowedProcedure,
    follow,
    is_in_preparation,
    main_has_begun,
    not_started,
    wait_until_prepared,
)
from .literals import read_value
from .output import Output
from .rest import RestClient
from .session import POSITIVE, Session, listen_option, with_session
from .tables import print_procedure, print_procedures


@click.group()
def procedure() -> None:
    """Prepare, start, stop and inspect scripts."""


@procedure.command(cls=ScriptCommand)
@click.argument("script_uri")
@click.argument("args", nargs=-1)
@click.option(
    "--subarray_id",
    type=integer_or_none,
    metavar="INTEGER",
    default=1,
    show_default=True,
    help="Passed to init; None: not passed.",
)
@click.option(
    "--git_repo",
    default="http://gitlab.com/ska-telescope/oso/ska-oso-scripting",
    show_default=True,
    help="Repository of a git:// script.",
)
@click.option(
    "--git_branch",
    type=text_or_none,
    metavar="TEXT",
    default="master",
    show_default=True,
    help="Its branch or tag.",
)
@click.option("--git_commit", type=text_or_none, metavar="TEXT", help="Its commit; without it, the newest.")
@click.option(
    "--create_env",
    type=click.BOOL,
    default=False,
    show_default=True,
    help="Run a git:// script in the Python environment that its repository describes.",
)
@with_session
def create(
    session: Session,
    /,
    script_uri: str,
    args: tuple[str, ...],
    script_kwargs: dict[str, Any],
    subarray_id: int | None,
    **git_options: Any,
) -> None:
    """Load a script and prepare it for execution.

    SCRIPT_URI is file:///path/script.py, or git:///path/in/repository.py. ARGS, and any further options
    written --name=value, are passed to the script's init function, if it has one. Values are read as Python
    or JSON literals (12, true, '[1, 2]'), else as text. All that follows '--' is for the script.
    """
    always = {} if subarray_id is None else {"subarray_id": subarray_id}
    script = _script(script_uri, git_options)
    if script.git_args is None:
        _note_ignored(session, script_uri, git_options)
    request = ProcedureRequest(
        script=script,
        script_args={"init": _function_args(args, {**always, **script_kwargs})},
    )
    session.show(session.rest.create_procedure(request).as_list(), print_procedures)


@procedure.command("list")
@click.option("--pid", type=POSITIVE, help="Only the procedure of this ID.")
@with_session
def list_(session: Session, /, pid: int | None) -> None:
    """List the procedures that are alive, and the newest that ended."""
    rest = session.rest
    session.show(rest.procedures() if pid is None else rest.procedure(pid).as_list(), print_procedures)


@procedure.command(cls=ScriptCommand)
@click.argument("args", nargs=-1)
@click.option("--pid", type=POSITIVE, help="ID of the procedure; without it, the last one created.")
@listen_option
@with_session
def start(
    session: Session, /, args: tuple[str, ...], script_kwargs: dict[str, Any], pid: int | None, listen: bool
) -> None:
    """Start a prepared procedure, and show its events until it ends.

    One that is still in preparation is started as soon as it is READY.

    ARGS, and any options beside those below written --name=value, are passed to the script's main
    function. Values are read as Python or JSON literals (12, true, '[1, 2]'), else as text. All that
    follows '--' is for the script.

    Ctrl-C ends the listening, not the script. The exit status tells how the script ended: 0 COMPLETE,
    1 FAILED, 3 STOPPED.
    """
    before = _last_created(session.rest) if pid is None else session.rest.procedure(pid).content
    if is_in_preparation(before):
        # So that a start can follow a create in a shell script.
        session.output.note(f"Procedure {before.id} is in preparation: waiting until it is READY")
        with session.stream() as preparing:
            before = wait_until_prepared(preparing, session.rest, before.id)
    with ExitStack() as stack:
        stream = stack.enter_context(session.stream()) if listen else None
        reply = session.rest.start_procedure(before.id, _function_args(args, script_kwargs))
        if not _was_started(before, reply.content):
            raise not_started(reply.content)
        session.show(reply.as_list(), print_procedures)
        if stream is not None:
            follow(stream, FollowedProcedure(session.rest, before.id), session.output)


@procedure.command()
@click.option("--pid", type=POSITIVE, help="ID of the procedure; without it, the one that is running.")
@click.option(
    "--run_abort",
    type=click.BOOL,
    default=True,
    show_default=True,
    help="Send Abort to the subarray when the script has been stopped.",
)
@with_session
def stop(session: Session, /, pid: int | None, run_abort: bool) -> None:
    """Stop a procedure that is running."""
    reply = session.rest.stop_procedure(_running(session.rest) if pid is None else pid, run_abort)
    if reply.content.startswith("Cannot"):
        raise OetError(reply.content)
    session.show(reply, Output.text)


@procedure.command()
@click.option("--pid", type=POSITIVE, help="ID of the procedure; without it, the last one created.")
@with_session
def describe(session: Session, /, pid: int | None) -> None:
    """Show a procedure's arguments, the states it went through and, if it failed, the stack trace."""
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


def _note_ignored(session: Session, uri: str, git_options: Mapping[str, Any]) -> None:
    """Say so if options were given that mean nothing for this script: its user expects another one to run."""
    source = click.get_current_context().get_parameter_source
    given = [f"--{name}" for name in git_options if source(name) is ParameterSource.COMMANDLINE]
    if given:
        session.output.note(f"Ignored {', '.join(given)}: {uri} is no git:// script")


def _function_args(args: tuple[str, ...], kwargs: dict[str, Any]) -> FunctionArgs:
    return FunctionArgs(args=[read_value(text) for text in args], kwargs=kwargs)


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
