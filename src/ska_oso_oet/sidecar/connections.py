"""Limit of the sidecar's connections, so that descriptors remain for those that must be answered.

A process without free descriptors cannot even refuse a connection. So the service refuses requests while it
still has some: beyond its capacity it answers probes alone, and beyond the reserve for those, connections on
which there is no request are closed, the oldest first.
"""

import asyncio
import logging
import resource
import time
from http import HTTPStatus
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

from .access_log import ACCESS, ROUTINE
from .errors import error_response

LOGGER = logging.getLogger(__name__)

PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Paths that are answered for any number of connections."""

_RESERVE: Final = 16
"""Connections beyond the capacity, for probes and refusals."""

_OWN: Final = 48
_OWN_PER_CONTROLLER: Final = 16
"""Descriptors for the process itself and its Tango clients, for temporary files and logs."""

_LEAST: Final = 8
_LOG_INTERVAL: Final = 60.0
_RETRY_AFTER_S: Final = 5


def capacity(controllers: int) -> int:
    """Return the number of connections that this process can serve, by its limit of descriptors.

    :param controllers: how many controllers it serves
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        limit = 1 << 20
    return max(_LEAST, limit - _OWN - _OWN_PER_CONTROLLER * controllers - _RESERVE)


class Connections:
    """The connections of a service. Belongs to its event loop.

    :param capacity: how many are served; None for any number
    """

    def __init__(self, capacity: int | None = None) -> None:
        self._capacity = capacity
        self._open: set[asyncio.Transport] = set()
        self._idle: dict[asyncio.Transport, None] = {}
        self._log = RareLog()

    @property
    def crowded(self) -> bool:
        """Whether there are more than can be served."""
        return self._capacity is not None and len(self._open) > self._capacity

    def opened(self, connection: asyncio.Transport) -> None:
        """Add a new connection, which has no request yet."""
        self._open.add(connection)
        if self.crowded and self._capacity is not None:
            self._log.warning(
                "There are %d connections: all requests except probes are refused until some are closed. "
                "Allow more "
                "open files (ulimit -n) if these are wanted",
                len(self._open),
            )
            if self._idle:
                next(iter(self._idle)).abort()
            elif len(self._open) > self._capacity + _RESERVE:
                connection.abort()
        self.rested(connection)

    def busy(self, connection: asyncio.Transport) -> None:
        """A request has begun."""
        self._idle.pop(connection, None)

    def rested(self, connection: asyncio.Transport) -> None:
        """A request has been answered, and another may follow."""
        if connection in self._open and not connection.is_closing():
            self._idle[connection] = None

    def closed(self, connection: asyncio.Transport) -> None:
        """Remove a connection."""
        self._open.discard(connection)
        self._idle.pop(connection, None)


class CrowdMiddleware:
    """Refuses requests while there are too many connections, except those of probes.

    :param app: the application, which handles the other requests
    :param connections: the connections of the service
    """

    def __init__(self, app: ASGIApp, connections: Connections) -> None:
        self._app = app
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http" and self._connections.crowded:
            path = scope["path"].removeprefix(scope["root_path"])
            if path not in PROBES:
                # Clients may come back thousands of times: their number is logged, once in a while.
                scope.get(ACCESS, {})[ROUTINE] = True
                await _refusal()(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _refusal() -> ASGIApp:
    return error_response(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"The service has as many connections as it can serve. Try again in {_RETRY_AFTER_S} s.",
        headers={"Connection": "close", "Retry-After": str(_RETRY_AFTER_S)},
    )


class RareLog:
    """A log with at most one message a minute: frequent faults must not fill a disk."""

    def __init__(self) -> None:
        self._last = -_LOG_INTERVAL

    def warning(self, message: str, *args: object) -> None:
        """Log a warning, unless there was one in the last minute."""
        now = time.monotonic()
        if now >= self._last + _LOG_INTERVAL:
            self._last = now
            LOGGER.warning(message, *args)


class LoopFaults:
    """Handles exceptions of an event loop: those of a system without descriptors are logged rarely."""

    def __init__(self) -> None:
        self._log = RareLog()

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log an exception."""
        if isinstance(context.get("exception"), OSError) and "socket" in context:
            self._log.warning("Connections cannot be accepted at present: %s", context["exception"])
        else:
            loop.default_exception_handler(context)
