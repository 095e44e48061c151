"""``/queue``: the observing queue."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field, StrictBool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from ska_oso_oet.client import Controller
from ska_oso_oet.model import (
    ENTRIES_SHOWN,
    MAX_BATCH,
    EntryChanges,
    EntryRequest,
    Model,
    Position,
    Queue,
    QueueAddRequest,
    QueueClearRequest,
    QueueEntries,
    QueueEntry,
    QueueMoveRequest,
    QueueQuery,
    QueueRemoveRequest,
    QueueStartRequest,
    QueueStopRequest,
    QueueUpdateRequest,
)

from .clients import on_behalf_of
from .errors import responses
from .json_route import JsonRoute
from .service import ControllerDependency
from .settings import API

router = APIRouter(prefix=API, route_class=JsonRoute, tags=["Queue"])

_LAST_ID = (1 << 63) - 1

_ERRORS = (400, 403, 404, 408, 409, 413, 415, 500, 503, 504)


class QueueUpdate(Model):
    """Requested state of the queue."""

    state: Literal["RUNNING", "STOPPED"] = Field(
        description="RUNNING to run the entries one after the other, STOPPED to begin no further one"
    )
    now: StrictBool = Field(default=False, description="with STOPPED: stop the entry that runs, too")


class EntryUpdate(EntryChanges):
    """Changes of an entry. Fields that are not given are unchanged."""

    position: Position | None = Field(default=None, description="where it is moved; null to leave it there")


@router.get(
    "/queue",
    response_model=Queue,
    responses=responses(400, 403, 404, 500, 503, 504),
    summary="Show the queue",
)
async def show_queue(
    controller: ControllerDependency,
    after: Annotated[
        int | None, Query(ge=1, le=_LAST_ID, description="the entry behind which to begin")
    ] = None,
    limit: Annotated[
        int, Query(ge=1, le=MAX_BATCH, description="how many that have not ended, at most")
    ] = ENTRIES_SHOWN,
) -> Response:
    """Return the state of the queue, why it is in that state, and entries, page by page.

    Entries that have ended lately are the first, the others follow in the order in which they are run, with
    estimates from earlier runs of the same script or activity. Read on with the number in `next` as `after`,
    until that is null.
    """
    query = QueueQuery(after=after, limit=limit)
    return Response(await controller.queue.page_json(query), media_type="application/json")


@router.get(
    "/queue/{entry}",
    response_model=QueueEntry,
    responses=responses(403, 404, 500, 503, 504),
    summary="Show an entry of the queue",
)
async def show_entry(entry: int, controller: ControllerDependency) -> QueueEntry:
    """Return an entry with all of its request, also one that has ended and is still kept."""
    return await controller.queue.entry(_known(entry))


@router.post(
    "/queue",
    response_model=QueueEntries,
    status_code=HTTPStatus.CREATED,
    responses=responses(*_ERRORS),
    summary="Add entries to the queue",
)
async def add_to_queue(
    body: QueueAddRequest, request: Request, controller: ControllerDependency
) -> JSONResponse:
    """Add entries, all or none: one, or several as `entries`.

    Scripts and arguments are checked as far as they are known before they are run.
    """
    entries = await controller.queue.add(on_behalf_of(request, body))
    return _entries(entries, HTTPStatus.CREATED)


@router.put("/queue", response_model=Queue, responses=responses(*_ERRORS), summary="Start or stop the queue")
async def update_queue(body: QueueUpdate, request: Request, controller: ControllerDependency) -> Response:
    """Run the entries of the queue, or begin no further one."""
    if body.state == "RUNNING":
        await controller.queue.start(on_behalf_of(request, QueueStartRequest()))
    else:
        await controller.queue.stop(on_behalf_of(request, QueueStopRequest(now=body.now)))
    return await _queue(controller)


@router.delete(
    "/queue",
    response_model=QueueEntries,
    responses=responses(403, 409, 500, 503, 504),
    summary="Remove all entries that have not begun",
)
async def clear_queue(request: Request, controller: ControllerDependency) -> JSONResponse:
    """Remove all entries that have not begun, and return them."""
    return _entries(await controller.queue.clear(on_behalf_of(request, QueueClearRequest())))


@router.put(
    "/queue/{entry}",
    response_model=QueueEntries,
    responses=responses(*_ERRORS),
    summary="Change or move an entry of the queue",
)
async def update_entry(
    entry: int, body: EntryUpdate, request: Request, controller: ControllerDependency
) -> JSONResponse:
    """Change what an entry is to run, or when, and move it. It must not have begun."""
    changes = {name: getattr(body, name) for name in body.model_fields_set & EntryRequest.model_fields.keys()}
    changed: list[QueueEntry] = []
    if changes:
        update = QueueUpdateRequest(id=_known(entry), **changes)
        changed = await controller.queue.update(on_behalf_of(request, update))
    if body.position is not None:
        move = QueueMoveRequest(id=_known(entry), position=body.position)
        changed = await controller.queue.move(on_behalf_of(request, move))
    if not changed:
        raise HTTPException(
            HTTPStatus.BAD_REQUEST, "Nothing is to be changed: give a field, e.g. 'position'."
        )
    return _entries(changed)


@router.delete(
    "/queue/{entry}",
    response_model=QueueEntries,
    responses=responses(403, 404, 409, 500, 503, 504),
    summary="Remove an entry of the queue",
)
async def remove_entry(entry: int, request: Request, controller: ControllerDependency) -> JSONResponse:
    """Remove an entry that has not begun, and return it."""
    removal = on_behalf_of(request, QueueRemoveRequest(id=_known(entry)))
    return _entries(await controller.queue.remove(removal))


def _known(entry: int) -> int:
    """Return the ID of an entry, if it can be one."""
    if not 1 <= entry <= _LAST_ID:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"entry {entry} is not in the queue")
    return entry


async def _queue(controller: Controller) -> Response:
    return Response(await controller.queue.read_json(), media_type="application/json")


def _entries(entries: list[QueueEntry], status: HTTPStatus = HTTPStatus.OK) -> JSONResponse:
    return JSONResponse(QueueEntries(entries=entries).model_dump(mode="json"), status)
