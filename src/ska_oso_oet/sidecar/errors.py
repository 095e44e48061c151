"""Answers for refusals and failures, which all have the same body.

The shape is that of the OET 5.2.0, whose clients rely on it.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute

from ska_oso_oet.client import (
    ControllerError,
    DeviceAwayError,
    DeviceLockedError,
    DeviceTimeoutError,
    InvalidRequestError,
    NotFoundError,
    NotKeptError,
    NotOfferedError,
    NotPermittedError,
    OdaFailedError,
    RequestRejectedError,
)
from ska_oso_oet.model import explain_items

from .addresses import SITE_ROOT
from .methods import allowed_methods
from .settings import SUBARRAYS

_MAX_MESSAGE = 4000
"""Characters of a message: a message must not be as long as the request that it quotes."""

_TYPES = {
    HTTPStatus.BAD_REQUEST: "BadRequest",
    HTTPStatus.UNAUTHORIZED: "Unauthorized",
    HTTPStatus.FORBIDDEN: "Forbidden",
    HTTPStatus.NOT_FOUND: "ResourceNotFound",
    HTTPStatus.METHOD_NOT_ALLOWED: "MethodNotAllowed",
    HTTPStatus.REQUEST_TIMEOUT: "RequestTimeout",
    HTTPStatus.CONFLICT: "Conflict",
    HTTPStatus.GONE: "Gone",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "RequestTooLarge",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "UnsupportedMediaType",
    HTTPStatus.LOCKED: "Locked",
    HTTPStatus.INTERNAL_SERVER_ERROR: "InternalServerError",
    HTTPStatus.SERVICE_UNAVAILABLE: "ServiceUnavailable",
    HTTPStatus.GATEWAY_TIMEOUT: "GatewayTimeout",
}

_STATUSES: dict[type[ControllerError], HTTPStatus] = {
    DeviceAwayError: HTTPStatus.SERVICE_UNAVAILABLE,
    NotOfferedError: HTTPStatus.SERVICE_UNAVAILABLE,
    OdaFailedError: HTTPStatus.SERVICE_UNAVAILABLE,
    DeviceTimeoutError: HTTPStatus.GATEWAY_TIMEOUT,
    DeviceLockedError: HTTPStatus.LOCKED,
    InvalidRequestError: HTTPStatus.BAD_REQUEST,
    NotFoundError: HTTPStatus.NOT_FOUND,
    NotKeptError: HTTPStatus.GONE,
    NotPermittedError: HTTPStatus.FORBIDDEN,
    RequestRejectedError: HTTPStatus.CONFLICT,
}


class ErrorBody(BaseModel):
    """Body of the answer to every refusal and every failure."""

    error: str = Field(description="HTTP status and its meaning", examples=["404 Not Found"])
    type: str = Field(description="kind of error, for programs", examples=["ResourceNotFound"])
    Message: str = Field(
        description="what happened and what to do, for people",
        examples=["No information available for PID=4"],
    )


def error_body(status: int, message: str, kind: str | None = None) -> ErrorBody:
    """Return the body of an error.

    :param status: HTTP status
    :param message: what happened and what to do
    :param kind: kind of error for programs; by default, it follows from the status
    """
    status = HTTPStatus(status)
    kind = kind or _TYPES.get(status, status.phrase.title().replace(" ", ""))
    if len(message) > _MAX_MESSAGE:
        message = f"{message[:_MAX_MESSAGE]}…"
    return ErrorBody(error=f"{status.value} {status.phrase}", type=kind, Message=message)


def error_response(
    status: int, message: str, kind: str | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return the answer that reports an error.

    :param status: HTTP status
    :param message: what happened and what to do
    :param kind: kind of error for programs; by default, it follows from the status
    :param headers: headers to add
    """
    return JSONResponse(error_body(status, message, kind).model_dump(), status, headers)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI description of errors.

    :param statuses: HTTP statuses that a path can answer; 423 is added where a device answers requests
    """
    if HTTPStatus.GATEWAY_TIMEOUT in statuses:
        statuses = (*sorted({*statuses, HTTPStatus.LOCKED}),)
    return {status: {"model": ErrorBody, "description": HTTPStatus(status).phrase} for status in statuses}


def location_of_new() -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI description of an answer 201, in addition to its body."""
    location = {"description": "address of what was made", "schema": {"type": "string"}}
    return {HTTPStatus.CREATED.value: {"headers": {"Location": location}}}


def install(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Answer every exception of an application with the same body.

    :param app: the application
    :param routes: its routes, with their full paths
    """
    on_http_error = partial(_on_http_error, routes)
    app.add_exception_handler(ControllerError, _on_controller_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(Exception, _on_failure)


def _on_controller_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ControllerError)  # noqa: S101
    status = next(
        (status for kind, status in _STATUSES.items() if isinstance(error, kind)),
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )
    # The device describes a fault of a request better than the status does.
    own_kind = status is HTTPStatus.BAD_REQUEST and error.reason.startswith("OET_")
    return error_response(status, str(error), error.reason.removeprefix("OET_") if own_kind else None)


def _on_invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    if any(item["loc"][0] == "path" for item in error.errors()):
        return error_response(HTTPStatus.NOT_FOUND, _no_resource(request))
    if any(item["loc"] == ("body",) and item["type"] == "missing" for item in error.errors()):
        return error_response(HTTPStatus.BAD_REQUEST, "The request has no body: send JSON.")
    # A location begins with the part of the request, e.g. "body".
    wrong = explain_items({**item, "loc": item["loc"][1:]} for item in error.errors())
    return error_response(HTTPStatus.BAD_REQUEST, wrong)


def _on_http_error(routes: Sequence[BaseRoute], request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    message, headers = str(error.detail), dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(allowed_methods(routes, request.scope))
        message = f"{request.method} is not possible here, but {headers['Allow']}."
    elif error.status_code == HTTPStatus.NOT_FOUND and "endpoint" not in request.scope:
        message = _no_resource(request)
    return error_response(error.status_code, message, headers=headers)


def _on_failure(request: Request, _: Exception) -> JSONResponse:
    message = f"{request.method} {request.url.path} failed because of a fault in the service: see its log."
    return error_response(HTTPStatus.INTERNAL_SERVER_ERROR, message)


def _no_resource(request: Request) -> str:
    site_root = request.scope.get(SITE_ROOT, "")
    beyond = request.scope["path"].removeprefix(site_root)
    if beyond.startswith(f"{SUBARRAYS}/") and request.scope["root_path"] == site_root:
        devices: Mapping[int, str] = request.app.settings.devices
        known = ", ".join(f"{number} ({device})" for number, device in devices.items())
        return f"There is no subarray {beyond.split('/')[2]!r} here. The subarrays are: {known}."
    return f"There is no resource {request.url.path}: see the description of the API."
