"""``/healthz``, ``/readyz`` and ``/metrics``: for operators and monitoring."""

import asyncio
from http import HTTPStatus

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from .errors import ErrorBody, error_body
from .readiness import ControllerReadiness, look_at_all
from .service import GatewayDependency

router = APIRouter(tags=["Operation"])


_WARNINGS = "what is wrong with the service itself although it works, and what to do"


class Health(BaseModel):
    """Answer that the service is alive."""

    status: str
    warnings: list[str] = Field(description=_WARNINGS)


class Readiness(BaseModel):
    """Answer that the service is ready, with the state of each controller."""

    status: str
    controllers: list[ControllerReadiness]
    warnings: list[str] = Field(description=_WARNINGS)


class Unreadiness(ErrorBody):
    """Answer that the service is not ready, with the reason."""

    controllers: list[ControllerReadiness]
    warnings: list[str] = Field(description=_WARNINGS)


@router.get("/healthz", summary="Is the service alive?")
async def healthz(gateway: GatewayDependency) -> Health:
    """Answer, whatever is the matter with the controllers."""
    return Health(status="alive", warnings=gateway.settings.warnings)


@router.get(
    "/readyz",
    response_model=Readiness,
    responses={503: {"model": Unreadiness, "description": HTTPStatus.SERVICE_UNAVAILABLE.phrase}},
    summary="Can scripts be created and started?",
)
async def readyz(request: Request, gateway: GatewayDependency) -> JSONResponse:
    """Answer 200 if a controller can create and start scripts, and all of its events are received; else 503.

    503 says why: a controller is in FAULT, is switched off by its admin mode, or does not answer. One of
    several controllers that cannot be used does not make the service unready; the answer says which can.
    Below `/subarrays/{subarray_id}` only the controller of that subarray counts.
    """
    found = await look_at_all(gateway.chosen(request.scope), gateway.settings.look_timeout)
    common = {"controllers": found, "warnings": gateway.settings.warnings}
    if any(each.ready for each in found):
        return JSONResponse(Readiness(status="ready", **common).model_dump(mode="json"))
    reasons = " ".join(each.reason for each in found if each.reason is not None)
    refusal = error_body(HTTPStatus.SERVICE_UNAVAILABLE, reasons)
    body = Unreadiness(**refusal.model_dump(), **common)
    return JSONResponse(body.model_dump(mode="json"), HTTPStatus.SERVICE_UNAVAILABLE)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    summary="Figures for Prometheus",
)
async def metrics(gateway: GatewayDependency) -> Response:
    """Return procedures by state, events, streams, and how long Tango calls take, for each controller."""
    timeout = gateway.settings.figures_timeout
    services = gateway.services.values()
    await asyncio.gather(*(service.metrics.look(service, timeout) for service in services))
    return Response(gateway.metrics.expose(), media_type=CONTENT_TYPE_LATEST)
