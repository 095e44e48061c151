"""``GET /procedures`` with a query, and ``POST /procedures/{id}/rerun``: history of procedures."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse

from ska_oso_oet.client import Controller
from ska_oso_oet.model import HistoryQuery, ProcedurePage, ProcedureState

from .addresses import procedure_uri
from .clients import requester_of
from .errors import location_of_new, responses
from .json_route import JsonRoute
from .procedures import PROCEDURES, ProcedureId
from .service import ControllerDependency, ServiceDependency
from .settings import API
from .wire import ProcedureList, ProcedureReply, RerunBody

router = APIRouter(prefix=API, route_class=JsonRoute, tags=["Procedures"])

_LOOKS = 25
"""Maximum number of queries to the controller for one request: they go through all procedures."""


@router.get(
    "/procedures",
    response_model=ProcedureList,
    responses=responses(400, 500, 503, 504),
    summary="List or find procedures",
)
async def list_procedures(
    request: Request,
    service: ServiceDependency,
    state: Annotated[list[ProcedureState] | None, Query(description="in one of these states")] = None,
    script: Annotated[str | None, Query(description="whose script's URI contains this")] = None,
    text: Annotated[str | None, Query(description="whose summary contains this")] = None,
    since: Annotated[
        datetime | None, Query(description="created at this time or later, ISO 8601; UTC without an offset")
    ] = None,
    until: Annotated[
        datetime | None, Query(description="created at this time or earlier, ISO 8601; UTC without an offset")
    ] = None,
    before: Annotated[int | None, Query(ge=1, le=(1 << 63) - 1, description="with a smaller ID")] = None,
    limit: Annotated[int | None, Query(ge=1, le=100, description="how many at most; 20 by default")] = None,
) -> JSONResponse:
    """Return all procedures that are live, and the newest that have ended, in the order of their IDs.

    With any parameter, the matching ones among all that are kept are returned instead, newest first. Read
    on with the number in `next` as `before`, until that is null.
    """
    given = (state, script, text, since, until, before, limit)
    if all(each is None for each in given):
        return PROCEDURES.reply_with_all(await PROCEDURES.list_for_client(service), request)
    query = HistoryQuery(
        state=state or [],
        script=script or "",
        text=text or "",
        since=_seconds(since),
        until=_seconds(until),
        before=before,
        limit=limit or 20,
    )
    page = await _find(service.controller, query)
    return PROCEDURES.reply_with_all(page.procedures, request, next=page.next)


async def _find(controller: Controller, query: HistoryQuery) -> ProcedurePage:
    """Return procedures: one query to the controller may find few of many."""
    found = ProcedurePage(procedures=[], next=query.before)
    for _ in range(_LOOKS):
        left = query.limit - len(found.procedures)
        page = await controller.records.find(query.model_copy(update={"before": found.next, "limit": left}))
        found = ProcedurePage(procedures=[*found.procedures, *page.procedures], next=page.next)
        if found.next is None or len(found.procedures) == query.limit:
            break
    return found


def _seconds(time: datetime | None) -> float | None:
    if time is None:
        return None
    return (time if time.tzinfo is not None else time.replace(tzinfo=UTC)).timestamp()


@router.post(
    "/procedures/{procedure_id}/rerun",
    response_model=ProcedureReply,
    status_code=HTTPStatus.CREATED,
    responses=location_of_new() | responses(400, 403, 404, 408, 409, 413, 415, 500, 503, 504),
    summary="Prepare a procedure again",
)
async def rerun_procedure(
    procedure_id: ProcedureId, body: RerunBody, request: Request, controller: ControllerDependency
) -> JSONResponse:
    """Prepare the script of a procedure again, from git the same commit, with the same arguments.

    The answer has the new procedure, and does not wait until it is READY. Started without arguments, it gets
    those of the former one.
    """
    PROCEDURES.check(procedure_id)
    created = await controller.rerun(procedure_id, body.script_args, requester_of(request))
    location = {"Location": procedure_uri(request, created.subject)}
    procedure = await controller.procedure(created.subject)
    return PROCEDURES.reply(procedure, request, HTTPStatus.CREATED, location)
