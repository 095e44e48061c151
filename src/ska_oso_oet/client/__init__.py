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

from .attribute_news import AttributeNews
from .controller import DEFAULT_DEVICE, DEFAULT_TIMEOUT, Controller
from .errors import (
    ControllerError,
    DeviceAwayError,
    DeviceLockedError,
    DeviceTimeoutError,
    EventsNoLongerKeptError,
    InvalidRequestError,
    NotFoundError,
    NotKeptError,
    NotOfferedError,
    NotPermittedError,
    OdaFailedError,
    OutputNotKeptError,
    RequestRejectedError,
)
from .event_stream import EventBatch, EventStream
from .events import Events
from .link import CallObserver
from .raw_events import RawEvent
from .results import AcceptedCommand, CommandResult, ResultCode
from .subarrays import registered_subarrays
from .synchronous import SyncController, SyncEvents

__all__ = [
    "DEFAULT_DEVICE",
    "DEFAULT_TIMEOUT",
    "AcceptedCommand",
    "AttributeNews",
    "CallObserver",
    "CommandResult",
    "Controller",
    "ControllerError",
    "DeviceAwayError",
    "DeviceLockedError",
    "DeviceTimeoutError",
    "EventBatch",
    "EventStream",
    "Events",
    "EventsNoLongerKeptError",
    "InvalidRequestError",
    "NotFoundError",
    "NotKeptError",
    "NotOfferedError",
    "NotPermittedError",
    "OdaFailedError",
    "OutputNotKeptError",
    "RawEvent",
    "RequestRejectedError",
    "ResultCode",
    "SyncController",
    "SyncEvents",
    "registered_subarrays",
]
