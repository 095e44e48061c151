"""`oet procedure`: prepares, starts, stops and shows procedures."""

from typing import TYPE_CHECKING, Any

import click

from .arguments import ScriptCommand, read_values
from .completion import complete_scripts, complete_states, complete_values
from .git_options import git_options, given_git_options
from .options import (
    POSITIVE,
    examples,
    listen_option,
    long_option,
    output_option,
    pid_option,
    run_abort_option,
    with_session,
)
from .records import diff, environment, export, files, rerun
from .talk import pause, resume, send, step

if TYPE_CHECKING:
    from .session import Session


@click.group()
def procedure() -> None:
    """Prepare, start, stop and inspect scripts."""


@procedure.command(
    cls=ScriptCommand,
    function="init",
    epilog=examples(
        "oet procedure create file:///scripts/observe.py --subarray_id=3",
        "oet procedure create file:///scripts/observe.py hello --verbose=true",
        "oet procedure create git:///scripts/observe.py --git_branch=develop --create_env=True",
        "oet procedure create my_test.py --wait",
    ),
)
@click.argument("script_uri", shell_complete=complete_scripts)
@click.argument("args", nargs=-1, shell_complete=complete_values)
@git_options
@click.option(
    "--wait", is_flag=True, help="Wait until the script is READY; the exit status is 1 if it fails."
)
@with_session
def create(
    session: "Session",
    /,
    script_uri: str,
    args: tuple[str, ...],
    script_kwargs: dict[str, Any],
    wait: bool,
    **git: Any,
) -> None:
    """Load a script and prepare it for execution.

    SCRIPT_URI is file:///path/script.py on the host of the OET, or git:///path/in/repository.py; or the
    path of a file here, or '-' for standard input: that text is sent, where the OET allows it. ARGS, and
    any further options written --name=value, are passed to the script's init function, if it has one.
    Values are read as Python or JSON literals (12, true, '[1, 2]'), else as text. All that follows '--' is
    for the script.
    """
    from .procedure_calls import create_procedure

    create_procedure(session, script_uri, read_values(args), script_kwargs, given_git_options(git), wait)


@procedure.command(
    "list",
    epilog=examples(
        "oet procedure list",
        "oet procedure list --all --state=FAILED --since=1h",
        "oet procedure list --script=observe --text=Vega --limit=5",
    ),
)
@pid_option("Only the procedure of this ID.")
@click.option("--all", "everything", is_flag=True, help="All that are kept, not only the newest.")
@click.option(
    "--state",
    "states",
    metavar="STATE",
    multiple=True,
    shell_complete=complete_states,
    help="Only those in this state, or these.",
)
@click.option("--script", default="", help="Only those whose script's URI contains this.")
@click.option("--text", default="", help="Only those whose arguments, result or stack trace contain this.")
@click.option(
    "--since",
    metavar="TIME",
    help="Only those created since then: 30m, 1h or 2d ago, or a date and time.",
)
@click.option("--until", metavar="TIME", help="Only those created until then.")
@click.option("--limit", type=POSITIVE, help="How many at most; 20 without --all.")
@click.option("--who", "with_users", is_flag=True, help="Show who created them; --all always does.")
@with_session
def list_(
    session: "Session",
    /,
    pid: int | None,
    everything: bool,
    limit: int | None,
    since: str | None,
    until: str | None,
    with_users: bool,
    **query: Any,
) -> None:
    """List the procedures that are alive, and the newest that ended; or find some of all that are kept.

    Those that are found are listed newest first.
    """
    from .procedure_calls import list_procedures
    from .record_calls import Search, find_procedures, read_time

    if pid is None and (everything or limit or since or until or any(query.values())):
        states = [state.upper() for state in query.pop("states")]
        search = Search(state=states, since=read_time(since), until=read_time(until), **query)
        find_procedures(session, search, None if everything and limit is None else limit or 20)
    else:
        list_procedures(session, pid, with_users)


@procedure.command(
    cls=ScriptCommand,
    epilog=examples(
        "oet procedure start",
        "oet procedure start --pid=2 bob --simulate=false",
        "oet procedure start scripts/example_sb.json --listen=False",
    ),
)
@click.argument("args", nargs=-1, shell_complete=complete_values)
@pid_option("ID of the procedure; without it, the last one that you have created.")
@listen_option
@long_option
@output_option
@with_session
def start(
    session: "Session",
    /,
    args: tuple[str, ...],
    script_kwargs: dict[str, Any],
    pid: int | None,
    listen: bool,
    in_full: bool,
    with_output: bool | None,
) -> None:
    """Start a prepared procedure, and show its events until it ends.

    One that is still in preparation is started as soon as it is READY.

    ARGS, and any options other than those below, written --name=value, are passed to the script's main
    function. Values are read as Python or JSON literals (12, true, '[1, 2]'), else as text. All that
    follows '--' is for the script.

    Ctrl-C ends the listening, not the script. The exit status shows how the script ended: 0 COMPLETE,
    1 FAILED, 3 STOPPED.
    """
    from .printer import Shown
    from .procedure_calls import start_procedure

    shown = Shown(in_full, with_output) if listen else None
    start_procedure(session, pid, read_values(args), script_kwargs, shown)


@procedure.command()
@pid_option("ID of the procedure; without it, the one that is running.")
@run_abort_option
@click.option(
    "--at_checkpoint", is_flag=True, help="Let it continue to its next checkpoint; do not wait for that."
)
@with_session
def stop(session: "Session", /, pid: int | None, run_abort: bool, at_checkpoint: bool) -> None:
    """Stop a procedure that is running."""
    from .procedure_calls import stop_procedure

    stop_procedure(session, pid, run_abort, at_checkpoint)


@procedure.command()
@pid_option("ID of the procedure; without it, the last one created.")
@with_session
def describe(session: "Session", /, pid: int | None) -> None:
    """Show a procedure's arguments, the states it went through and, if it failed, the stack trace."""
    from .procedure_calls import describe_procedure

    describe_procedure(session, pid)


@procedure.command(
    epilog=examples("oet procedure output", "oet procedure output --pid=2 --follow"),
)
@pid_option("ID of the procedure; without it, the last one created.")
@click.option("-f", "--follow", is_flag=True, help="Continue with new output until the procedure ends.")
@click.option("--after", metavar="N", type=click.IntRange(min=0), default=0, help="Skip this many lines.")
@with_session
def output(session: "Session", /, pid: int | None, follow: bool, after: int) -> None:
    """Show what a script has written to its standard output and error.

    Lines that are no longer on disk are counted on stderr. Ctrl-C ends this command, not the script.
    """
    from .output_calls import show_output

    show_output(session, pid, after, follow)


for _command in (rerun, diff, files, environment, export, pause, resume, step, send):
    procedure.add_command(_command)
