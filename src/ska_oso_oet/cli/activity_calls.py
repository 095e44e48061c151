"""Implementation of `oet activity`."""

from contextlib import ExitStack
from typing import Any

import click
from pydantic import ValidationError

from ska_oso_oet.model import ActivityRequest, ActivityState, ActivitySummary, explain

from .errors import CommandError
from .follow import failed, follow
from .printer import Shown
from .rest import RestClient
from .session import Session
from .subjects import FollowedActivity
from .tables import print_activities, print_activity, print_blocks


def run_activity(session: Session, fields: dict[str, Any], shown: Shown | None) -> None:
    """Run an activity.

    :param session: with the service that runs it
    :param fields: of the request
    :param shown: options for its display until it ends; None to return at once
    :raises click.UsageError: if the fields are not valid
    :raises CommandError: if it has failed by then
    """
    try:
        request = ActivityRequest.model_validate(fields)
    except ValidationError as error:
        raise click.UsageError(explain(error), click.get_current_context()) from error
    with ExitStack() as stack:
        items = None if shown is None else iter(stack.enter_context(session.stream()))
        reply = session.rest.run_activity(request)
        session.show(reply.as_list(), print_activities)
        if items is not None and shown is not None:
            follow(session, items, FollowedActivity(session.rest, reply.content), shown)
        elif (ran := reply.content).state is ActivityState.FAILED:
            # Requests that cannot succeed have failed by now.
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


def find_blocks(session: Session, query: str, limit: int) -> None:
    """Print a line for each Scheduling Block that is found.

    :param session: with the service
    :param query: part of their IDs
    :param limit: how many at most
    :raises CommandError: if the ODA cannot list them
    """
    reply = session.rest.find_scheduling_blocks(query, limit)
    if reply.content.cannot_list is not None:
        raise CommandError(f"Scheduling Blocks cannot be listed: {reply.content.cannot_list}")
    session.show(reply, print_blocks)


def _last_created(rest: RestClient) -> ActivitySummary:
    activities = rest.activities().content
    if not activities:
        raise CommandError("There is no activity: 'oet activity run' runs one")
    return activities[-1]
