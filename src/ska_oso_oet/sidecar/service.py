"""What requests are answered with: made when the service starts, let go of when it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from ska_oso_oet.client import Controller

from .feed import EventFeed
from .metrics import Metrics
from .settings import Settings
from .stream import EventSource

_FIRST_ATTEMPT = 3.0
"""Seconds that the service waits for the device before it serves without."""


@dataclass(frozen=True)
class Service:
    """The parts of a running service.

    :param settings: how it was set up
    :param controller: the client of the device
    :param feed: receives the device's events
    :param events: what streams need
    :param metrics: what is measured
    """

    settings: Settings
    controller: Controller
    feed: EventFeed
    events: EventSource
    metrics: Metrics


@asynccontextmanager
async def running_service(settings: Settings) -> AsyncIterator[Service]:
    """Run a service as long as the context lasts.

    :param settings: how to set it up
    """
    metrics = Metrics()
    async with Controller(settings.device, settings.tango_timeout, metrics.on_call) as controller:
        feed = EventFeed(controller, metrics, settings.max_lag, settings.heartbeat)
        receiving = asyncio.create_task(feed.run(), name="event feed")
        try:
            # Whoever is served has a stream that misses nothing, if the device is there.
            with suppress(TimeoutError):
                async with asyncio.timeout(_FIRST_ATTEMPT):
                    await feed.attempted.wait()
            yield Service(settings, controller, feed, EventSource(feed, controller, metrics), metrics)
        finally:
            feed.close()
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)


def service_of(request: Request) -> Service:
    """Return the service that handles a request."""
    service = request.app.state.service
    assert isinstance(service, Service)  # noqa: S101
    return service


def _controller_of(request: Request) -> Controller:
    return service_of(request).controller


def _settings_of(request: Request) -> Settings:
    return service_of(request).settings


ServiceDependency = Annotated[Service, Depends(service_of)]
ControllerDependency = Annotated[Controller, Depends(_controller_of)]
SettingsDependency = Annotated[Settings, Depends(_settings_of)]
