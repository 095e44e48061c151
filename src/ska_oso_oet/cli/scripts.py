"""`oet scripts`: the scripts that can be run."""

from typing import TYPE_CHECKING, Any

import click

from .completion import complete_scripts
from .git_options import given_git_options, place_in_git
from .options import examples, with_session

if TYPE_CHECKING:
    from .output import CommandOutput
    from .session import Session


@click.group()
def scripts() -> None:
    """Look at the scripts that can be run."""


@scripts.command("list", epilog=examples("oet scripts list"))
@with_session
def list_(session: "Session", /) -> None:
    """List the URIs of the scripts that can be run, as 'oet procedure create' takes them."""
    session.show(session.rest.scripts(), _print_uris)


def _print_uris(output: "CommandOutput", uris: list[str]) -> None:
    for uri in uris:
        output.text(uri)


@scripts.command(
    epilog=examples(
        "oet scripts describe file:///scripts/observe.py",
        "oet scripts describe git:///scripts/observe.py --git_branch=develop",
        "oet scripts describe my_test.py",
    )
)
@click.argument("script_uri", shell_complete=complete_scripts)
@place_in_git
@with_session
def describe(session: "Session", /, script_uri: str, **git: Any) -> None:
    """Show what a script says of itself: its docstrings, and the parameters of its functions.

    SCRIPT_URI is file:///path/script.py on the host of the OET, or git:///path/in/repository.py; or the path
    of a file here, or '-' for standard input, the text of which is sent. The script is not run.
    """
    from .procedure_calls import read_script
    from .tables import print_script

    script = read_script(session, script_uri, given_git_options({**git, "create_env": False}))
    if script_uri.startswith("file://"):
        reply = session.rest.describe_script(script_uri)
    else:
        reply = session.rest.describe_any_script(script)
    session.show(reply, print_script)
