"""``/sbds``: Scheduling Blocks whose activities can be run."""

from typing import Annotated

from fastapi import APIRouter, Query

from ska_oso_oet.model import ID_PART, MAX_FOUND, SchedulingBlockPage, SchedulingBlockQuery

from .errors import responses
from .json_route import JsonRoute
from .service import ControllerDependency
from .settings import API

router = APIRouter(prefix=API, route_class=JsonRoute, tags=["Activities"])

_TIMEOUT = 60.0
"""Seconds that the ODA may take to answer."""


@router.get("/sbds", responses=responses(400, 403, 409, 500, 503, 504), summary="Find Scheduling Blocks")
async def find_scheduling_blocks(
    controller: ControllerDependency,
    query: Annotated[
        str,
        Query(max_length=128, pattern=ID_PART, description="whose ID contains this, in upper or lower case"),
    ] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_FOUND, description="how many at most")] = 50,
) -> SchedulingBlockPage:
    """Return Scheduling Blocks in the ODA, those that changed last first, with the names of their activities.

    Where the ODA cannot list them, `cannot_list` says why, and there are none: name one by its ID.
    """
    asked = SchedulingBlockQuery(query=query, limit=limit)
    return await controller.find_scheduling_blocks(asked, _TIMEOUT)
