"""What is done with every request before it is looked at. Plain ASGI, so that streams pass untouched."""

import asyncio
import re
import secrets
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import error_response
from .settings import API, API_ALIAS

_PREFIX = re.compile(r"(/[\w.~-]+)+\Z")

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

ALWAYS_OPEN = frozenset({"/healthz", "/readyz"})
"""Paths of the probes: whoever sends them has no token."""


class EndMiddleware:
    """Answers requests that are still being answered when the service ends.

    :param app: what is cancelled then
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except asyncio.CancelledError:
            if started or scope["type"] != "http":
                raise
            response = error_response(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "The service ends. Whether it did what it was asked for is not known: look, and ask again.",
            )
            await response(scope, receive, send)


class PathMiddleware:
    """Brings the ways of writing a path down to one: without root path, alias and slash at the end.

    :param app: what sees only that one
    :param root_path: path below which an ingress serves this service; an ``X-Forwarded-Prefix`` goes first
    """

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self._app = app
        self._root_path = root_path.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http":
            prefix = Headers(scope=scope).get("x-forwarded-prefix", "").rstrip("/")
            root = prefix if _PREFIX.match(prefix) else self._root_path
            # An ingress may strip the prefix, or leave it.
            path = scope["path"].removeprefix(root) if scope["path"].startswith(f"{root}/") else scope["path"]
            scope = {**scope, "path": root + _canonical(path), "root_path": root}
        await self._app(scope, receive, send)


def _canonical(path: str) -> str:
    if path == API_ALIAS or path.startswith(f"{API_ALIAS}/"):
        path = API + path.removeprefix(API_ALIAS)
    return path.rstrip("/") or "/"


class TokenMiddleware:
    """Lets nobody change anything without the token.

    :param app: what sees requests that may be made
    :param token: the token
    :param private: whether looking needs it, too; probes never do
    """

    def __init__(self, app: ASGIApp, token: str, private: bool) -> None:
        self._app = app
        self._token = token.encode()
        self._private = private

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http" or self._is_open(scope) or self._is_authorized(scope):
            await self._app(scope, receive, send)
            return
        response = error_response(
            HTTPStatus.UNAUTHORIZED,
            "This needs the token of the service, as the header 'Authorization: Bearer <token>'.",
            headers={"WWW-Authenticate": "Bearer"},
        )
        await response(scope, receive, send)

    def _is_open(self, scope: Scope) -> bool:
        path = scope["path"].removeprefix(scope["root_path"])
        return scope["method"] in _SAFE_METHODS and (not self._private or path in ALWAYS_OPEN)

    def _is_authorized(self, scope: Scope) -> bool:
        scheme, _, given = Headers(scope=scope).get("authorization", "").partition(" ")
        # Headers are Latin-1; the comparison takes as long for a good guess as for a bad one.
        matches = secrets.compare_digest(given.strip(" \t").encode("latin-1"), self._token)
        return scheme.lower() == "bearer" and matches


class BodyMiddleware:
    """Bounds the size of requests, and the time that they take to arrive.

    :param app: what reads them
    :param limit: greatest size, in bytes
    :param timeout: seconds that a client may pause
    """

    def __init__(self, app: ASGIApp, limit: int, timeout: float) -> None:
        self._app = app
        self._limit = limit
        self._timeout = timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdigit() or int(announced) > self._limit:
            await self._too_large_response()(scope, receive, send)
            return
        await self._app(scope, self._bounded(receive), send)

    def _bounded(self, receive: Receive) -> Receive:
        size, complete = 0, False

        async def bounded() -> Message:
            nonlocal size, complete
            if complete:  # what follows is the news that the client has left, whenever it does
                return await receive()
            try:
                async with asyncio.timeout(self._timeout):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(
                    HTTPStatus.REQUEST_TIMEOUT, f"The request was not complete after {self._timeout} s."
                ) from None
            size += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if size > self._limit:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._too_large)
            return message

        return bounded

    @property
    def _too_large(self) -> str:
        return f"The request is larger than the {self._limit} bytes that are allowed."

    def _too_large_response(self) -> ASGIApp:
        return error_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._too_large)
