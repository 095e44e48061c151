"""``/procedures``: prepare, start, stop and look at scripts."""

import asyncio
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from ska_oso_oet.client import Controller, NotFoundError, RequestRejectedError, ResultCode
from ska_oso_oet.model import FunctionArgs, Procedure, ProcedureRequest, ProcedureState

from .addresses import procedure_uri
from .errors import location_of_new, responses
from .json_route import JsonRoute
from .service import ControllerDependency, Service, ServiceDependency
from .settings import API
from .wire import AbortReply, ProcedureList, ProcedureReply, ProcedureUpdate, procedure_json

router = APIRouter(prefix=API, route_class=JsonRoute, tags=["Procedures"])

MAX_ID = (1 << 31) - 1
"""Greatest ID that a DevLong can hold."""
_BEGINS_WITHIN = 1.0
"""Seconds within which `main` begins unless the machine is busy; then the answer shows it READY."""

ProcedureId = Annotated[int, Path(description="ID of the procedure", json_schema_extra={"minimum": 1})]


@router.get(
    "/procedures",
    response_model=ProcedureList,
    responses=responses(500, 503, 504),
    summary="List procedures",
)
async def list_procedures(request: Request, controller: ControllerDependency) -> JSONResponse:
    """Return all procedures that are live, and the newest that have ended."""
    found = await controller.procedures()
    return JSONResponse({"procedures": [procedure_json(procedure, request) for procedure in found]})


@router.get(
    "/procedures/{procedure_id}",
    response_model=ProcedureReply,
    responses=responses(403, 404, 500, 503, 504),
    summary="Describe a procedure",
)
async def get_procedure(
    procedure_id: ProcedureId, request: Request, controller: ControllerDependency
) -> JSONResponse:
    """Return a procedure, also one that is no longer listed."""
    return _reply(await _find(controller, procedure_id), request)


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
    created = await controller.create(body)
    location = {"Location": procedure_uri(request, created.subject)}
    procedure = await controller.procedure(created.subject)
    return _reply(procedure, request, HTTPStatus.CREATED, location)


@router.put(
    "/procedures/{procedure_id}",
    response_model=ProcedureReply | AbortReply,
    responses=responses(400, 403, 404, 408, 409, 413, 415, 500, 503, 504),
    summary="Start or stop a procedure",
)
async def update_procedure(
    procedure_id: ProcedureId,
    body: ProcedureUpdate,
    request: Request,
    service: ServiceDependency,
) -> JSONResponse:
    """Start a procedure by the state RUNNING, or stop it by the state STOPPED.

    A procedure that is not READY is not started, and returned as it is. A stop is answered when the
    procedure has stopped and, with `abort`, the abort script has ended.
    """
    procedure = await _find(service.controller, procedure_id)
    if body.state is ProcedureState.RUNNING:
        procedure = await _start(service, procedure, body.script_args.get("main"))
    elif body.state is ProcedureState.STOPPED:
        message = await _stop(service.controller, procedure, body.abort, service.settings.stop_timeout)
        return JSONResponse({"abort_message": message})
    return _reply(procedure, request)


def _reply(
    procedure: Procedure,
    request: Request,
    status: HTTPStatus = HTTPStatus.OK,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    return JSONResponse({"procedure": procedure_json(procedure, request)}, status, headers)


async def _find(controller: Controller, procedure_id: int) -> Procedure:
    # To the device, 0 is the last procedure; here it is one that never was.
    if not 1 <= procedure_id <= MAX_ID:
        raise NotFoundError(f"No information available for PID={procedure_id}")
    return await controller.procedure(procedure_id)


async def _start(service: Service, procedure: Procedure, arguments: FunctionArgs | None) -> Procedure:
    controller = service.controller
    if procedure.state is not ProcedureState.READY:
        return procedure
    try:
        await controller.start(procedure.id, arguments)
    except RequestRejectedError:
        # It may have been started or stopped by somebody else meanwhile; if not, something forbids it.
        procedure = await controller.procedure(procedure.id)
        if procedure.state is ProcedureState.READY:
            raise
        return procedure
    return await _once_begun(service, procedure)


async def _once_begun(service: Service, before: Procedure) -> Procedure:
    """Return a procedure that is being started, as it is once `main` has begun.

    :param service: with the controller that starts it
    :param before: as it was before
    """
    deadline = asyncio.get_running_loop().time() + _BEGINS_WITHIN
    while True:
        # Who waits before looking cannot miss what happens after the look.
        news = asyncio.create_task(service.feed.wait())
        try:
            procedure = await service.controller.procedure(before.id)
            left = deadline - asyncio.get_running_loop().time()
            if len(procedure.history.process_states) > len(before.history.process_states) or left <= 0:
                return procedure
            await asyncio.wait([news], timeout=left)
        finally:
            news.cancel()


async def _stop(controller: Controller, procedure: Procedure, abort: bool, timeout: float) -> str:
    try:
        command = await controller.stop(procedure.id, abort=abort)
    except RequestRejectedError as error:
        procedure = await controller.procedure(procedure.id)
        if procedure.state.is_final:
            return str(error)
        raise
    result = await controller.wait(command, timeout)
    if result.code is not ResultCode.OK:
        raise HTTPException(HTTPStatus.INTERNAL_SERVER_ERROR, str(result.message))
    return str(result.message)
