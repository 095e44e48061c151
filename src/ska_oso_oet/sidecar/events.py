"""``/stream``: the events of the controller, as they happen."""

from typing import Annotated

from fastapi import APIRouter, Header
from starlette.responses import Response

from .service import ServiceDependency
from .settings import API
from .stream import EventStreamResponse

router = APIRouter(prefix=API, tags=["Events"])

_MAX_DIGITS = 18

_STREAM = {
    "description": "server-sent events: `data:` is one line of JSON with `topic`, `msg_src`, `seq`, `time` "
    "and what the topic defines, `id:` is its number; there is a comment every 15 s. Events of "
    "`request.procedure.list`, `procedure.pool.list`, `request.activity.list` and `activity.pool.list` have "
    "neither `seq` nor `id:`",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}


@router.get(
    "/stream",
    response_class=Response,
    responses={200: _STREAM},
    summary="Listen to events",
)
async def listen(
    service: ServiceDependency,
    last_event_id: Annotated[
        str | None,
        Header(description="number of the last event that is known: all after it are sent, then new ones"),
    ] = None,
) -> Response:
    """Stream events as they happen, for as long as the client listens.

    A controller that is unavailable does not end the stream: it continues, without a gap, when the controller
    is available again. A client that does not keep up is dropped, and can continue where it was with
    `Last-Event-ID`.

    When a client lists or describes procedures or activities over HTTP, that and the answer are sent to the
    streams that are open: without a number, at most 10 requests and about 1 MiB in a second, and never again.
    """
    return EventStreamResponse(service.events, number_of(last_event_id))


def number_of(text: str | None) -> int | None:
    """Return the number of an event, or None if a client has sent an ID that no event had."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > _MAX_DIGITS:
        return None
    return int(text)
