"""`oet run`: creates, starts and follows a script."""

from typing import TYPE_CHECKING, Any

import click

from .arguments import RunCommand, read_values
from .completion import complete_scripts, complete_values
from .git_options import git_options, given_git_options
from .options import examples, long_option, output_option, with_session

if TYPE_CHECKING:
    from .session import Session


@click.command(
    cls=RunCommand,
    epilog=examples(
        "oet run file:///scripts/observe.py --scans=3",
        "oet run file:///scripts/observe.py bob --init.verbose=true --subarray_id=2",
        "oet run git:///scripts/observe.py --git_branch=develop --create_env=True",
        "oet run my_test.py --scans=3",
    ),
)
@click.argument("script_uri", shell_complete=complete_scripts)
@click.argument("args", nargs=-1, shell_complete=complete_values)
@git_options
@long_option
@output_option
@with_session
def run(
    session: "Session",
    /,
    script_uri: str,
    args: tuple[str, ...],
    script_kwargs: dict[str, Any],
    init_kwargs: dict[str, Any],
    in_full: bool,
    with_output: bool | None,
    **git: Any,
) -> None:
    """Prepare a script, run it, and show its events and its output until it ends.

    SCRIPT_URI is file:///path/script.py on the host of the OET, or git:///path/in/repository.py; or the
    path of a file here, or '-' for standard input: that text is sent, where the OET allows it. ARGS, and
    any further options written --name=value, are passed to the script's main function, those written
    --init.name=value to its init function. Values are read as Python or JSON literals (12, true, '[1, 2]'),
    else as text. All that follows '--' is for the script.

    Ctrl-C ends the listening, not the script. The exit status shows how the script ended: 0 COMPLETE,
    1 FAILED or refused, 3 STOPPED.
    """
    from .printer import Shown
    from .run_calls import Calls, run_script

    calls = Calls(init_kwargs, read_values(args), script_kwargs)
    run_script(session, script_uri, calls, given_git_options(git), Shown(in_full, with_output))
