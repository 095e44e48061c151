"""The asyncio client of an OETController."""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Self
from weakref import WeakSet

from pydantic import TypeAdapter

from ska_oso_oet.model import (
    ActivityRequest,
    ActivitySummary,
    AdminMode,
    ControllerFigures,
    ControllerStatus,
    Event,
    EventQuery,
    OperatingState,
    Output,
    OutputQuery,
    PlainRequest,
    ProcedureInput,
    ProcedureRequest,
    ProcedureSummary,
    Requester,
    RerunRequest,
    SchedulingBlockPage,
    SchedulingBlockQuery,
    Script,
    ScriptDescription,
    SettingsChange,
    StartRequest,
    StopRequest,
    script_to_json,
)

from .attribute_news import AttributeNews
from .command_ends import CommandEnds
from .device import TangoDevice
from .errors import (
    ControllerError,
    InvalidRequestError,
    OdaFailedError,
    RequestRejectedError,
    ScriptNotAtHandError,
)
from .event_stream import EventStream, fetch_events
from .events import Events
from .link import CallObserver, DeviceLink
from .named_requests import NamedRequests
from .observing_queue import ObservingQueue
from .operator_talk import OperatorTalk
from .raw_events import RawEvent
from .records import Records
from .request_texts import request_json, script_argument
from .results import AcceptedCommand, CommandResult, ResultCode
from .settings import DeviceSettings
from .status import REPORTED, read_status

DEFAULT_DEVICE = "mid-oet/controller/01"
"""Name of the device that the registration which ships defines."""
DEFAULT_TIMEOUT = 5.0
"""Seconds that a device may take to answer."""

_PROCEDURES = TypeAdapter(list[ProcedureSummary])
_ACTIVITIES = TypeAdapter(list[ActivitySummary])


class Controller:
    """An OETController, for asyncio programs.

    Neither the device nor the Tango database needs to be there: a call without them raises an exception, and
    later calls work once they are available. All methods raise a `ControllerError` that describes the fault.

    .. code-block:: python

        async with Controller("mid-oet/controller/01") as oet, oet.events() as events:
            created = await oet.create("file:///scripts/observe.py")
            await oet.wait(created)
            started = await oet.start(created.subject, ProcedureInput(**{"scans": 3}))
            async for event in events:
                print(event.topic, event.fields)
                if event.topic == "procedure.lifecycle.complete":
                    break
            print((await oet.wait(started)).code)

    :param device: name of the device, ``domain/family/member`` or ``tango://host:port/domain/family/member``
    :param timeout: seconds that the device may take to answer
    :param observer: called with the name, duration and failure of each Tango call
    :ivar records: reads what the controller keeps of procedures
    :ivar queue: reads and changes the observing queue
    :ivar talk: pauses scripts, answers their questions, and sends them messages
    :ivar settings: reads and changes modes, and what is logged
    """

    def __init__(
        self,
        device: str = DEFAULT_DEVICE,
        timeout: float = DEFAULT_TIMEOUT,
        observer: CallObserver | None = None,
    ) -> None:
        self._link = DeviceLink(TangoDevice(device, timeout), timeout, observer)
        self.records = Records(self._link)
        self.queue = ObservingQueue(self._link)
        self.talk = OperatorTalk(self._link)
        self._named = NamedRequests(self._link)
        self.settings = DeviceSettings(self._link, self._named)
        self._ends: CommandEnds | None = None
        self._streams: WeakSet[EventStream] = WeakSet()
        self.output_news = AttributeNews(self._link, "scriptOutput")
        """Enter it to wait for the news that the current procedure has written output."""
        self.status_news = AttributeNews(self._link, *REPORTED)
        """Enter it to wait for the news that what `status` returns has changed."""

    @property
    def device(self) -> str:
        """Name of the device."""
        return self._link.name

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the client: end its subscriptions and its streams of events."""
        await asyncio.gather(*(stream.aclose() for stream in self._streams))
        if self._ends is not None:
            await self._ends.close()
        await self.output_news.close()
        await self.status_news.close()
        self._link.close()

    # Commands

    async def create(self, request: ProcedureRequest | str) -> AcceptedCommand:
        """Prepare a script: load it in a process of its own, and call its ``init``.

        :param request: URI of the script, or the script and its arguments
        :returns: the command, which ends when the script is READY; its `subject` is the procedure's ID
        """
        return await self._long_running(
            "Create", script_argument(request) if isinstance(request, str) else request_json(request)
        )

    async def start(
        self,
        procedure_id: int | None = None,
        arguments: ProcedureInput | None = None,
        requested_by: Requester | None = None,
    ) -> AcceptedCommand:
        """Run ``main`` of a procedure that is READY.

        :param procedure_id: the procedure; None for the one that was created last
        :param arguments: of ``main``; None for those given to `create`
        :param requested_by: the requester, if this program passes the request on; None for this process
        :returns: the command, which ends when the script has ended
        """
        script_args: dict[str, ProcedureInput] = {} if arguments is None else {"main": arguments}
        request = StartRequest.model_validate(
            {"pid": procedure_id, "script_args": script_args, "requested_by": requested_by}
        )
        return await self._long_running("Start", request_json(request))

    async def stop(
        self,
        procedure_id: int | None = None,
        *,
        abort: bool = False,
        at_checkpoint: bool = False,
        requested_by: Requester | None = None,
    ) -> AcceptedCommand:
        """Stop a procedure, by SIGKILL if necessary.

        :param procedure_id: the procedure; None for the one that is running
        :param abort: whether to run the abort script once it has stopped
        :param at_checkpoint: whether to let it continue to its next checkpoint
        :param requested_by: the requester, if this program passes the request on; None for this process
        :returns: the command, which ends when the procedure has stopped and the abort script has ended
        """
        request = StopRequest(
            pid=procedure_id,
            abort=abort,
            at="checkpoint" if at_checkpoint else None,
            requested_by=requested_by,
        )
        return await self._long_running("Stop", request_json(request))

    async def rerun(
        self,
        procedure_id: int | None = None,
        script_args: Mapping[Any, ProcedureInput] | None = None,
        requested_by: Requester | None = None,
    ) -> AcceptedCommand:
        """Prepare the script of a procedure again, with the same arguments.

        :param procedure_id: the procedure; None for the one that was created last
        :param script_args: arguments that replace those of the procedure, by function
        :param requested_by: the requester, if this program passes the request on; None for this process
        :returns: the command, which ends when the script is READY; its `subject` is the new procedure's ID
        """
        request = RerunRequest.model_validate(
            {"pid": procedure_id, "script_args": script_args or {}, "requested_by": requested_by}
        )
        return await self._long_running("Rerun", request_json(request))

    async def run_activity(self, request: ActivityRequest) -> AcceptedCommand:
        """Run an activity of a Scheduling Block.

        :param request: the activity
        :returns: the command, which ends when the activity has ended; its `subject` is the activity's ID
        """
        return await self._long_running("RunActivity", request_json(request))

    async def reset(self, requested_by: Requester | None = None) -> AcceptedCommand:
        """Read the properties of the device again, and leave FAULT if what was wrong has been fixed.

        :param requested_by: who asks, if this program passes the request on; None for this process
        :returns: the command, which fails with the reason if something is still wrong
        """
        async with self._named.next_by(PlainRequest.RESET, requested_by):
            return await self._long_running("Reset")

    async def set_admin_mode(self, mode: AdminMode, requested_by: Requester | None = None) -> None:
        """Set how far the controller may be used. It is remembered over restarts of the device.

        :param mode: OFFLINE to prevent that anything is created or started; what runs goes on
        :param requested_by: who asks, if this program passes the request on; None for this process
        """
        await self.settings.change(SettingsChange(admin_mode=mode), requested_by)

    async def switch(self, state: OperatingState, requested_by: Requester | None = None) -> AcceptedCommand:
        """Switch the device on, off or to stand-by.

        :param state: the state that it is to be in
        :param requested_by: who asks, if this program passes the request on; None for this process
        :returns: the command, which fails with the reason if the device cannot be in that state
        :raises RequestRejectedError: if the device is in that state, or its state forbids it
        """
        command = PlainRequest(state.value.capitalize())
        async with self._named.next_by(command, requested_by):
            return await self._long_running(command)

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

    async def _long_running(self, name: str, argument: str | None = None) -> AcceptedCommand:
        (code,), (text,) = await self._link.command(name, argument)
        if code == ResultCode.REJECTED:
            raise RequestRejectedError(text)
        return AcceptedCommand(text, ResultCode(code))

    async def _answer(
        self, name: str, argument: str, timeout: float | None, error: Callable[[str], ControllerError]
    ) -> object:
        """Return the result of a long-running command; if it has failed, raise an error with its message."""
        result = await self.wait(await self._long_running(name, argument), timeout)
        if not result.ok:
            raise error(str(result.message))
        return result.message

    # Looking

    async def ping(self) -> None:
        """Make sure that the device answers."""
        await self._link.ping()

    async def status(self) -> ControllerStatus:
        """Return state, health and mode of the controller, and what it is doing."""
        return await read_status(self._link)

    async def figures(self) -> ControllerFigures:
        """Return the figures of the controller for monitoring."""
        return ControllerFigures.model_validate_json(await self._link.command("GetFigures"))

    async def procedure(self, procedure_id: int = 0) -> ProcedureSummary:
        """Return the summary of a procedure.

        :param procedure_id: its ID; 0 for the one that was created last
        :raises NotFoundError: if there is none
        """
        return ProcedureSummary.model_validate_json(
            await self._link.command("DescribeProcedure", procedure_id)
        )

    async def procedures(self) -> list[ProcedureSummary]:
        """Return the summaries of all procedures that are live, and of the newest that have ended."""
        return _PROCEDURES.validate_json(await self._link.read("procedures"))

    async def activity(self, activity_id: int = 0) -> ActivitySummary:
        """Return the summary of an activity.

        :param activity_id: its ID; 0 for the one that was requested last
        :raises NotFoundError: if there is none
        """
        return ActivitySummary.model_validate_json(await self._link.command("DescribeActivity", activity_id))

    async def activities(self) -> list[ActivitySummary]:
        """Return the summaries of all activities that are live, and of the newest that have ended."""
        return _ACTIVITIES.validate_json(await self._link.read("activities"))

    async def output(self, procedure_id: int | None = None, after: int = 0, limit: int = 1000) -> Output:
        """Return lines that a script has written.

        :param procedure_id: the procedure; None for the one that was created last
        :param after: how many lines to skip; `Output.next` of what was read before
        :param limit: how many lines at most
        :raises NotFoundError: if there is no such procedure
        :raises OutputNotKeptError: if its output is not kept
        """
        query = OutputQuery(pid=procedure_id, after=after, limit=limit)
        answer: Any = await self._link.command("GetOutput", request_json(query))
        return Output.model_validate_json(answer)

    async def scripts(self) -> list[str]:
        """Return the URIs of the scripts that can be run."""
        return list(await self._link.read("scripts") or ())

    async def describe_script(self, script: Script | str, timeout: float | None = None) -> ScriptDescription:
        """Return the description of a script, without running it.

        :param script: the script, or its URI
        :param timeout: seconds that fetching it from git, or reading a long text, may take; None for any time
        :raises InvalidRequestError: if it is refused, or cannot be described
        """
        named = {"script_uri": script} if isinstance(script, str) else {"script": script_to_json(script)}
        argument = json.dumps(named)  # a text that is not ASCII goes as JSON: Tango strings are Latin-1
        with suppress(ScriptNotAtHandError):
            return ScriptDescription.model_validate_json(await self._link.command("DescribeScript", argument))
        answer = await self._answer("ExamineScript", argument, timeout, InvalidRequestError)
        return ScriptDescription.model_validate(answer)

    async def find_scheduling_blocks(
        self, query: SchedulingBlockQuery | None = None, timeout: float | None = None
    ) -> SchedulingBlockPage:
        """Return Scheduling Blocks in the ODA, with the names of their activities.

        :param query: which ones; None for those that changed last
        :param timeout: seconds that the ODA may take; None for any time
        :raises OdaFailedError: if the ODA cannot be reached, or is not set up
        """
        argument = request_json(query or SchedulingBlockQuery())
        answer = await self._answer("FindSchedulingBlocks", argument, timeout, OdaFailedError)
        return SchedulingBlockPage.model_validate(answer)

    # Events

    async def past_events(self, after: int = 0, limit: int = 1000, topic: str = "") -> list[Event]:
        """Return events that have happened, oldest first. Read on until there are none.

        :param after: only events with a greater number
        :param limit: how many at most; long events may be fewer
        :param topic: only topics that begin with this
        :raises EventsNoLongerKeptError: if events after `after` are no longer kept
        """
        return [event.parse() for event in await self.past_raw_events(after, limit, topic)]

    async def past_raw_events(self, after: int = 0, limit: int = 1000, topic: str = "") -> list[RawEvent]:
        """Return events that have happened as JSON texts; see `past_events`."""
        query = EventQuery(after=after, limit=limit, topic=topic)
        return (await fetch_events(self._link, query.after, query.limit, query.topic)).events

    def events(self, after: int | None = None, topic: str = "") -> Events:
        """Return the events to come, each once and in order, also after connections were lost.

        Enter it with ``async with``: no event from then on is missed.

        :param after: number of the event to begin after; None for those that are yet to happen
        :param topic: only topics that begin with this
        """
        return Events(self.raw_events(after), topic)

    def raw_events(
        self, after: int | None = None, on_connection: Callable[[], None] | None = None
    ) -> EventStream:
        """Return the events to come as batches of JSON texts, for those who pass them on; see `events`.

        :param after: number of the event to begin after; None for those that are yet to happen
        :param on_connection: called whenever `EventStream.connected` has changed
        """
        stream = EventStream(self._link, after, on_connection)
        self._streams.add(stream)
        return stream
