"""``/procedures``: prepare, start, stop and describe scripts."""

import asyncio
from contextlib import suppress
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from ska_oso_oet.client import Controller, NotFoundError, RequestRejectedError, ResultCode
from ska_oso_oet.model import (
    CheckpointRequest,
    ProcedureInput,
    ProcedurePhase,
    ProcedureRequest,
    ProcedureState,
    ProcedureSummary,
    Requester,
    StopReply,
)

from .addresses import procedure_uri
from .clients import on_behalf_of, requester_of
from .errors import location_of_new, responses
from .json_route import JsonRoute
from .reading import PLAIN_NUMBER, Kind, add_describe_route
from .service import ControllerDependency, Service, ServiceDependency
from .settings import API
from .wire import ProcedureReply, ProcedureUpdate, procedure_json

router = APIRouter(prefix=API, route_class=JsonRoute, tags=["Procedures"])

_BEGINS_WITHIN = 1.0
"""Seconds within which `main` begins unless the machine is busy; then the answer shows it READY."""

ProcedureId = Annotated[
    int, PLAIN_NUMBER, Path(description="ID of the procedure", json_schema_extra={"minimum": 1})
]

PROCEDURES = Kind(
    "procedure",
    "procedures",
    "a procedure",
    "PID",
    "pids",
    Controller.procedure,
    Controller.procedures,
    procedure_json,
    lambda procedure: procedure.in_lists().model_dump(mode="json"),
)
add_describe_route(router, PROCEDURES, ProcedureReply)


@router.post(
    "/procedures",
    response_model=ProcedureReply,
    status_code=HTTPStatus.CREATED,
    responses=location_of_new() | responses(400, 403, 408, 409, 413, 415, 500, 503, 504),
    summary="Prepare a procedure",
)
async def create_procedure(
    body: ProcedureRequest, request: Request, controller: ControllerDependency
) -> JSONResponse:
    """Load a script in a process of its own and call its `init`.

    The answer does not wait for that. `{"script_uri": "file:///…"}` without `script` is accepted, too.
    """
    created = await controller.create(on_behalf_of(request, body))
    location = {"Location": procedure_uri(request, created.subject)}
    procedure = await controller.procedure(created.subject)
    return PROCEDURES.reply(procedure, request, HTTPStatus.CREATED, location)


@router.put(
    "/procedures/{procedure_id}",
    response_model=ProcedureReply | StopReply,
    responses=responses(400, 403, 404, 408, 409, 413, 415, 500, 503, 504),
    summary="Start, pause or stop a procedure",
)
async def update_procedure(
    procedure_id: ProcedureId,
    body: ProcedureUpdate,
    request: Request,
    service: ServiceDependency,
) -> JSONResponse:
    """Start a procedure by the state RUNNING, pause it by the state PAUSED, or stop it by the state STOPPED.

    A procedure that is not READY is not started, and returned unchanged; one that is paused, or is to pause
    or to stop at its next checkpoint, continues. A pause takes effect at the next checkpoint, and the answer
    does not wait for that: see `at_checkpoint`. A stop is answered when the procedure has stopped and, with
    `abort`, the abort script has ended; one at a checkpoint is answered at once.
    """
    PROCEDURES.check(procedure_id)
    by = requester_of(request)
    match body.state:
        case ProcedureState.RUNNING:
            started = await _start(service, procedure_id, body.script_args.get("main"), by)
            return PROCEDURES.reply(started, request)
        case ProcedureState.PAUSED:
            await service.controller.talk.pause(CheckpointRequest(pid=procedure_id, requested_by=by))
        case ProcedureState.STOPPED if body.at == "checkpoint":
            stop = await _stop_at_checkpoint(service.controller, procedure_id, body.abort, by)
            return JSONResponse(stop.model_dump())
        case ProcedureState.STOPPED:
            stop = await _stop(service, procedure_id, body.abort, by)
            return JSONResponse(stop.model_dump())
    return PROCEDURES.reply(await service.controller.procedure(procedure_id), request)


async def _start(
    service: Service, procedure_id: int, arguments: ProcedureInput | None, by: Requester
) -> ProcedureSummary:
    """Start or resume a procedure, and return it as it is then; in other states, return it unchanged.

    The controller is not asked for the state before: it checks that itself.
    """
    try:
        await service.controller.start(procedure_id, arguments, by)
    except RequestRejectedError:
        procedure = await service.controller.procedure(procedure_id)
        if procedure.state is ProcedureState.PAUSED or procedure.at_checkpoint is not None:
            return await _resume(service.controller, procedure_id, by)
        if procedure.phase is ProcedurePhase.READY:  # something else forbids the start
            raise
        return procedure
    return await _once_begun(service, procedure_id)


async def _resume(controller: Controller, procedure_id: int, by: Requester) -> ProcedureSummary:
    # It may have ended, or another client may have resumed it.
    with suppress(RequestRejectedError, NotFoundError):
        await controller.talk.resume(CheckpointRequest(pid=procedure_id, requested_by=by))
    return await controller.procedure(procedure_id)


async def _stop_at_checkpoint(
    controller: Controller, procedure_id: int, abort: bool, by: Requester
) -> StopReply:
    await controller.stop(procedure_id, abort=abort, at_checkpoint=True, requested_by=by)
    return StopReply(
        abort_message=f"Procedure {procedure_id} is stopped at its next checkpoint; Resume withdraws that",
        stopped=False,
        aborted=None,
    )


async def _once_begun(service: Service, procedure_id: int) -> ProcedureSummary:
    """Return a procedure that is being started, as it is once `main` has begun.

    :param service: with the controller that starts it
    :param procedure_id: the procedure
    """
    deadline = asyncio.get_running_loop().time() + _BEGINS_WITHIN
    while True:
        # Wait first, then read: a change after the read cannot be missed.
        news = asyncio.create_task(service.feed.wait())
        try:
            procedure = await service.controller.procedure(procedure_id)
            left = deadline - asyncio.get_running_loop().time()
            if procedure.phase in (ProcedurePhase.MAIN, ProcedurePhase.ENDED) or left <= 0:
                return procedure
            await asyncio.wait([news], timeout=left)
        finally:
            news.cancel()


async def _stop(service: Service, procedure_id: int, abort: bool, by: Requester) -> StopReply:
    controller = service.controller
    not_aborted = False if abort else None
    try:
        command = await controller.stop(procedure_id, abort=abort, requested_by=by)
    except RequestRejectedError as error:
        if await _has_ended(controller, procedure_id):
            return StopReply(abort_message=str(error), stopped=False, aborted=not_aborted)
        raise
    result = await controller.wait(command, service.settings.stop_timeout)
    message = str(result.message)
    if result.code is ResultCode.OK:
        subarray = (await controller.procedure(procedure_id)).subarray_id if abort else None
        return StopReply(
            abort_message=message, stopped=True, aborted=True if abort else None, aborted_subarray=subarray
        )
    # A stop also fails if the procedure was stopped, and the abort script then failed.
    if abort and result.code is ResultCode.FAILED and await _has_ended(controller, procedure_id):
        return StopReply(abort_message=message, stopped=True, aborted=not_aborted)
    raise HTTPException(HTTPStatus.INTERNAL_SERVER_ERROR, message)


async def _has_ended(controller: Controller, procedure_id: int) -> bool:
    return (await controller.procedure(procedure_id)).state.is_final
