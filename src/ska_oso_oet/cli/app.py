"""The `oet` command itself, and `oet listen`."""

from typing import TYPE_CHECKING, Any

import click

from .activity import activity
from .options import DEFAULT_SERVER_URL, examples, with_session
from .procedure import procedure

if TYPE_CHECKING:
    from .session import Session

_EPILOG = """\b
Exit status:
  0    done; a script that was listened to is COMPLETE
  1    refused, or the server is away; the script FAILED; a subarray that was to abort did not
  2    the command line is wrong
  3    the script that was listened to was STOPPED
  130  Ctrl-C: no longer waiting; what runs goes on (for 'oet listen': 0)

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
@click.version_option(package_name="ska-oso-oet-tango", prog_name="oet")
@click.pass_context
def main(ctx: click.Context, server_url: str) -> None:
    """Control a remote Observation Execution Tool.

    'oet procedure' prepares, starts and stops observing scripts. 'oet activity' runs activities of
    Scheduling Blocks. 'oet listen' shows what happens, as it happens.
    """
    ctx.obj = server_url


@main.command(
    epilog=examples(
        "oet listen --topic=procedure.lifecycle",
        "oet listen --since=0 --json",
    ),
)
@click.option("--topic", metavar="PREFIX", default="", help="Only topics that begin with this.")
@click.option(
    "--since",
    metavar="SEQ",
    type=click.IntRange(min=0),
    help="First all events after this number (0: all that are kept), then those to come.",
)
@with_session
def listen(session: "Session", /, topic: str, since: int | None) -> None:
    """Show events of the OET and of its scripts as they happen, until Ctrl-C."""
    from .follow import show_events

    show_events(session, topic, since)


main.add_command(procedure)
main.add_command(activity)
