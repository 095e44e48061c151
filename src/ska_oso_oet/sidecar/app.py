"""The application: what `oet-sidecar` serves."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from ska_oso_oet import __version__

from . import activities, description, errors, events, probes, procedures
from .methods import MethodMiddleware
from .middleware import BodyMiddleware, EndMiddleware, PathMiddleware, TokenMiddleware
from .service import running_service
from .settings import Settings

_SUMMARY = """Runs observing scripts, each in a process of its own.

Every error is answered with the same body: `error`, `type` and `Message`. Paths are also served below
`/api/v1`, and with a slash at their end."""


class SidecarApp(FastAPI):
    """REST and server-sent events for one OETController.

    :param settings: how to set it up
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            title="Observation Execution Tool",
            version=__version__,
            description=_SUMMARY,
            openapi_url=None,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            # Programs that make a client of the description name its methods by this.
            generate_unique_id_function=lambda route: route.name,
            lifespan=_lifespan,
        )
        self.settings = settings
        parts = (procedures, activities, events, description, probes)
        for part in parts:
            self.include_router(part.router)
        routes = [route for part in parts for route in part.router.routes]
        errors.install(self, routes)
        # The last one that is added sees a request first.
        self.add_middleware(BodyMiddleware, limit=settings.max_body, timeout=settings.body_timeout)
        self.add_middleware(MethodMiddleware, routes=routes)
        if settings.token is not None:
            self.add_middleware(TokenMiddleware, token=settings.token, private=settings.private)
        self.add_middleware(PathMiddleware, root_path=settings.root_path)
        self.add_middleware(EndMiddleware)

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI description of what is really sent."""
        if self.openapi_schema is None:
            self.openapi_schema = description.describe(self, self.settings)
        return self.openapi_schema


def openapi_text() -> str:
    """Return the OpenAPI description of a service that needs no token, as ``openapi.json`` has it."""
    return json.dumps(SidecarApp(Settings()).openapi(), indent=2, ensure_ascii=False) + "\n"


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    assert isinstance(app, SidecarApp)  # noqa: S101
    async with running_service(app.settings) as service:
        app.state.service = service
        yield
