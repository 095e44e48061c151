"""``/procedures/{id}/files`` and ``/environment``: files of a procedure, and its Python environment."""

from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path
from starlette.responses import Response, StreamingResponse

from ska_oso_oet.model import FileList, PythonEnvironment

from .errors import responses
from .json_route import JsonRoute
from .procedures import PROCEDURES, ProcedureId
from .service import ControllerDependency
from .settings import API

router = APIRouter(prefix=API, route_class=JsonRoute, tags=["Procedures"])

_ANY_DATA = "application/octet-stream"
_SHOWN = {
    ".csv": "text/csv; charset=utf-8",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".log": "text/plain; charset=utf-8",
    ".png": "image/png",
    ".txt": "text/plain; charset=utf-8",
    ".webp": "image/webp",
}
"""Content types that a browser may show: none that could contain a program."""

_CONTENT: dict[str, Any] = {
    "description": "the content of the file; images and texts with their type, anything else as octets",
    "content": {type_.partition(";")[0]: {"schema": {}} for type_ in (_ANY_DATA, *_SHOWN.values())},
}


@router.get(
    "/procedures/{procedure_id}/files",
    responses=responses(403, 404, 500, 503, 504),
    summary="List the files of a procedure",
)
async def list_files(procedure_id: ProcedureId, controller: ControllerDependency) -> FileList:
    """Return the files in the working directory of a script, or those that it has left there."""
    PROCEDURES.check(procedure_id)
    return await controller.records.files(procedure_id)


@router.get(
    "/procedures/{procedure_id}/files/{name:path}",
    response_class=Response,
    responses={HTTPStatus.OK.value: _CONTENT, **responses(403, 404, 410, 500, 503, 504)},
    summary="Read a file of a procedure",
)
async def get_file(
    procedure_id: ProcedureId,
    name: Annotated[str, Path(description="path within the working directory", max_length=4096)],
    controller: ControllerDependency,
) -> Response:
    """Return a file from the working directory of a script.

    If a file is being written, its content at the time of the request is returned.
    """
    PROCEDURES.check(procedure_id)
    sizes = {file.name: file.size for file in (await controller.records.files(procedure_id)).files}
    parts = await controller.records.file(procedure_id, name, sizes.get(name))
    type_ = _SHOWN.get(PurePosixPath(name).suffix.lower(), _ANY_DATA)
    disposition = "attachment" if type_ == _ANY_DATA else "inline"
    headers = {
        "Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(PurePosixPath(name).name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(parts, headers=headers, media_type=type_)


@router.get(
    "/procedures/{procedure_id}/environment",
    responses=responses(403, 404, 410, 500, 503, 504),
    summary="Describe the Python environment of a procedure",
)
async def get_environment(procedure_id: ProcedureId, controller: ControllerDependency) -> PythonEnvironment:
    """Return the version of Python, and the packages that the script could import."""
    PROCEDURES.check(procedure_id)
    return await controller.records.environment(procedure_id)
