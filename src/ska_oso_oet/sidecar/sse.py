"""Server-sent events, as answers to requests."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from .clients import until_client_leaves

LOGGER = logging.getLogger(__name__)

_FAREWELL_TIMEOUT = 0.1

CUT = "oet.connection.cut"
"""Name of the ASGI extension that closes a connection at once, without sending the remaining data."""

_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),  # keeps nginx from collecting events
)


class SseResponse(Response):
    """Sends server-sent events until there are no more, or the client leaves.

    :param chunks: the bytes to send; they are read only as fast as the client takes them
    :param guards: run at the same time; the stream ends with the first of them that ends
    """

    media_type = "text/event-stream"

    def __init__(
        self, chunks: AsyncGenerator[bytes], guards: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()
    ) -> None:
        super().__init__()
        self._chunks = chunks
        self._guards = guards

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream."""
        tasks = [
            asyncio.create_task(_send_all(self._chunks, send)),
            asyncio.create_task(until_client_leaves(receive)),
            *(asyncio.create_task(guard()) for guard in self._guards),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            for outcome in outcomes:
                if isinstance(outcome, Exception):
                    self.take_note(outcome)
        try:
            async with asyncio.timeout(_FAREWELL_TIMEOUT):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            # The client does not read. Unsent data would keep the connection open.
            await _cut(scope, receive)

    def take_note(self, failure: Exception) -> None:
        """Record the reason for the end of the stream."""
        LOGGER.error("A stream failed", exc_info=failure)


def comment(text: str) -> bytes:
    """Return a comment, which shows that the stream is alive.

    :param text: its text for people; may be empty
    """
    return f":{' ' if text else ''}{text}\n\n".encode()


async def _send_all(chunks: AsyncGenerator[bytes], send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
    async with aclosing(chunks) as closing:
        async for data in closing:
            await send({"type": "http.response.body", "body": data, "more_body": True})


async def _cut(scope: Scope, receive: Receive) -> None:
    cut = (scope.get("extensions") or {}).get(CUT)
    if cut is not None:
        cut()
        await until_client_leaves(receive)
