"""The `oet` command itself, and `oet listen`."""

from typing import TYPE_CHECKING, Any

import click

from .activity import activity
from .admin import admin
from .completion import complete_topics
from .completion_shells import install
from .controller import admin_mode, reset, status
from .observing_queue import queue
from .options import DEFAULT_SERVER_URL, examples, long_option, run_abort_option, with_session
from .procedure import procedure
from .run import run
from .scripts import scripts
from .talk import answer, context, question

if TYPE_CHECKING:
    from .session import Session

_EPILOG = """\b
Exit status:
  0    done; a script that was listened to is COMPLETE
  1    refused, or the server is unavailable; the script FAILED; a subarray did not abort as requested
  2    the command line is wrong
  3    the script that was listened to was STOPPED
  130  Ctrl-C: no longer waiting; running scripts continue (for 'oet listen': 0)

\b
Environment:
  OET_REST_URI   address of the REST API
  OET_API_TOKEN  bearer token, where the server asks for one

\b
Shell completion, e.g. in ~/.bashrc, ~/.zshrc or ~/.config/fish/config.fish:
  eval "$(_OET_COMPLETE=bash_source oet)"
  eval "$(_OET_COMPLETE=zsh_source oet)"
  _OET_COMPLETE=fish_source oet | source
"""


def _accept_underscores(name: str) -> str:
    return name.replace("_", "-")


_SETTINGS: dict[str, Any] = {"token_normalize_func": _accept_underscores, "max_content_width": 100}


@click.group("oet", context_settings=_SETTINGS, epilog=_EPILOG)
@click.option(
    "--server-url",
    metavar="URL",
    envvar="OET_REST_URI",
    show_envvar=True,
    default=DEFAULT_SERVER_URL,
    show_default=True,
    help="Address of the REST API.",
)
@click.option(
    "--user",
    metavar="NAME",
    envvar="OET_USER",
    show_envvar=True,
    help="Name of the user, for the records. Where the service identifies users by tokens, the token counts.",
    show_default="the user of this terminal, and the host",
)
@click.version_option(package_name="ska-oso-oet-tango", prog_name="oet")
@click.pass_context
def main(ctx: click.Context, server_url: str, user: str | None) -> None:
    """Control a remote Observation Execution Tool.

    'oet run' runs an observing script, 'oet procedure' prepares, starts and stops scripts one by one. 'oet
    activity' runs activities of Scheduling Blocks, 'oet queue' a night of both. 'oet question' shows what a
    script asks, and 'oet answer' answers. 'oet listen' shows what happens, as it happens, 'oet status' shows
    what the controller does and what is wrong.
    """
    ctx.obj = server_url


@main.command(
    epilog=examples(
        "oet listen --topic=procedure.lifecycle",
        "oet listen --since=0 --json",
    ),
)
@click.option(
    "--topic",
    metavar="PREFIX",
    default="",
    shell_complete=complete_topics,
    help="Only topics that begin with this.",
)
@click.option(
    "--since",
    metavar="SEQ",
    type=click.IntRange(min=0),
    help="Begin with all events after this number (0: all that are kept), then follow new ones.",
)
@long_option
@with_session
def listen(session: "Session", /, topic: str, since: int | None, in_full: bool) -> None:
    """Show events of the OET and of its scripts as they happen, until Ctrl-C."""
    from .follow import show_events

    show_events(session, topic, since, in_full)


@main.command(
    epilog=examples("oet stop --all", "oet stop --all --yes --run_abort=False"),
)
@click.option(
    "--all", "everything", is_flag=True, required=True, help="Stop all running scripts, in all subarrays."
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@run_abort_option
@with_session
def stop(session: "Session", /, everything: bool, yes: bool, run_abort: bool) -> None:
    """Stop the scripts of all controllers that the service has, at once.

    Lists what will be stopped, and asks for confirmation on a terminal. With --subarray_id only that
    controller's scripts are stopped. The exit status is 1 if something could not be stopped, if an
    abort script did not complete, or if a controller is not available.
    """
    from .stop_calls import stop_all

    stop_all(session, yes, run_abort)


install()
main.add_command(run)
main.add_command(procedure)
main.add_command(activity)
main.add_command(scripts)
main.add_command(queue)
main.add_command(question)
main.add_command(answer)
main.add_command(context)
main.add_command(status)
main.add_command(reset)
main.add_command(admin_mode)
main.add_command(admin)
