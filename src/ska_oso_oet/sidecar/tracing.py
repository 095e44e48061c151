"""Spans of the requests to this service."""

import re
import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ska_oso_oet import traces

TRACE = "oet.trace"
"""Key of a request's scope: the place of the request in its trace; absent where no spans are exported."""

HEADER = "traceparent"

_ROUTINE = ("/healthz", "/readyz", "/metrics")
"""Paths that are requested every few seconds: without a fault, they have no spans."""

_NUMBER = re.compile(r"/\d+(?=/|\Z)")
_SEGMENTS = 6
_ERROR, _FAULT = 400, 500


class TraceMiddleware:
    """Creates a span for each request, in the trace that its client names, else in a new one.

    :param app: the application
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http" or not traces.is_on():
            await self._app(scope, receive, send)
            return
        entered = traces.enter(traces.TraceParent.read(Headers(scope=scope).get(HEADER)))
        began, status = time.time(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope if entered is None else {**scope, TRACE: entered.place}, receive, watched)
        finally:
            if entered is not None and not (scope["path"].endswith(_ROUTINE) and 0 < status < _ERROR):
                traces.record(_span(scope, entered, began, status))


def _span(scope: Scope, entered: traces.Entered, began: float, status: int) -> traces.Span:
    method, path = scope["method"], scope["path"]
    # Names of spans have neither numbers nor the paths of files, so that they can be counted together.
    name = "/".join(_NUMBER.sub("/{number}", path).split("/")[:_SEGMENTS])
    failure = None if 0 < status < _FAULT else f"status {status}" if status else "no answer"
    return traces.Span(
        f"{method} {name}",
        entered.place,
        entered.parent,
        began,
        time.time(),
        attributes={
            "http.request.method": method,
            "url.path": path,
            "http.response.status_code": status or None,
        },
        failure=failure,
    )
