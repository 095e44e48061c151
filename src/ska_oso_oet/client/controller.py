"""The asyncio client of an OETController."""

import asyncio
import json
import logging
from collections import deque
from typing import Any, Self
from weakref import WeakSet

from pydantic import TypeAdapter

from ska_oso_oet.model import (
    Activity,
    ActivityRequest,
    Event,
    EventQuery,
    FunctionArgs,
    Model,
    Output,
    OutputQuery,
    Procedure,
    ProcedureRequest,
    StartRequest,
    StopRequest,
)

from .command_ends import CommandEnds
from .device import TangoDevice
from .errors import InvalidRequestError, RequestRejectedError
from .event_stream import EventStream, fetch_events
from .link import CallObserver, DeviceLink
from .raw_events import RawEvent
from .results import AcceptedCommand, CommandResult, ResultCode

LOGGER = logging.getLogger(__name__)

DEFAULT_DEVICE = "mid-oet/controller/01"
DEFAULT_TIMEOUT = 5.0

_PROCEDURES = TypeAdapter(list[Procedure])
_ACTIVITIES = TypeAdapter(list[Activity])


class Controller:
    """An OETController, for asyncio programs.

    Neither the device nor the Tango database needs to be there: each call says so if they are not, and
    works once they are. All methods raise a `ControllerError` that says what was wrong.

    .. code-block:: python

        async with Controller("mid-oet/controller/01") as oet, oet.events() as events:
            created = await oet.create("file:///scripts/observe.py")
            await oet.wait(created)
            started = await oet.start(created.subject, FunctionArgs(kwargs={"scans": 3}))
            async for event in events:
                print(event.topic, event.fields)
                if event.topic == "procedure.lifecycle.complete":
                    break
            print((await oet.wait(started)).code)

    :param device: name of the device, ``domain/family/member`` or ``tango://host:port/domain/family/member``
    :param timeout: seconds that the device may take to answer
    :param observer: told the name, duration and failure of each Tango call
    """

    def __init__(
        self,
        device: str = DEFAULT_DEVICE,
        timeout: float = DEFAULT_TIMEOUT,
        observer: CallObserver | None = None,
    ) -> None:
        self._link = DeviceLink(TangoDevice(device, timeout), timeout, observer)
        self._ends: CommandEnds | None = None
        self._streams: WeakSet[EventStream] = WeakSet()

    @property
    def device(self) -> str:
        """Name of the device."""
        return self._link.name

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Let go of the device, and end its streams of events."""
        await asyncio.gather(*(stream.aclose() for stream in self._streams))
        if self._ends is not None:
            await self._ends.close()
        self._link.close()

    # Commands

    async def create(self, request: ProcedureRequest | str) -> AcceptedCommand:
        """Prepare a script: load it in a process of its own, and call its ``init``.

        :param request: URI of the script, or the script and its arguments
        :returns: the command, which ends when the script is READY; its `subject` is the procedure's ID
        """
        return await self._long_running(
            "Create", _uri(request) if isinstance(request, str) else _json(request)
        )

    async def start(
        self, procedure_id: int | None = None, arguments: FunctionArgs | None = None
    ) -> AcceptedCommand:
        """Run ``main`` of a procedure that is READY.

        :param procedure_id: the procedure; None for the one that was created last
        :param arguments: of ``main``; None for those given to `create`
        :returns: the command, which ends when the script has ended
        """
        script_args: dict[str, FunctionArgs] = {} if arguments is None else {"main": arguments}
        request = StartRequest.model_validate({"pid": procedure_id, "script_args": script_args})
        return await self._long_running("Start", _json(request))

    async def stop(self, procedure_id: int | None = None, *, abort: bool = False) -> AcceptedCommand:
        """Stop a procedure, by force if need be.

        :param procedure_id: the procedure; None for the one that is running
        :param abort: whether to run the abort script once it has stopped
        :returns: the command, which ends when the procedure has stopped and the abort script has ended
        """
        request = StopRequest(pid=procedure_id, abort=abort)
        return await self._long_running("Stop", _json(request))

    async def run_activity(self, request: ActivityRequest) -> AcceptedCommand:
        """Run an activity of a Scheduling Block.

        :param request: the activity
        :returns: the command, which ends when the activity has ended; its `subject` is the activity's ID
        """
        return await self._long_running("RunActivity", _json(request))

    async def wait(self, command: AcceptedCommand | str, timeout: float | None = None) -> CommandResult:
        """Wait until a long-running command has ended.

        :param command: the command, or its ID
        :param timeout: seconds, None for any time
        :raises DeviceTimeoutError: if it has not ended by then
        :raises NotFoundError: if the device does not know how it ended, e.g. because it was restarted
        """
        if self._ends is None:
            self._ends = CommandEnds(self._link)
        return await self._ends.wait(command if isinstance(command, str) else command.id, timeout)

    async def _long_running(self, name: str, argument: str) -> AcceptedCommand:
        (code,), (text,) = await self._link.command(name, argument)
        if code == ResultCode.REJECTED:
            raise RequestRejectedError(text)
        return AcceptedCommand(text, ResultCode(code))

    # Looking

    async def ping(self) -> None:
        """Make sure that the device answers."""
        await self._link.ping()

    async def procedure(self, procedure_id: int = 0) -> Procedure:
        """Return the summary of a procedure.

        :param procedure_id: its ID; 0 for the one that was created last
        :raises NotFoundError: if there is none
        """
        return Procedure.model_validate_json(await self._link.command("DescribeProcedure", procedure_id))

    async def procedures(self) -> list[Procedure]:
        """Return the summaries of all procedures that are live, and of the newest that have ended."""
        return _PROCEDURES.validate_json(await self._link.read("procedures"))

    async def activity(self, activity_id: int = 0) -> Activity:
        """Return the summary of an activity.

        :param activity_id: its ID; 0 for the one that was requested last
        :raises NotFoundError: if there is none
        """
        return Activity.model_validate_json(await self._link.command("DescribeActivity", activity_id))

    async def activities(self) -> list[Activity]:
        """Return the summaries of all activities that are live, and of the newest that have ended."""
        return _ACTIVITIES.validate_json(await self._link.read("activities"))

    async def output(self, procedure_id: int | None = None, after: int = 0, limit: int = 1000) -> Output:
        """Return lines that a script has written.

        :param procedure_id: the procedure; None for the one that was created last
        :param after: how many lines to skip; `Output.next` of what was read before
        :param limit: how many lines at the most
        """
        query = OutputQuery(pid=procedure_id, after=after, limit=limit)
        answer: Any = await self._link.command("GetOutput", _json(query))
        return Output.model_validate_json(answer)

    async def scripts(self) -> list[str]:
        """Return the URIs of the scripts that can be run."""
        return list(await self._link.read("scripts") or ())

    # Events

    async def past_events(self, after: int = 0, limit: int = 1000, topic: str = "") -> list[Event]:
        """Return events that have happened, oldest first. Read on until there are none.

        :param after: only events with a greater number
        :param limit: how many at the most; long events may be fewer
        :param topic: only topics that begin with this
        :raises EventsNoLongerKeptError: if events after `after` are not kept any more
        """
        return [event.parse() for event in await self.past_raw_events(after, limit, topic)]

    async def past_raw_events(self, after: int = 0, limit: int = 1000, topic: str = "") -> list[RawEvent]:
        """Return events that have happened as JSON texts; see `past_events`."""
        query = EventQuery(after=after, limit=limit, topic=topic)
        return (await fetch_events(self._link, query.after, query.limit, query.topic)).events

    def events(self, after: int | None = None, topic: str = "") -> "Events":
        """Return the events to come, each once and in order, whatever happens on the way.

        Enter it with ``async with``: what happens from then on is not missed.

        :param after: number of the event to begin after; None for those that are yet to happen
        :param topic: only topics that begin with this
        """
        return Events(self.raw_events(after), topic)

    def raw_events(self, after: int | None = None) -> EventStream:
        """Return the events to come as batches of JSON texts, for those who pass them on; see `events`."""
        stream = EventStream(self._link, after)
        self._streams.add(stream)
        return stream


def _json(request: Model) -> str:
    """Return a request as Tango can carry it: its texts are Latin-1, so JSON must be ASCII."""
    try:
        return json.dumps(request.model_dump(), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"The request cannot be written as JSON: {error}") from None


def _uri(script_uri: str) -> str:
    return script_uri if script_uri.isascii() else json.dumps({"script_uri": script_uri})


class Events:
    """An asynchronous iterator of events to come, as models. See `Controller.events`.

    Whoever stops waiting for the next one, by a time-out or an interruption, can go on later and misses none.

    :param stream: where they come from
    :param topic: only topics that begin with this
    """

    def __init__(self, stream: EventStream, topic: str) -> None:
        self._stream = stream
        self._topic = topic
        self._pending: deque[RawEvent] = deque()

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stream.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while True:
            while self._pending:
                event = self._pending.popleft().parse()
                if event.topic.startswith(self._topic):
                    return event
            batch = await anext(self._stream)
            if batch.lost:
                LOGGER.warning("Events %d to %d are no longer kept", batch.lost.start, batch.lost.stop - 1)
            self._pending.extend(batch.events)
