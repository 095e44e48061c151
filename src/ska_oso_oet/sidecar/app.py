"""The application of `oet-sidecar`."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from ska_oso_oet import __version__

from . import (
    activities,
    all_events,
    control_page,
    description,
    errors,
    events,
    export,
    files,
    history,
    observing_queue,
    operation,
    operator_talk,
    output,
    probes,
    procedures,
    scheduling_blocks,
    scripts,
    session,
    subarrays,
)
from .access_log import AccessLogMiddleware
from .connections import Connections, CrowdMiddleware
from .identity import Access
from .methods import MethodMiddleware
from .middleware import AccessMiddleware, BodyMiddleware, EndMiddleware, HostMiddleware, PathMiddleware
from .security_headers import SecurityHeadersMiddleware
from .service import running_gateway
from .settings import Settings
from .tracing import TraceMiddleware

_SUMMARY = """Runs observing scripts, each in a process of its own.

Every error is answered with the same body: `error`, `type` and `Message`. Paths are also served below
`/api/v1`, and with a slash at their end.

A service may serve several controllers, one for each subarray: all paths are also served below
`/subarrays/{subarray_id}`, for the controller of that subarray. Without that they are those of the first
controller. `GET /api/v1.0/subarrays` lists the controllers."""


class SidecarApp(FastAPI):
    """REST and server-sent events for OETControllers.

    :param settings: its settings
    :param connections: the connections that it is served on
    """

    def __init__(self, settings: Settings, connections: Connections | None = None) -> None:
        super().__init__(
            title="Observation Execution Tool",
            version=__version__,
            description=_SUMMARY,
            openapi_url=None,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            # Generators of clients name their methods by this.
            generate_unique_id_function=lambda route: route.name,
            lifespan=_lifespan,
        )
        self.settings = settings
        self.access = Access(settings.token, settings.private, settings.named_tokens, settings.proxies)
        self.connections = connections or Connections()
        parts = (
            procedures,
            history,
            output,
            files,
            export,
            activities,
            scheduling_blocks,
            scripts,
            observing_queue,
            operator_talk,
            events,
            all_events,
            operation,
            subarrays,
            session,
            description,
            probes,
            control_page,
        )
        for part in parts:
            self.include_router(part.router)
        routes = [route for part in parts for route in part.router.routes]
        errors.install(self, routes)
        # The middleware that is added last handles a request first.
        self.add_middleware(BodyMiddleware, limit=settings.max_body, timeout=settings.body_timeout)
        self.add_middleware(MethodMiddleware, routes=routes)
        self.add_middleware(AccessMiddleware, access=self.access)
        self.add_middleware(CrowdMiddleware, connections=self.connections)
        self.add_middleware(PathMiddleware, root_path=settings.root_path, devices=settings.devices)
        self.add_middleware(HostMiddleware, names=settings.hosts)
        self.add_middleware(EndMiddleware)
        self.add_middleware(SecurityHeadersMiddleware)
        self.add_middleware(AccessLogMiddleware)
        self.add_middleware(TraceMiddleware)

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI description of the actual answers."""
        if self.openapi_schema is None:
            self.openapi_schema = description.describe(self, self.settings)
        return self.openapi_schema


def openapi_text() -> str:
    """Return the OpenAPI description of a service that needs no token, as ``openapi.json`` has it."""
    return json.dumps(SidecarApp(Settings()).openapi(), indent=2, ensure_ascii=False) + "\n"


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    assert isinstance(app, SidecarApp)  # noqa: S101
    async with running_gateway(app.settings) as gateway:
        app.state.gateway = gateway
        yield
