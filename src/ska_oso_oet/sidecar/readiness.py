"""Readiness of controllers: the one source of probes, figures and the list of controllers."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from pydantic import BaseModel, Field

from ska_oso_oet.client import Controller, ControllerError
from ska_oso_oet.model import ControllerStatus, HealthState


class ControllerReadiness(BaseModel):
    """Readiness of a controller, and the reason if it is not ready."""

    subarray_id: int
    device: str = Field(description="name of its Tango device")
    ready: bool = Field(description="whether scripts can be created and started by this service")
    available: bool = Field(description="whether it answers, and its events are received")
    state: str | None = Field(description="state of the Tango device; null if it does not answer")
    health_state: HealthState | None = Field(description="its health; null if it does not answer")
    reason: str | None = Field(description="why it is not ready, and what to do; null if it is")
    unavailable_since: datetime | None = Field(
        description="when it was found to be unavailable, ISO 8601 in UTC; null while it is available"
    )


class Observed(Protocol):
    """Interface of the service of a controller."""

    @property
    def number(self) -> int:
        """Number of the controller's subarray."""

    @property
    def controller(self) -> Controller:
        """The client of the controller."""

    @property
    def receives_events(self) -> bool:
        """Whether a new stream of events would be complete."""

    @property
    def failure(self) -> str | None:
        """Why no events are received; None while they are."""

    def note_availability(self, available: bool) -> datetime | None:
        """Record whether the controller is available, and return when it became unavailable."""


async def look(service: Observed, timeout: float) -> ControllerReadiness:
    """Ask a controller whether it can be used.

    :param service: its service
    :param timeout: seconds that it may take to answer
    """
    return (await look_closely(service, timeout))[0]


async def look_closely(
    service: Observed, timeout: float
) -> tuple[ControllerReadiness, ControllerStatus | None]:
    """Ask a controller whether it can be used, and for its status; see `look`.

    :returns: the status is None if it does not answer
    """
    device = service.controller.device
    try:
        async with asyncio.timeout(timeout):
            status = await service.controller.status()
    except ControllerError as error:
        return _unavailable(service, str(error)), None
    except TimeoutError:
        return _unavailable(service, f"The device {device} did not answer within {timeout:g} s."), None
    available = service.receives_events
    reason = status.obstacle
    if reason is None and not available:
        why = service.failure
        reason = f"The events of {device} are not received yet" + (f": {why}" if why else ".")
    readiness = ControllerReadiness(
        subarray_id=service.number,
        device=device,
        ready=reason is None,
        available=available,
        state=status.state,
        health_state=status.health_state,
        reason=reason,
        unavailable_since=service.note_availability(available),
    )
    return readiness, status


async def look_at_all(services: Mapping[int, Observed], timeout: float) -> list[ControllerReadiness]:
    """Ask several controllers at the same time whether they can be used; see `look`."""
    return list(await asyncio.gather(*(look(service, timeout) for service in services.values())))


def _unavailable(service: Observed, reason: str) -> ControllerReadiness:
    return ControllerReadiness(
        subarray_id=service.number,
        device=service.controller.device,
        ready=False,
        available=False,
        state=None,
        health_state=None,
        reason=reason,
        unavailable_since=service.note_availability(available=False),
    )
