"""What `oet activity` does."""

from contextlib import ExitStack
from typing import Any

import click
from pydantic import ValidationError

from ska_oso_oet.model import Activity, ActivityRequest, ActivityState

from .errors import OetError
from .follow import FollowedActivity, failed, follow
from .rest import RestClient, reasons
from .session import Session
from .tables import print_activities, print_activity


def run_activity(session: Session, fields: dict[str, Any], listen: bool) -> None:
    """Run an activity.

    :param session: with the service that runs it
    :param fields: of the request
    :param listen: whether to show its events until it ends
    :raises click.UsageError: if the fields are not what they should be
    :raises OetError: if it failed, as far as that is known
    """
    try:
        request = ActivityRequest.model_validate(fields)
    except ValidationError as error:
        raise click.UsageError(reasons(error), click.get_current_context()) from error
    with ExitStack() as stack:
        stream = stack.enter_context(session.stream()) if listen else None
        reply = session.rest.run_activity(request)
        session.show(reply.as_list(), print_activities)
        if stream is not None:
            follow(stream, FollowedActivity(session.rest, reply.content), session.output)
        elif (ran := reply.content).state is ActivityState.FAILED:
            # What is certain to fail has failed by now.
            raise failed(f"Activity {ran.id}", ran.state, ran.reason)


def list_activities(session: Session, aid: int | None) -> None:
    """Print a line for each activity.

    :param session: with the service that knows them
    :param aid: the only one to list, if not None
    """
    rest = session.rest
    session.show(rest.activities() if aid is None else rest.activity(aid).as_list(), print_activities)


def describe_activity(session: Session, aid: int | None) -> None:
    """Print all about an activity.

    :param session: with the service that knows it
    :param aid: its ID; None for the last one created
    """
    number = _last_created(session.rest).id if aid is None else aid
    session.show(session.rest.activity(number), print_activity)


def _last_created(rest: RestClient) -> Activity:
    activities = rest.activities().content
    if not activities:
        raise OetError("There is no activity: 'oet activity run' runs one")
    return activities[-1]
