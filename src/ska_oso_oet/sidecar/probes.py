"""``/healthz``, ``/readyz`` and ``/metrics``: for whoever keeps the service running."""

from http import HTTPStatus

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response

from .errors import responses
from .service import ServiceDependency

router = APIRouter(tags=["Operation"])


class Health(BaseModel):
    """What a probe is told."""

    status: str


@router.get("/healthz", summary="Is the service alive?")
async def healthz() -> Health:
    """Answer, whatever is the matter with the controller."""
    return Health(status="alive")


@router.get("/readyz", responses=responses(503, 504), summary="Can the service do its work?")
async def readyz(service: ServiceDependency) -> Health:
    """Answer 200 if the controller does, and if a stream that is opened now misses nothing of its events."""
    await service.controller.ping()
    if service.feed.epoch is None or not service.feed.connected:
        raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "The controller's events do not come here yet.")
    return Health(status="ready")


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    summary="Figures for Prometheus",
)
async def metrics(service: ServiceDependency) -> Response:
    """Return procedures by state, events, streams, and how long Tango calls take."""
    text = await service.metrics.expose(service.controller, service.settings.figures_timeout)
    return Response(text, media_type=CONTENT_TYPE_LATEST)
