"""Services of controllers, which answer requests: created when the sidecar starts, closed when it ends."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import Scope

from ska_oso_oet.client import Controller

from .feed import EventFeed
from .listings import Listings
from .metrics import ControllerMetrics, Metrics
from .settings import Settings
from .status_feed import StatusFeed
from .stream import EventSource

_FIRST_ATTEMPT = 3.0
"""Seconds that the sidecar waits for the devices before it serves without."""

SUBARRAY = "oet.subarray"
"""Key of a request's scope: the number that its path names; absent where the path names none."""


class Service:
    """Service of one controller. It shares nothing with the services of other controllers.

    :param number: of the controller's subarray
    :param device: name of the controller's device
    :param settings: settings of the sidecar
    :param metrics: metrics of this controller
    """

    def __init__(self, number: int, device: str, settings: Settings, metrics: ControllerMetrics) -> None:
        self.number = number
        self.settings = settings
        self.metrics = metrics
        self.controller = Controller(device, settings.tango_timeout, metrics.on_call)
        self.feed = EventFeed(self.controller, metrics, settings.max_lag, settings.heartbeat)
        self.events = EventSource(self.feed, self.controller, metrics)
        self.listings = Listings(self.feed)
        self.status = StatusFeed(self.controller, self.feed)
        self._receiving: list[asyncio.Task[None]] = []
        self._failing_since: datetime | None = None

    def start(self) -> None:
        """Begin to receive the events of the controller."""
        device = self.controller.device
        self._receiving = [
            asyncio.create_task(self.feed.run(), name=f"event feed of {device}"),
            asyncio.create_task(self.status.run(), name=f"status of {device}"),
        ]

    async def close(self) -> None:
        """End all streams, and close the client of the controller."""
        self.close_streams()
        for task in self._receiving:
            task.cancel()
        await asyncio.gather(*self._receiving, return_exceptions=True)
        await self.controller.aclose()

    def close_streams(self) -> None:
        """End all streams."""
        self.feed.close()
        self.status.close()

    @property
    def receives_events(self) -> bool:
        """Whether a new stream of events would be complete."""
        return self.feed.epoch is not None and self.feed.connected

    @property
    def failure(self) -> str | None:
        """Why no events are received; None while they are."""
        return self.feed.failure

    def note_availability(self, available: bool) -> datetime | None:
        """Record whether the controller is available, and return when it became unavailable.

        :param available: the present availability
        """
        if available:
            self._failing_since = None
        elif self._failing_since is None:
            self._failing_since = self.feed.lost_since or datetime.now(UTC)
        return self._failing_since


@dataclass(frozen=True)
class Gateway:
    """The services of all controllers, by the numbers of their subarrays.

    :param settings: settings of the sidecar
    """

    settings: Settings
    metrics: Metrics = field(default_factory=Metrics)
    services: dict[int, Service] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number, device in self.settings.devices.items():
            self.services[number] = Service(number, device, self.settings, self.metrics.of(number, device))

    def service(self, scope: Scope) -> Service:
        """Return the service that the path of a request names; the first if it names none."""
        number = scope.get(SUBARRAY, next(iter(self.services)))
        return self.services[number]

    def chosen(self, scope: Scope) -> Mapping[int, Service]:
        """Return the services that a request may see: the one that its path names, all if it names none."""
        return {scope[SUBARRAY]: self.services[scope[SUBARRAY]]} if SUBARRAY in scope else self.services

    def close_streams(self) -> None:
        """End all streams of events."""
        for service in self.services.values():
            service.close_streams()


@asynccontextmanager
async def running_gateway(settings: Settings) -> AsyncIterator[Gateway]:
    """Serve all controllers as long as the context lasts.

    :param settings: settings of the sidecar
    """
    gateway = Gateway(settings)
    services = gateway.services.values()
    try:
        for service in services:
            service.start()
        # The first client that is served can open a complete stream, if its device is available.
        with suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_ATTEMPT):
                await asyncio.gather(*(service.feed.attempted.wait() for service in services))
        yield gateway
    finally:
        await asyncio.gather(*(service.close() for service in services))


def gateway_of(request: Request) -> Gateway:
    """Return the services of all controllers."""
    gateway = request.app.state.gateway
    assert isinstance(gateway, Gateway)  # noqa: S101
    return gateway


def service_of(request: Request) -> Service:
    """Return the service that handles a request."""
    return gateway_of(request).service(request.scope)


# Each dependency that is not asynchronous would cost a request a change to another thread and back.


async def _gateway_of(request: Request) -> Gateway:
    return gateway_of(request)


async def _service_of(request: Request) -> Service:
    return service_of(request)


async def _controller_of(request: Request) -> Controller:
    return service_of(request).controller


GatewayDependency = Annotated[Gateway, Depends(_gateway_of)]
ServiceDependency = Annotated[Service, Depends(_service_of)]
ControllerDependency = Annotated[Controller, Depends(_controller_of)]
