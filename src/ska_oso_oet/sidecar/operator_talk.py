"""``/question`` and ``/context``, and requests to running scripts other than start and stop."""

from fastapi import APIRouter, Request
from pydantic import JsonValue
from starlette.responses import JSONResponse

from ska_oso_oet.model import (
    AnswerRequest,
    CheckpointReply,
    CheckpointRequest,
    Model,
    OperatorMessage,
    QuestionReply,
    SendReply,
    SendRequest,
)

from .clients import on_behalf_of
from .errors import responses
from .json_route import JsonRoute
from .procedures import PROCEDURES, ProcedureId
from .service import ControllerDependency
from .settings import API

router = APIRouter(prefix=API, route_class=JsonRoute, tags=["Operator"])


class MessageBody(OperatorMessage):
    """Message to the listeners of a script."""


@router.get(
    "/question",
    response_model=QuestionReply,
    responses=responses(403, 500, 503, 504),
    summary="Show the question that waits for an answer",
)
async def show_question(controller: ControllerDependency) -> JSONResponse:
    """Return the question that a script has asked first, of those that wait for an answer."""
    return _reply(QuestionReply(question=await controller.talk.question()))


@router.put(
    "/question",
    response_model=QuestionReply,
    responses=responses(400, 403, 404, 408, 409, 413, 415, 500, 503, 504),
    summary="Answer a question",
)
async def answer_question(
    body: AnswerRequest, request: Request, controller: ControllerDependency
) -> JSONResponse:
    """Answer a question of a script. The first answer that fits counts; 409 names that answer."""
    return _reply(QuestionReply(question=await controller.talk.answer(on_behalf_of(request, body))))


@router.get(
    "/context",
    responses=responses(403, 500, 503, 504),
    summary="Show the context of all scripts",
)
async def show_context(controller: ControllerDependency) -> dict[str, JsonValue]:
    """Return the context that scripts read."""
    return await controller.talk.context()


@router.put(
    "/context",
    responses=responses(400, 403, 408, 413, 415, 500, 503, 504),
    summary="Set the context of all scripts",
)
async def set_context(body: dict[str, JsonValue], controller: ControllerDependency) -> dict[str, JsonValue]:
    """Set the context: a JSON object of less than 64 KiB. Running scripts receive it at once."""
    await controller.talk.set_context(body)
    return await controller.talk.context()


@router.post(
    "/procedures/{procedure_id}/step",
    response_model=CheckpointReply,
    responses=responses(403, 404, 409, 500, 503, 504),
    summary="Let a script continue to its next checkpoint",
)
async def step_procedure(
    procedure_id: ProcedureId, request: Request, controller: ControllerDependency
) -> JSONResponse:
    """Let a script continue to its next checkpoint, and wait there."""
    PROCEDURES.check(procedure_id)
    step = on_behalf_of(request, CheckpointRequest(pid=procedure_id))
    return _reply(await controller.talk.step(step))


@router.post(
    "/procedures/{procedure_id}/send",
    response_model=SendReply,
    responses=responses(400, 403, 404, 408, 409, 413, 415, 500, 503, 504),
    summary="Send a message to a script",
)
async def send_to_script(
    procedure_id: ProcedureId, body: MessageBody, request: Request, controller: ControllerDependency
) -> JSONResponse:
    """Send a message to the listeners that a script has subscribed to topics below `operator`."""
    PROCEDURES.check(procedure_id)
    message = SendRequest(pid=procedure_id, topic=body.topic, fields=body.fields)
    return _reply(await controller.talk.send(on_behalf_of(request, message)))


def _reply(model: Model) -> JSONResponse:
    return JSONResponse(model.model_dump(mode="json"))
