"""`oet activity`: what the Scheduling Blocks of an observation ask for."""

from contextlib import ExitStack
from typing import Any

import click
from pydantic import ValidationError

from ska_oso_oet.model import Activity, ActivityRequest, ActivityState

from .errors import OetError, reasons
from .follow import FollowedActivity, failed, follow
from .literals import read_value
from .rest import RestClient
from .session import POSITIVE, Session, listen_option, with_session
from .tables import print_activities, print_activity


@click.group()
def activity() -> None:
    """Run and inspect activities of Scheduling Blocks."""


@activity.command()
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
    type=click.BOOL,
    default=False,
    show_default=True,
    help="Prepare the script, for 'oet procedure start' to run it later.",
)
@click.option(
    "--create-env",
    type=click.BOOL,
    default=False,
    show_default=True,
    help="Run a script from git in the Python environment that its repository describes.",
)
@listen_option
@with_session
def run(
    session: Session,
    /,
    activity_name: str,
    sbd_id: str,
    script_args: str | None,
    prepare_only: bool,
    create_env: bool,
    listen: bool,
) -> None:
    """Run an activity of a Scheduling Block, and show its events until it ends.

    SBD_ID is the ID of an SBDefinition, or its URI: file:///path/sb.json or oda://sbd-id.

    Ctrl-C ends the listening, not the script. The exit status tells how the activity ended: 0 COMPLETE
    (or PREPARED, as was asked for), 1 FAILED, 3 STOPPED.
    """
    request = _request(
        {
            "activity_name": activity_name,
            "sbd_uri" if "://" in sbd_id else "sbd_id": sbd_id,
            "script_args": {} if script_args is None else read_value(script_args),
            "prepare_only": prepare_only,
            "create_env": create_env,
        }
    )
    with ExitStack() as stack:
        stream = stack.enter_context(session.stream()) if listen else None
        reply = session.rest.run_activity(request)
        session.show(reply.as_list(), print_activities)
        if stream is not None:
            follow(stream, FollowedActivity(session.rest, reply.content), session.output)
        elif (ran := reply.content).state is ActivityState.FAILED:
            # What is certain to fail has failed by now.
            raise failed(f"Activity {ran.id}", ran.state, ran.reason)


@activity.command("list")
@click.option("--aid", type=POSITIVE, help="Only the activity of this ID.")
@with_session
def list_(session: Session, /, aid: int | None) -> None:
    """List the activities that are alive, and the newest that ended."""
    rest = session.rest
    session.show(rest.activities() if aid is None else rest.activity(aid).as_list(), print_activities)


@activity.command()
@click.option("--aid", type=POSITIVE, help="ID of the activity; without it, the last one created.")
@with_session
def describe(session: Session, /, aid: int | None) -> None:
    """Show an activity's script arguments and the states it went through."""
    number = _last_created(session.rest).id if aid is None else aid
    session.show(session.rest.activity(number), print_activity)


def _request(fields: dict[str, Any]) -> ActivityRequest:
    """Build a request from the command line.

    :raises click.UsageError: if the script arguments are not what they should be
    """
    try:
        return ActivityRequest.model_validate(fields)
    except ValidationError as error:
        raise click.UsageError(reasons(error)) from error


def _last_created(rest: RestClient) -> Activity:
    activities = rest.activities().content
    if not activities:
        raise OetError("There is no activity: 'oet activity run' runs one")
    return activities[-1]
