"""`oet activity`: runs the activities of Scheduling Blocks."""

from typing import TYPE_CHECKING

import click

from .completion import complete_activities
from .literals import read_value
from .options import BOOLEAN, POSITIVE, examples, listen_option, long_option, output_option, with_session

if TYPE_CHECKING:
    from .session import Session


@click.group()
def activity() -> None:
    """Run and inspect activities of Scheduling Blocks."""


@activity.command(
    epilog=examples(
        "oet activity run allocate sbd-123",
        'oet activity run allocate sbd-123 --script-args=\'{"init": {"kwargs": {"foo": "bar"}}}\'',
        "oet activity run observe sbd-123 --prepare-only=True",
    ),
)
@click.argument("activity_name")
@click.argument("sbd_id")
@click.option(
    "--script-args",
    metavar="JSON",
    help="""Keyword arguments by function, e.g. '{"init": {"kwargs": {"foo": "bar"}}}': each is added to those
    of the Scheduling Block, or overrides one.""",
)
@click.option(
    "--prepare-only",
    type=BOOLEAN,
    default=False,
    show_default=True,
    help="Prepare the script, for 'oet procedure start' to run it later.",
)
@click.option(
    "--create-env",
    type=BOOLEAN,
    default=False,
    show_default=True,
    help="Run a script from git in the Python environment that its repository describes.",
)
@listen_option
@long_option
@output_option
@with_session
def run(
    session: "Session",
    /,
    activity_name: str,
    sbd_id: str,
    script_args: str | None,
    prepare_only: bool,
    create_env: bool,
    listen: bool,
    in_full: bool,
    with_output: bool | None,
) -> None:
    """Run an activity of a Scheduling Block, and show its events until it ends.

    SBD_ID is the ID of an SBDefinition, or its URI: file:///path/sb.json or oda://sbd-id.

    Ctrl-C ends the listening, not the script. The exit status shows how the activity ended: 0 COMPLETE
    (or PREPARED, as was asked for), 1 FAILED, 3 STOPPED.
    """
    from .activity_calls import run_activity
    from .printer import Shown

    fields = {
        "activity_name": activity_name,
        "sbd_uri" if "://" in sbd_id else "sbd_id": sbd_id,
        "script_args": {} if script_args is None else read_value(script_args),
        "prepare_only": prepare_only,
        "create_env": create_env,
    }
    run_activity(session, fields, Shown(in_full, with_output) if listen else None)


@activity.command("list")
@click.option(
    "--aid", type=POSITIVE, shell_complete=complete_activities, help="Only the activity of this ID."
)
@with_session
def list_(session: "Session", /, aid: int | None) -> None:
    """List the activities that are alive, and the newest that ended."""
    from .activity_calls import list_activities

    list_activities(session, aid)


@activity.command()
@click.option(
    "--aid",
    type=POSITIVE,
    shell_complete=complete_activities,
    help="ID of the activity; without it, the last one created.",
)
@with_session
def describe(session: "Session", /, aid: int | None) -> None:
    """Show an activity's script arguments and the states it went through."""
    from .activity_calls import describe_activity

    describe_activity(session, aid)


@activity.command(epilog=examples("oet activity sbds", "oet activity sbds --query=mvp01 --limit=10"))
@click.option("--query", default="", help="Only Scheduling Blocks whose ID contains this.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True, help="How many at most.")
@with_session
def sbds(session: "Session", /, query: str, limit: int) -> None:
    """List Scheduling Blocks in the ODA with their activities, those that changed last first."""
    from .activity_calls import find_blocks

    find_blocks(session, query, limit)
