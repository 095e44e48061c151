"""``/activities``: run and describe activities of Scheduling Blocks."""

import asyncio
from contextlib import suppress
from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from ska_oso_oet.client import Controller
from ska_oso_oet.model import ActivityRequest, ActivitySummary

from .addresses import activity_uri
from .clients import on_behalf_of
from .errors import location_of_new, responses
from .json_route import JsonRoute
from .reading import Kind, add_describe_route, add_list_route
from .service import Service, ServiceDependency
from .settings import API
from .wire import ActivityList, ActivityReply, activity_json

router = APIRouter(prefix=API, route_class=JsonRoute, tags=["Activities"])

_PATIENCE = 1.0
"""Seconds that an answer may wait for its procedure: clients of the OET 5.2.0 continue with that one's ID."""

_PAUSE = 0.01
"""Seconds between an event and a read of the activity."""

ACTIVITIES = Kind(
    "activity",
    "activities",
    "an activity",
    "ID",
    "activity_ids",
    Controller.activity,
    Controller.activities,
    activity_json,
    lambda activity: activity.model_dump(mode="json"),
)
add_list_route(router, ACTIVITIES, ActivityList)
add_describe_route(router, ACTIVITIES, ActivityReply)


@router.post(
    "/activities",
    response_model=ActivityReply,
    status_code=HTTPStatus.CREATED,
    responses=location_of_new() | responses(400, 403, 404, 408, 409, 413, 415, 500, 503, 504),
    summary="Run an activity",
)
async def run_activity(body: ActivityRequest, request: Request, service: ServiceDependency) -> JSONResponse:
    """Prepare the script of an activity, and start it unless `prepare_only` is set.

    The answer does not wait for that. It names the procedure, if the Scheduling Block is available within a
    moment.
    """
    accepted = await service.controller.run_activity(on_behalf_of(request, body))
    activity = await _with_procedure(service, accepted.subject)
    location = {"Location": activity_uri(request, activity.id)}
    return ACTIVITIES.reply(activity, request, HTTPStatus.CREATED, location)


async def _with_procedure(service: Service, activity_id: int) -> ActivitySummary:
    """Return an activity as soon as it has a procedure or has ended; after `_PATIENCE`, as it is then."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            while True:
                # Changes during the read of the activity must not be missed.
                happening = asyncio.create_task(service.feed.wait())
                try:
                    activity = await service.controller.activity(activity_id)
                    if activity.procedure_id is not None or activity.state.is_final:
                        return activity
                    await happening
                    # Many events in a moment cause one read.
                    await asyncio.sleep(_PAUSE)
                finally:
                    happening.cancel()
    return await service.controller.activity(activity_id)
