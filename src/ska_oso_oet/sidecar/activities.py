"""``/activities``: run activities of Scheduling Blocks, and look at them."""

import asyncio
from contextlib import suppress
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import JSONResponse

from ska_oso_oet.client import NotFoundError
from ska_oso_oet.model import Activity, ActivityRequest

from .addresses import activity_uri
from .errors import location_of_new, responses
from .json_route import JsonRoute
from .procedures import MAX_ID
from .service import ControllerDependency, Service, ServiceDependency
from .settings import API
from .wire import ActivityList, ActivityReply, activity_json

router = APIRouter(prefix=API, route_class=JsonRoute, tags=["Activities"])

_PATIENCE = 1.0
"""Seconds that an answer may wait for its procedure: clients of the OET 5.2.0 go on with that one's ID."""

_PAUSE = 0.01
"""Seconds between an event and a look at what has come of it."""

ActivityId = Annotated[int, Path(description="ID of the activity", json_schema_extra={"minimum": 1})]


@router.get(
    "/activities",
    response_model=ActivityList,
    responses=responses(500, 503, 504),
    summary="List activities",
)
async def list_activities(request: Request, controller: ControllerDependency) -> JSONResponse:
    """Return all activities that are live, and the newest that have ended."""
    found = await controller.activities()
    return JSONResponse({"activities": [activity_json(activity, request) for activity in found]})


@router.get(
    "/activities/{activity_id}",
    response_model=ActivityReply,
    responses=responses(403, 404, 500, 503, 504),
    summary="Describe an activity",
)
async def get_activity(
    activity_id: ActivityId, request: Request, controller: ControllerDependency
) -> JSONResponse:
    """Return an activity, also one that is no longer listed."""
    if not 1 <= activity_id <= MAX_ID:
        raise NotFoundError(f"No information available for ID={activity_id}")
    activity = await controller.activity(activity_id)
    return JSONResponse({"activity": activity_json(activity, request)})


@router.post(
    "/activities",
    response_model=ActivityReply,
    status_code=HTTPStatus.CREATED,
    responses=location_of_new() | responses(400, 403, 404, 408, 409, 413, 415, 500, 503, 504),
    summary="Run an activity",
)
async def run_activity(body: ActivityRequest, request: Request, service: ServiceDependency) -> JSONResponse:
    """Prepare the script of an activity, and start it unless `prepare_only` is set.

    The answer does not wait for that. It names the procedure, if the Scheduling Block can be had within a
    moment.
    """
    accepted = await service.controller.run_activity(body)
    activity = await _with_procedure(service, accepted.subject)
    return JSONResponse(
        {"activity": activity_json(activity, request)},
        HTTPStatus.CREATED,
        {"Location": activity_uri(request, activity.id)},
    )


async def _with_procedure(service: Service, activity_id: int) -> Activity:
    """Return an activity as soon as it has a procedure or has ended; after `_PATIENCE`, as it is then."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            while True:
                # What happens while the activity is looked at must not be missed.
                happening = asyncio.create_task(service.feed.wait())
                try:
                    activity = await service.controller.activity(activity_id)
                    if activity.procedure_id is not None or activity.state.is_final:
                        return activity
                    await happening
                    # Many events in a moment are no reason for as many looks.
                    await asyncio.sleep(_PAUSE)
                finally:
                    happening.cancel()
    return await service.controller.activity(activity_id)
