"""Middleware for all requests: plain ASGI, so that streams pass unchanged."""

import asyncio
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .access_log import ACCESS
from .addresses import SITE_ROOT, requested_host
from .errors import error_response
from .hosts import KnownHosts
from .identity import IDENTITY, Access, Identity
from .service import SUBARRAY
from .settings import API, API_ALIAS, ASSETS, SESSION, SUBARRAYS

_PREFIX = re.compile(r"(/[\w.~-]+)+\Z")

_BELOW_SUBARRAYS = re.compile(rf"{SUBARRAYS}/(?P<number>[^/]*)")
_NUMBER = re.compile(r"[1-9]\d{0,8}\Z", re.ASCII)

_ALWAYS_OPEN = frozenset({"/", "/healthz", "/readyz", SESSION})
"""Paths of the control page, of the probes, and of the login."""


def is_open(path: str) -> bool:
    """Return whether a path needs no right: its clients have no token yet, or never have one.

    :param path: without the path below which an ingress serves this service
    """
    return path in _ALWAYS_OPEN or path.startswith(f"{ASSETS}/")


class EndMiddleware:
    """Answers requests that are still being answered when the service ends.

    :param app: the application, which is cancelled then
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
                "The service is shutting down. It is not known whether the request was carried out: check, "
                "then send it again.",
            )
            await response(scope, receive, send)


class PathMiddleware:
    """Normalises paths: without root path, alias and slash at the end.

    The number of a subarray becomes part of the root path: the application does not see it.

    :param app: the application, which sees only normal paths
    :param root_path: path below which an ingress serves this service; an ``X-Forwarded-Prefix`` goes first
    :param devices: names of the controllers' devices, by the numbers of their subarrays
    """

    def __init__(self, app: ASGIApp, root_path: str, devices: Mapping[int, str]) -> None:
        self._app = app
        self._root_path = root_path.rstrip("/")
        self._devices = devices

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http":
            prefix = Headers(scope=scope).get("x-forwarded-prefix", "").rstrip("/")
            root = prefix if _PREFIX.match(prefix) else self._root_path
            # An ingress may strip the prefix, or leave it.
            path = scope["path"]
            if f"{path}/".startswith(f"{root}/"):
                path = path.removeprefix(root)
            scope = {**scope, SITE_ROOT: root}
            if below := _BELOW_SUBARRAYS.match(path):
                number = int(below["number"]) if _NUMBER.match(below["number"]) else None
                if number in self._devices:
                    scope[SUBARRAY] = number
                    root, path = root + below[0], path.removeprefix(below[0])
            scope |= {"path": root + _canonical(path), "root_path": root}
        await self._app(scope, receive, send)


def _canonical(path: str) -> str:
    if path == API_ALIAS or path.startswith(f"{API_ALIAS}/"):
        path = API + path.removeprefix(API_ALIAS)
    return path.rstrip("/") or "/"


class AccessMiddleware:
    """Determines the client of each request, and refuses requests that it may not send.

    :param app: the application, which handles permitted requests
    :param access: the access rights
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http":
            identity = self._access.identify(scope)
            scope = {**scope, IDENTITY: identity}
            scope.get(ACCESS, {})[IDENTITY] = identity
            if not (identity.may(scope["method"]) or is_open(scope["path"].removeprefix(scope["root_path"]))):
                await _refusal(identity)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _refusal(identity: Identity) -> ASGIApp:
    if identity.has_token:
        return error_response(
            HTTPStatus.FORBIDDEN,
            f"{identity.user} has the role {identity.role}, which may see everything and change nothing. "
            "This needs a token with the role operator.",
        )
    return error_response(
        HTTPStatus.UNAUTHORIZED,
        "This needs a token of the service, as the header 'Authorization: Bearer <token>'.",
        headers={"WWW-Authenticate": "Bearer"},
    )


class HostMiddleware:
    """Refuses requests that are sent to another name, or by a page of another site.

    :param app: the application, which handles the other requests
    :param names: names that the service is known by, as for `KnownHosts`
    """

    def __init__(self, app: ASGIApp, names: Iterable[str]) -> None:
        self._app = app
        self._known = KnownHosts(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        refusal = self._refuse(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await error_response(HTTPStatus.FORBIDDEN, refusal)(scope, receive, send)

    def _refuse(self, scope: Scope) -> str | None:
        """Return why a request is refused; None if it is not."""
        headers = Headers(scope=scope)
        arrived_at = str((scope.get("server") or ("",))[0])
        # Every browser sends it. Without it a request is HTTP/1.0, of a program.
        host = headers.get("host")
        if host is not None and not self._known.admit(host, arrived_at):
            return (
                f"This service is not known as {host!r}. Use one of its names, "
                "or start it with --allowed-host for this one."
            )
        for origin in headers.getlist("origin"):
            if not self._known.admit_origin(origin, requested_host(scope), arrived_at):
                return (
                    f"Pages of {origin!r} may not use this service: use its own page. If that is its page "
                    "behind a proxy, start it with --allowed-host for that name, and have the proxy send "
                    "X-Forwarded-Host."
                )
        return None


class BodyMiddleware:
    """Bounds the size of requests, and the time that they take to arrive.

    :param app: the application, which reads them
    :param limit: greatest size, in bytes
    :param timeout: seconds from the first to the last byte of a body
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
        deadline = asyncio.get_running_loop().time() + self._timeout

        async def bounded() -> Message:
            nonlocal size, complete
            if complete:  # the next message is the disconnection of the client
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
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
