"""The HTTP server: uvicorn on a socket, with a quick shutdown."""

import asyncio
import socket
from contextlib import suppress
from http import HTTPStatus
from types import FrameType

import h11
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from .app import SidecarApp
from .connections import Connections, LoopFaults, capacity
from .errors import error_response
from .settings import API, Settings
from .sse import CUT

_UNREAD_TIMEOUT = 30
"""Seconds after which the kernel closes a connection whose peer does not acknowledge data."""

_ACCEPTED_AT_ONCE = 16
_WAITING = 2048
"""Connections that the kernel keeps until they are accepted."""

_TICK = 1.0
"""Seconds between two updates of the date that answers have."""

_LAST_REQUESTS = 0.1
"""Seconds in which requests are received after the service was asked to end."""

_GRACE = 0.3
"""Seconds that requests in progress may take when the service shuts down."""


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address.

    :param host: name or address of an interface
    :param port: TCP port, 0 for any that is free
    :raises OSError: if that is not possible
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit this. Without it, one that is never read from would stay open forever.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000 * _UNREAD_TIMEOUT)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


class ContractProtocol(H11Protocol):
    """HTTP/1.1 with this service's error body for malformed requests. Connections can be closed at once.

    The application finds the function that closes its connection among the extensions of ASGI, as `CUT`.
    """

    app: ASGIApp
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Offer the application to close the connection, and begin to wait for a request."""
        super().connection_made(transport)
        self._connections.opened(transport)
        self._head_timer = self._cut_later(transport)
        served = self.app

        async def with_cut(scope: Scope, receive: Receive, send: Send) -> None:
            extensions = {**(scope.get("extensions") or {}), CUT: transport.abort}
            await served({**scope, "extensions": extensions}, receive, send)

        self.app = with_cut

    def data_received(self, data: bytes) -> None:
        """Receive data. A client that never completes the head of a request is disconnected."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._cancel_cut()
            self._connections.busy(self.transport)
        elif self._head_timer is None:
            self._head_timer = self._cut_later(self.transport)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        if self.conn.their_state is h11.IDLE:
            self._connections.rested(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting for a request."""
        self._cancel_cut()
        self._connections.closed(self.transport)
        super().connection_lost(exc)

    @property
    def _sidecar(self) -> SidecarApp:
        sidecar = self.config.app
        assert isinstance(sidecar, SidecarApp), "as SidecarServer configures it"  # noqa: S101
        return sidecar

    @property
    def _connections(self) -> Connections:
        return self._sidecar.connections

    def _cut_later(self, transport: asyncio.Transport) -> asyncio.TimerHandle:
        return self.loop.call_later(self._sidecar.settings.head_timeout, transport.abort)

    def _cancel_cut(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def send_400_response(self, msg: str) -> None:
        """Answer a malformed request, and close the connection."""
        answer = error_response(
            HTTPStatus.BAD_REQUEST,
            "This is not an HTTP/1.1 request: its first line, a header, or its length is malformed.",
            headers={"Connection": "close"},
        )
        head = h11.Response(
            status_code=answer.status_code, headers=answer.raw_headers, reason=HTTPStatus.BAD_REQUEST.phrase
        )
        for part in (head, h11.Data(data=bytes(answer.body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(part) or b"")
        self.transport.close()


class SidecarServer(uvicorn.Server):
    """Serves the sidecar until a signal or `stop`, and then ends at once.

    :param settings: settings of the sidecar
    :param listener: its socket
    """

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._app = SidecarApp(settings, Connections(capacity(len(settings.devices))))
        self._listener = listener
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending = asyncio.Event()
        self.ready = asyncio.Event()
        """Set once it serves."""
        self.end_requested = False
        """Whether it ends, or has ended, on request."""
        super().__init__(
            uvicorn.Config(
                self._app,
                http=ContractProtocol,
                log_config=None,
                access_log=False,
                server_header=False,
                # Also how many connections asyncio accepts in one step, and how often it tries without free
                # descriptors.
                backlog=_ACCEPTED_AT_ONCE,
                # The application reads these headers itself, the name of the host among them.
                proxy_headers=False,
            )
        )
        # uvicorn declares both as whole seconds, but takes fractions.
        self.config.timeout_keep_alive = settings.idle_timeout  # type: ignore[assignment]
        # When this begins, streams have been ended. A request that is still in progress would take long.
        self.config.timeout_graceful_shutdown = _GRACE  # type: ignore[assignment]

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until there is a signal."""
        await super().serve(sockets or [self._listener])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and report that."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(LoopFaults())
        await super().startup(sockets)
        if not self.started:
            return
        self._listener.listen(_WAITING)
        self.ready.set()
        host, port = self._listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        # The program that has started this one waits for this line.
        print(f"REST ready: http://{shown}:{port}{API}", flush=True)  # noqa: T201

    async def main_loop(self) -> None:
        """Keep the date in the headers right, until the end.

        uvicorn looks ten times a second whether it is to end, which takes most of what an idle service takes.
        """
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), _TICK)
                # Requests that were sent before are still answered.
                await asyncio.sleep(_LAST_REQUESTS)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end, for a signal."""
        super().handle_exit(sig, frame)
        self.stop()

    def stop(self) -> None:
        """Begin to end. May be called by a handler of signals."""
        self.end_requested = self.should_exit = True
        if self._loop is None:
            return
        self._loop.call_soon_threadsafe(self._ending.set)
        if hasattr(self._app.state, "gateway"):
            self._loop.call_soon_threadsafe(self._app.state.gateway.close_streams)
