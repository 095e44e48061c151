"""``/procedures/{id}/output``: output of a script, to read or to follow."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import JSONResponse, Response

from ska_oso_oet.client import ControllerError, NotFoundError, OutputNotKeptError
from ska_oso_oet.model import Output

from .errors import responses
from .events import number_of
from .json_route import JsonRoute
from .procedures import PROCEDURES, ProcedureId
from .service import Service, ServiceDependency
from .settings import API
from .sse import SseResponse, comment

router = APIRouter(prefix=API, route_class=JsonRoute, tags=["Procedures"])

_READ = 1000
"""Lines that are read at a time for a client that follows."""

_PAUSE = 0.02
"""Seconds between two reads of the output: much output in a moment is sent together."""

_REST = 4
"""Pause between two reads, as a multiple of the duration of a read: it limits the load of the controller."""

_FOLLOWED: dict[str, Any] = {
    "description": "lines that the script has written; as `text/event-stream` all lines to its end, as they "
    "are written: the `data:` of each event is such an object, its `id:` the number of the last line, and "
    "the last event has `ended` set",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}


@router.get(
    "/procedures/{procedure_id}/output",
    response_model=Output,
    responses={HTTPStatus.OK.value: _FOLLOWED, **responses(400, 403, 404, 410, 500, 503, 504)},
    summary="Read or follow the output of a procedure",
)
async def get_output(
    procedure_id: ProcedureId,
    request: Request,
    service: ServiceDependency,
    after: Annotated[int, Query(ge=0, le=(1 << 63) - 1, description="skip this many lines")] = 0,
    limit: Annotated[int, Query(ge=1, le=10_000, description="how many lines at most")] = _READ,
    last_event_id: Annotated[
        str | None, Header(description="number of the last line that is known, to continue a stream")
    ] = None,
) -> Response:
    """Return lines that a script has written to its standard output and error.

    With the header `Accept: text/event-stream` the answer continues until the procedure has ended; `limit` is
    ignored then. Read on with the number in `next` as `after`, until `ended` is true. `dropped` counts lines
    that were asked for and are no longer on disk.
    """
    # An ID that does not exist is 404 here too, and 0 does not mean the last procedure.
    PROCEDURES.check(procedure_id)
    follows = "text/event-stream" in request.headers.get("accept", "")
    if follows:
        after, limit = number_of(last_event_id) or after, _READ
    output = await service.controller.output(procedure_id, after, limit)
    if follows:
        return SseResponse(_follow(service, procedure_id, output))
    return JSONResponse(output.model_dump())


async def _follow(service: Service, procedure_id: int, output: Output) -> AsyncGenerator[bytes]:
    """Yield the output of a procedure as server-sent events, to its end.

    :param service: with the controller that runs it
    :param procedure_id: the procedure
    :param output: the output that was read already
    """
    yield _event(output)
    while not (output.ended or service.feed.closing):
        try:
            async with aclosing(_further(service, procedure_id, output)) as further:
                async for part in further:
                    output = part
                    yield _event(part) if _is_news(part) else comment("")
        except (NotFoundError, OutputNotKeptError) as error:
            yield comment(str(error).partition("\n")[0])
            return
        except ControllerError:
            # At the next event or heartbeat it may be available again.
            yield comment("the controller does not answer; waiting for it")
            await service.feed.wait()


async def _further(service: Service, procedure_id: int, output: Output) -> AsyncGenerator[Output]:
    """Yield the output after some lines; at each heartbeat it may be empty.

    :raises ControllerError: if the controller cannot be asked
    """
    beats = service.feed.beats
    async with service.controller.output_news:
        while not (output.ended or service.feed.closing):
            # Changes between the read and the wait must not be missed.
            news = asyncio.create_task(_news(service))
            try:
                began = asyncio.get_running_loop().time()
                output = await service.controller.output(procedure_id, output.next, _READ)
                rest = _REST * (asyncio.get_running_loop().time() - began)
                if _is_news(output) or beats != service.feed.beats:
                    beats = service.feed.beats
                    yield output
                else:
                    await news
                await asyncio.sleep(max(_PAUSE, rest))
            finally:
                news.cancel()


def _is_news(output: Output) -> bool:
    return bool(output.lines or output.dropped or output.ended)


async def _news(service: Service) -> None:
    """Wait until a procedure may have written output or ended, or a heartbeat is due, or the service ends.

    The controller announces output of the procedure that runs; for one in preparation, its events do.
    """
    written = asyncio.create_task(service.controller.output_news.wait())
    happened = asyncio.create_task(service.feed.wait())
    try:
        await asyncio.wait({written, happened}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        written.cancel()
        happened.cancel()


def _event(output: Output) -> bytes:
    return f"data:{output.model_dump_json()}\nid:{output.next}\n\n".encode()
