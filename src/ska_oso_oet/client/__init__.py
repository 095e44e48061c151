"""The Tango client of an OETController: for programs, for the sidecar, and for people.

`Controller` is for asyncio, `SyncController` for everybody else:

.. code-block:: python

    from ska_oso_oet.client import SyncController

    oet = SyncController("mid-oet/controller/01")
    created = oet.create("file:///scripts/observe.py")
    print(oet.wait(created, timeout=60).ok)
    print(oet.procedure(created.subject).state)

Commands return as soon as the controller has taken them, and `wait` returns when they have ended.
Events arrive in order and none is missed: what Tango drops is asked for.
"""

from .controller import DEFAULT_DEVICE, DEFAULT_TIMEOUT, Controller, Events
from .errors import (
    ControllerError,
    DeviceAwayError,
    DeviceTimeoutError,
    EventsNoLongerKeptError,
    InvalidRequestError,
    NotFoundError,
    NotOfferedError,
    NotPermittedError,
    RequestRejectedError,
)
from .event_stream import EventBatch, EventStream
from .link import CallObserver
from .raw_events import RawEvent
from .results import AcceptedCommand, CommandResult, ResultCode
from .synchronous import SyncController, SyncEvents

__all__ = [
    "DEFAULT_DEVICE",
    "DEFAULT_TIMEOUT",
    "AcceptedCommand",
    "CallObserver",
    "CommandResult",
    "Controller",
    "ControllerError",
    "DeviceAwayError",
    "DeviceTimeoutError",
    "EventBatch",
    "EventStream",
    "Events",
    "EventsNoLongerKeptError",
    "InvalidRequestError",
    "NotFoundError",
    "NotOfferedError",
    "NotPermittedError",
    "RawEvent",
    "RequestRejectedError",
    "ResultCode",
    "SyncController",
    "SyncEvents",
]
