"""The description of the API: OpenAPI, and a page to try it with."""

from functools import cache
from http import HTTPStatus
from importlib import resources
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response

from .middleware import is_open
from .security_headers import POLICY_HEADER, page_policy
from .service import gateway_of
from .settings import API, SUBARRAYS, Settings

router = APIRouter(prefix=API, include_in_schema=False)

_ASSETS = "fastapi_swagger.resources"
"""Package that ships Swagger UI, so that the page needs nothing from the internet."""

_MEDIA_TYPES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}

_SERVERS = [
    {"url": "/", "description": "the first controller"},
    {
        "url": f"{SUBARRAYS}/{{subarray_id}}",
        "description": "the controller of a subarray",
        "variables": {"subarray_id": {"default": "1", "description": "as GET /api/v1.0/subarrays lists it"}},
    },
]


def _error(status: HTTPStatus) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}
    return {"description": status.phrase, "content": content}


@router.get("/openapi.json")
async def openapi(request: Request) -> JSONResponse:
    """Return the OpenAPI description of this service."""
    root = request.scope["root_path"]
    servers = [{"url": root or "/"}]
    services = gateway_of(request).chosen(request.scope)
    if len(services) > 1:
        servers += [
            {"url": f"{root}{SUBARRAYS}/{number}", "description": service.controller.device}
            for number, service in services.items()
        ]
    return JSONResponse({**request.app.openapi(), "servers": servers})


@router.get("/ui")
async def swagger_ui(request: Request) -> HTMLResponse:
    """Return a page that shows the description, and lets people try it."""
    base = f"{request.scope.get('root_path', '')}{API}"
    page = get_swagger_ui_html(
        openapi_url=f"{base}/openapi.json",
        title=request.app.title,
        swagger_js_url=f"{base}/ui/swagger-ui-bundle.js",
        swagger_css_url=f"{base}/ui/swagger-ui.css",
        swagger_favicon_url=f"{base}/ui/favicon-32x32.png",
    )
    page.headers[POLICY_HEADER] = page_policy(bytes(page.body))
    return page


@router.get("/ui/{name}")
async def swagger_ui_asset(name: str) -> Response:
    """Return a part of that page."""
    if name not in _MEDIA_TYPES:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"The page has no part {name}.")
    return Response(_asset(name), media_type=_MEDIA_TYPES[name], headers={"Cache-Control": "max-age=86400"})


@cache
def _asset(name: str) -> bytes:
    return resources.files(_ASSETS).joinpath(name).read_bytes()


def describe(app: FastAPI, settings: Settings) -> dict[str, Any]:
    """Return the OpenAPI description of the actual answers.

    :param app: the application
    :param settings: its settings
    """
    schema = FastAPI.openapi(app) | {"servers": _SERVERS}
    # FastAPI adds its answers to invalid requests; this service answers 400, or 404 for an ID.
    for name in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(name, None)
    if settings.is_protected:
        schema["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            operation["responses"].pop("422", None)
            # Any request may be sent to a name that the service is not known by.
            operation["responses"].setdefault("403", _error(HTTPStatus.FORBIDDEN))
            if _needs_token(settings, method, path):
                operation["security"] = [{"token": []}]
                operation["responses"]["401"] = _error(HTTPStatus.UNAUTHORIZED)
    return schema


def _needs_token(settings: Settings, method: str, path: str) -> bool:
    if not settings.is_protected or is_open(path):
        return False
    return method != "get" or settings.private
