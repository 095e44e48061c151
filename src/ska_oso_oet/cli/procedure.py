"""`oet procedure`: scripts, one by one."""

from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from .arguments import ScriptCommand, integer_or_none, text_or_none
from .literals import read_value
from .options import POSITIVE, examples, listen_option, with_session

if TYPE_CHECKING:
    from .session import Session


@click.group()
def procedure() -> None:
    """Prepare, start, stop and inspect scripts."""


@procedure.command(
    cls=ScriptCommand,
    epilog=examples(
        "oet procedure create file:///scripts/observe.py --subarray_id=3",
        "oet procedure create file:///scripts/observe.py hello --verbose=true",
        "oet procedure create git:///scripts/observe.py --git_branch=main --create_env=True",
    ),
)
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
    session: "Session",
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
    from .procedure_calls import create_procedure

    always = {} if subarray_id is None else {"subarray_id": subarray_id}
    source = click.get_current_context().get_parameter_source
    given = [name for name in git_options if source(name) is ParameterSource.COMMANDLINE]
    create_procedure(session, script_uri, _values(args), {**always, **script_kwargs}, git_options, given)


@procedure.command("list")
@click.option("--pid", type=POSITIVE, help="Only the procedure of this ID.")
@with_session
def list_(session: "Session", /, pid: int | None) -> None:
    """List the procedures that are alive, and the newest that ended."""
    from .procedure_calls import list_procedures

    list_procedures(session, pid)


@procedure.command(
    cls=ScriptCommand,
    epilog=examples(
        "oet procedure start",
        "oet procedure start --pid=2 bob --simulate=false",
        "oet procedure start scripts/example_sb.json --listen=False",
    ),
)
@click.argument("args", nargs=-1)
@click.option("--pid", type=POSITIVE, help="ID of the procedure; without it, the last one created.")
@listen_option
@with_session
def start(
    session: "Session", /, args: tuple[str, ...], script_kwargs: dict[str, Any], pid: int | None, listen: bool
) -> None:
    """Start a prepared procedure, and show its events until it ends.

    One that is still in preparation is started as soon as it is READY.

    ARGS, and any options beside those below written --name=value, are passed to the script's main
    function. Values are read as Python or JSON literals (12, true, '[1, 2]'), else as text. All that
    follows '--' is for the script.

    Ctrl-C ends the listening, not the script. The exit status tells how the script ended: 0 COMPLETE,
    1 FAILED, 3 STOPPED.
    """
    from .procedure_calls import start_procedure

    start_procedure(session, pid, _values(args), script_kwargs, listen)


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
def stop(session: "Session", /, pid: int | None, run_abort: bool) -> None:
    """Stop a procedure that is running."""
    from .procedure_calls import stop_procedure

    stop_procedure(session, pid, run_abort)


@procedure.command()
@click.option("--pid", type=POSITIVE, help="ID of the procedure; without it, the last one created.")
@with_session
def describe(session: "Session", /, pid: int | None) -> None:
    """Show a procedure's arguments, the states it went through and, if it failed, the stack trace."""
    from .procedure_calls import describe_procedure

    describe_procedure(session, pid)


def _values(args: tuple[str, ...]) -> list[Any]:
    return [read_value(text) for text in args]
