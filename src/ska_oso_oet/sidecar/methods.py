"""The methods HEAD and OPTIONS for all resources."""

from collections.abc import Sequence
from http import HTTPStatus

from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def allowed_methods(routes: Sequence[BaseRoute], scope: Scope) -> list[str]:
    """Return the methods that the resource of a request has, sorted; none if there is no such resource.

    :param routes: of the application, with their full paths; each method has one of its own
    :param scope: of the request
    """
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    methods = {
        method
        for route in routes
        if isinstance(route, Route) and route.path_regex.match(path)
        for method in route.methods or ()
    }
    if "GET" in methods:
        methods.add("HEAD")
    return sorted(methods | {"OPTIONS"}) if methods else []


class MethodMiddleware:
    """Answers HEAD like GET, without the body, and OPTIONS with the possible methods.

    Source: RFC 9110, 9.3.2 and 9.3.7.

    :param app: the application, which handles neither
    :param routes: of the application, with their full paths
    """

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        method = scope.get("method")
        if method == "HEAD":
            await self._app({**scope, "method": "GET"}, receive, _without_body(send))
        elif method == "OPTIONS" and (allowed := allowed_methods(self._routes, scope)):
            answer = Response(status_code=HTTPStatus.NO_CONTENT, headers={"Allow": ", ".join(allowed)})
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _without_body(send: Send) -> Send:
    async def send_head(message: Message) -> None:
        # The answer is complete with its head: a stream ends as after a disconnection.
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return send_head
