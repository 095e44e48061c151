"""``/subarrays``: the controllers that are served."""

from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from .addresses import subarray_base_uri
from .readiness import look_at_all
from .service import GatewayDependency
from .settings import API

router = APIRouter(prefix=API, tags=["Subarrays"])


class ServedController(BaseModel):
    """A controller that is served."""

    subarray_id: int = Field(description="number that chooses the controller")
    device: str = Field(description="name of its Tango device")
    base: str = Field(description="address at which it is served: append `/procedures`, for example")
    available: bool = Field(description="whether it answers, and its events are received")
    reason: str | None = Field(description="why it cannot be used; null if it can")
    unavailable_since: datetime | None = Field(
        description="when it was found to be unavailable, ISO 8601 in UTC; null while it is available"
    )


@router.get("/subarrays", summary="List the controllers that are served")
async def list_subarrays(request: Request, gateway: GatewayDependency) -> list[ServedController]:
    """Return all controllers, the one that is also served without a number first.

    Below `/subarrays/{subarray_id}` the list has the controller of that subarray alone.
    """
    found = await look_at_all(gateway.chosen(request.scope), gateway.settings.look_timeout)
    return [
        ServedController(
            subarray_id=each.subarray_id,
            device=each.device,
            base=subarray_base_uri(request, each.subarray_id),
            available=each.available,
            reason=each.reason,
            unavailable_since=each.unavailable_since,
        )
        for each in found
    ]
