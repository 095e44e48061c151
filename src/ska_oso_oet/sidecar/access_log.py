"""The access log: one line for each request, refused ones included."""

import logging
import time
from urllib.parse import unquote

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ska_oso_oet import logs

from .clients import requester_of
from .service import SUBARRAY

ACCESS = "oet.access"
"""Key of a request's scope: a dictionary for facts about the request that middleware finds."""

ROUTINE = "oet.access.routine"
"""Key in that dictionary: set where a request is to be logged for debugging only."""

_LONGEST_PATH = 300
_ROUTINE = ("/healthz", "/readyz", "/metrics")
"""Paths that are requested every few seconds: without a fault, they are logged for debugging only."""

_ERROR, _FAULT = 400, 500
_REFUSED = frozenset({401, 403})


class AccessLogMiddleware:
    """Logs the requester, the answer and the duration of each request.

    Tokens are never logged: headers are not logged. The line of a stream comes at its end.

    :param app: the application
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0
        found: dict[str, object] = {}

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app({**scope, ACCESS: found}, receive, watched)
        finally:
            _log({**scope, **found}, status, time.perf_counter() - began)


def _log(scope: Scope, status: int, seconds: float) -> None:
    requester = requester_of(Request(scope))
    path = _shown(scope["path"])
    routine = ROUTINE in scope or (path.rstrip("/").endswith(_ROUTINE) and status < _ERROR)
    logs.log(
        logging.DEBUG if routine else _level(status),
        f"{scope['method']} {path} by {requester} -> {status or 'no answer'} in {1000 * seconds:.1f} ms",
        user=requester.user,
        host=requester.host,
        subarray=scope.get(SUBARRAY),
        status=status,
    )


def _level(status: int) -> int:
    if status in _REFUSED:
        return logging.WARNING
    return logging.ERROR if status == _FAULT else logging.INFO


def _shown(path: str) -> str:
    """Return a path in one line of bounded length."""
    text = unquote(path)[:_LONGEST_PATH]
    return "".join(each if each.isprintable() else "?" for each in text)
