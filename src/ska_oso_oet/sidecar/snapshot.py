"""``/subarrays/snapshot``: the state of all controllers in one answer."""

import asyncio
from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from pydantic_core import from_json
from starlette.responses import JSONResponse

from ska_oso_oet.client import ControllerError
from ska_oso_oet.model import (
    ActivitySummary,
    ControllerStatus,
    ProcedureSummary,
    Question,
    Queue,
    QueueQuery,
)

from .activities import ACTIVITIES
from .addresses import within_subarray
from .procedures import PROCEDURES
from .readiness import look_closely
from .reading import SummaryResponse
from .service import GatewayDependency, Service
from .settings import API

router = APIRouter(prefix=API, tags=["Subarrays"])


class ControllerState(BaseModel):
    """The state of a controller, as the routes for each part of it return it."""

    status: ControllerStatus
    procedures: list[ProcedureSummary]
    activities: list[ActivitySummary]
    queue: Queue
    question: Question | None


class ControllerSnapshot(BaseModel):
    """A controller at one moment."""

    subarray_id: int = Field(description="number that chooses the controller")
    device: str = Field(description="name of its Tango device")
    available: bool = Field(description="whether it answers, and its events are received")
    reason: str | None = Field(
        description="why it cannot be used, or its state not be read; null if all is well"
    )
    unavailable_since: datetime | None = Field(
        description="when it was found to be unavailable, ISO 8601 in UTC; null while it is available"
    )
    last_event: int | None = Field(
        description="number of the newest event before the state was read: those that follow may be in the "
        "state already; null if no event is known"
    )
    state: ControllerState | None = Field(description="what it does; null if that cannot be read")


@router.get(
    "/subarrays/snapshot",
    response_model=list[ControllerSnapshot],
    summary="Show the state of all controllers",
)
async def get_snapshot(request: Request, gateway: GatewayDependency) -> JSONResponse:
    """Return status, procedures, activities, queue and question of all controllers.

    With `/subarrays/stream`, which is opened before, a client knows the state and misses no change of it.
    """
    services = gateway.chosen(request.scope).values()
    return SummaryResponse(await asyncio.gather(*(_snapshot(request, service) for service in services)))


async def _snapshot(request: Request, service: Service) -> dict[str, object]:
    last_event = service.feed.last_event
    readiness, status = await look_closely(service, service.settings.look_timeout)
    reason, state = readiness.reason, None
    if status is not None:
        try:
            state = await _state(request, service, status)
        except ControllerError as error:
            reason = str(error)
    return {
        "subarray_id": service.number,
        "device": service.controller.device,
        "available": readiness.available,
        "reason": reason,
        "unavailable_since": readiness.unavailable_since,
        "last_event": last_event,
        "state": state,
    }


async def _state(request: Request, service: Service, status: ControllerStatus) -> dict[str, object]:
    controller = service.controller
    procedures, activities, queue, question = await asyncio.gather(
        controller.procedures(),
        controller.activities(),
        controller.queue.page_json(QueueQuery()),
        controller.talk.question(),
    )
    own = within_subarray(request, service.number)
    return {
        "status": status,
        "procedures": [PROCEDURES.to_json(each, own) for each in procedures],
        "activities": [ACTIVITIES.to_json(each, own) for each in activities],
        "queue": from_json(queue),
        "question": question,
    }
