"""``/subarrays/stream``: the events of all controllers in one stream.

A browser opens at most six connections to a service over HTTP/1.1, for all its windows together. A page with
one for each controller would have none left for its requests.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import ExitStack
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from .errors import responses
from .events import number_of
from .ring import FallenBehindError
from .service import GatewayDependency, Service
from .settings import API
from .sse import SseResponse
from .stream import Progress

router = APIRouter(prefix=API, tags=["Events"])

_POSITION = re.compile(r"(?P<subarray>[1-9]\d{0,8}):(?P<number>\d{1,18})\Z", re.ASCII)

_STREAM = {
    "description": "server-sent events. An `event: subarray` has the number of a subarray as its `data:`: "
    "the events and comments after it are those of `/stream` of that subarray. An `event: available` says "
    "whether its controller answers: its `data:` is `true` or `false`. An `event: newest` has the number of "
    "the newest event when the stream began",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}


@router.get(
    "/subarrays/stream",
    response_class=Response,
    responses={HTTPStatus.OK.value: _STREAM, **responses(400, 403)},
    summary="Listen to the events of all controllers",
)
async def listen_to_all(
    request: Request,
    gateway: GatewayDependency,
    after: Annotated[
        list[str] | None,
        Query(
            description="`N:EVENT` for each subarray whose events are known up to a number: all after it are "
            "sent, then new ones",
            examples=[["1:120"]],
        ),
    ] = None,
    past: Annotated[
        int,
        Query(ge=0, le=10_000, description="how many past events to begin with where none is known"),
    ] = 0,
) -> Response:
    """Stream the events of all controllers as they happen, for as long as the client listens.

    Each event has the number that it has in the stream of its controller.
    """
    return AllEventsResponse(gateway.chosen(request.scope), _positions(after or []), past)


def _positions(texts: list[str]) -> dict[int, int | None]:
    positions: dict[int, int | None] = {}
    for text in texts:
        if (match := _POSITION.match(text)) is None:
            raise HTTPException(
                HTTPStatus.BAD_REQUEST,
                f"after: {text!r} is not N:EVENT, the number of a subarray and that of an event, e.g. 1:120",
            )
        positions[int(match["subarray"])] = number_of(match["number"])
    return positions


class AllEventsResponse(SseResponse):
    """Sends the events of several controllers until the client leaves, or falls too far behind for one.

    :param services: of the controllers, by the numbers of their subarrays
    :param positions: number of the last event that the client knows, by the number of the subarray
    :param past: how many past events to begin with, where the client knows none
    """

    def __init__(
        self, services: Mapping[int, Service], positions: Mapping[int, int | None], past: int
    ) -> None:
        self._services = services
        progress = {
            number: Progress(service.events, positions.get(number), past)
            for number, service in services.items()
        }
        super().__init__(_merged(services, progress), [each.fall_behind for each in progress.values()])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream."""
        with ExitStack() as counted:
            for service in self._services.values():
                counted.enter_context(service.events.counted())
            await super().__call__(scope, receive, send)

    def take_note(self, failure: Exception) -> None:
        """Record the reason for the end of the stream."""
        if isinstance(failure, FallenBehindError):
            next(iter(self._services.values())).events.dropped(str(failure))
        else:
            super().take_note(failure)


async def _merged(services: Mapping[int, Service], progress: Mapping[int, Progress]) -> AsyncGenerator[bytes]:
    """Yield what the streams of all controllers send, in parts that each begin with the subarray's number."""
    # One part: a source continues when its last part is being sent.
    parts: asyncio.Queue[tuple[int, bytes] | None] = asyncio.Queue(1)

    async def bring(number: int, source: AsyncIterator[bytes]) -> None:
        async for data in source:
            await parts.put((number, data))

    async def bring_all() -> None:
        try:
            async with asyncio.TaskGroup() as sources:
                for number, service in services.items():
                    sources.create_task(bring(number, _availability(service)))
                    sources.create_task(bring(number, _events(service, progress[number])))
        finally:
            await parts.put(None)

    bringing = asyncio.create_task(bring_all(), name="events of all controllers")
    current = 0
    try:
        yield b"\n"
        while (part := await parts.get()) is not None:
            number, data = part
            if number != current:
                current = number
                data = _field("subarray", str(number)) + data
            yield data
        await bringing
    finally:
        bringing.cancel()


async def _events(service: Service, progress: Progress) -> AsyncIterator[bytes]:
    if service.feed.epoch is not None:
        yield _field("newest", str(service.feed.epoch.ring.next - 1))
    if place := progress.place():
        yield place
    async for data in progress.chunks():
        yield data


async def _availability(service: Service) -> AsyncIterator[bytes]:
    """Yield whether a controller answers, now and whenever that changes."""
    feed, known = service.feed, None
    while not feed.closing:
        if feed.connected is not known:
            known = feed.connected
            yield _field("available", "true" if known else "false")
        else:
            await feed.wait_for_connection(known)


def _field(name: str, data: str) -> bytes:
    return f"event:{name}\ndata:{data}\n\n".encode()
