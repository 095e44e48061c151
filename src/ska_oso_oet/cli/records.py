"""Commands of `oet procedure` about earlier procedures."""

from typing import TYPE_CHECKING, Any

import click

from .arguments import RunCommand, read_values
from .completion import complete_files, complete_procedures, complete_values
from .options import POSITIVE, examples, long_option, output_option, pid_option, with_session

if TYPE_CHECKING:
    from .session import Session


@click.command(
    cls=RunCommand,
    epilog=examples("oet procedure rerun 7", "oet procedure rerun 7 --scans=5 --init.verbose=true"),
)
@click.argument("pid", type=POSITIVE, shell_complete=complete_procedures)
@click.argument("args", nargs=-1, shell_complete=complete_values)
@long_option
@output_option
@with_session
def rerun(
    session: "Session",
    /,
    pid: int,
    args: tuple[str, ...],
    script_kwargs: dict[str, Any],
    init_kwargs: dict[str, Any],
    in_full: bool,
    with_output: bool | None,
) -> None:
    """Run the script of a procedure again, with the same arguments, and show its events until it ends.

    Of a script from git it is the same commit. ARGS replace all arguments of main by position, --name=value
    those of that name, --init.name=value those of init.

    Ctrl-C ends the listening, not the script. The exit status shows how the script ended: 0 COMPLETE,
    1 FAILED or refused, 3 STOPPED.
    """
    from .printer import Shown
    from .run_calls import Calls, rerun_procedure

    calls = Calls(init_kwargs, read_values(args), script_kwargs)
    rerun_procedure(session, pid, calls, Shown(in_full, with_output))


@click.command(epilog=examples("oet procedure diff 3 7"))
@click.argument("first", type=POSITIVE, shell_complete=complete_procedures)
@click.argument("second", type=POSITIVE, shell_complete=complete_procedures)
@with_session
def diff(session: "Session", /, first: int, second: int) -> None:
    """Show the differences of two procedures: script, arguments, packages, result."""
    from .record_calls import compare_procedures

    compare_procedures(session, first, second)


@click.command(epilog=examples("oet procedure export 7", "oet procedure export 7 --to=night.zip"))
@click.argument("pid", type=POSITIVE, shell_complete=complete_procedures)
@click.option(
    "--to",
    metavar="FILE",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="Where to write it; '-' for standard output. [default: procedure-PID.zip, in this folder]",
)
@with_session
def export(session: "Session", /, pid: int, to: str | None) -> None:
    """Write all that is kept of a procedure to one archive: summary, events, output, files, packages.

    A file that exists is not replaced.
    """
    from .record_calls import download

    download(session, f"/procedures/{pid}/export", to or f"procedure-{pid}.zip")


@click.command(
    epilog=examples(
        "oet procedure files",
        "oet procedure files plots/beam.png --pid=7",
        "oet procedure files table.csv --to=-",
    )
)
@click.argument("name", required=False, shell_complete=complete_files)
@pid_option("ID of the procedure; without it, the last one that you have created.")
@click.option(
    "--to",
    metavar="FILE",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="Where to write the file; '-' for standard output. [default: its name, in this folder]",
)
@with_session
def files(session: "Session", /, name: str | None, pid: int | None, to: str | None) -> None:
    """List the files that a script has written to its working directory, or get the file NAME.

    A file that exists here is not replaced.
    """
    from .record_calls import get_file, list_files

    if name is None:
        list_files(session, pid)
    else:
        get_file(session, pid, name, to)


@click.command(epilog=examples("oet procedure environment", "oet procedure environment --pid=7 --json"))
@pid_option("ID of the procedure; without it, the last one created.")
@with_session
def environment(session: "Session", /, pid: int | None) -> None:
    """Show the version of Python, and the packages that the script of a procedure could import."""
    from .record_calls import show_environment

    show_environment(session, pid)
