"""Synchronous client of a controller, for itango, Jupyter and scripts without asyncio."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from typing import Any, Self, TypeVar

from ska_oso_oet.model import (
    ActivityRequest,
    ActivitySummary,
    AdminMode,
    ControllerStatus,
    Event,
    Output,
    ProcedureInput,
    ProcedureRequest,
    ProcedureSummary,
    SchedulingBlockPage,
    SchedulingBlockQuery,
)

from .controller import DEFAULT_DEVICE, DEFAULT_TIMEOUT, Controller
from .errors import ControllerError, closed_error
from .events import Events
from .results import AcceptedCommand, CommandResult
from .synchronous_queue import SyncObservingQueue

T = TypeVar("T")


class SyncController:
    """An OETController, for programs that wait for each answer.

    It works where an asyncio loop runs already, as in Jupyter: it has a loop and a thread of its own.
    Errors are those of `Controller`.

    .. code-block:: python

        oet = SyncController("mid-oet/controller/01")
        created = oet.create("file:///scripts/observe.py")
        oet.wait(created)
        with oet.events() as events:
            started = oet.start(created.subject)
            for event in events:
                print(event.topic, event.fields)
                if event.topic == "procedure.lifecycle.complete":
                    break
        print(oet.procedure(created.subject).state)
        oet.close()

    :param device: name of the device
    :param timeout: seconds that the device may take to answer
    :ivar queue: the observing queue
    """

    def __init__(self, device: str = DEFAULT_DEVICE, timeout: float = DEFAULT_TIMEOUT) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="oet-client-loop", daemon=True)
        self._thread.start()
        self._controller = Controller(device, timeout)
        self.queue = SyncObservingQueue(self, self._controller.queue)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the client, and end its thread."""
        if self.closed:
            return
        self.run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        await self._controller.aclose()
        # Other threads may wait: their calls end with an error.
        waiting = asyncio.all_tasks() - {asyncio.current_task()}
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    def create(self, request: ProcedureRequest | str) -> AcceptedCommand:
        """Prepare a script; see `Controller.create`."""
        return self.run(self._controller.create(request))

    def start(
        self, procedure_id: int | None = None, arguments: ProcedureInput | None = None
    ) -> AcceptedCommand:
        """Run ``main`` of a procedure that is READY; see `Controller.start`."""
        return self.run(self._controller.start(procedure_id, arguments))

    def stop(self, procedure_id: int | None = None, *, abort: bool = False) -> AcceptedCommand:
        """Stop a procedure; see `Controller.stop`."""
        return self.run(self._controller.stop(procedure_id, abort=abort))

    def run_activity(self, request: ActivityRequest) -> AcceptedCommand:
        """Run an activity of a Scheduling Block; see `Controller.run_activity`."""
        return self.run(self._controller.run_activity(request))

    def wait(self, command: AcceptedCommand | str, timeout: float | None = None) -> CommandResult:
        """Wait until a long-running command has ended; see `Controller.wait`."""
        return self.run(self._controller.wait(command, timeout))

    def reset(self) -> AcceptedCommand:
        """Read the properties of the device again; see `Controller.reset`."""
        return self.run(self._controller.reset())

    def set_admin_mode(self, mode: AdminMode) -> None:
        """Set how far the controller may be used; see `Controller.set_admin_mode`."""
        self.run(self._controller.set_admin_mode(mode))

    def status(self) -> ControllerStatus:
        """Return state, health and mode of the controller; see `Controller.status`."""
        return self.run(self._controller.status())

    def procedure(self, procedure_id: int = 0) -> ProcedureSummary:
        """Return the summary of a procedure; see `Controller.procedure`."""
        return self.run(self._controller.procedure(procedure_id))

    def procedures(self) -> list[ProcedureSummary]:
        """Return the summaries of procedures; see `Controller.procedures`."""
        return self.run(self._controller.procedures())

    def activity(self, activity_id: int = 0) -> ActivitySummary:
        """Return the summary of an activity; see `Controller.activity`."""
        return self.run(self._controller.activity(activity_id))

    def activities(self) -> list[ActivitySummary]:
        """Return the summaries of activities; see `Controller.activities`."""
        return self.run(self._controller.activities())

    def output(self, procedure_id: int | None = None, after: int = 0, limit: int = 1000) -> Output:
        """Return lines that a script has written; see `Controller.output`."""
        return self.run(self._controller.output(procedure_id, after, limit))

    def scripts(self) -> list[str]:
        """Return the URIs of the scripts that can be run."""
        return self.run(self._controller.scripts())

    def find_scheduling_blocks(
        self, query: SchedulingBlockQuery | None = None, timeout: float | None = None
    ) -> SchedulingBlockPage:
        """Return Scheduling Blocks in the ODA; see `Controller.find_scheduling_blocks`."""
        return self.run(self._controller.find_scheduling_blocks(query, timeout))

    def past_events(self, after: int = 0, limit: int = 1000, topic: str = "") -> list[Event]:
        """Return events that have happened; see `Controller.past_events`."""
        return self.run(self._controller.past_events(after, limit, topic))

    def events(self, after: int | None = None, topic: str = "") -> "SyncEvents":
        """Return the events to come; see `Controller.events`. Enter it with ``with``."""
        return SyncEvents(self, after, topic)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run something on the loop of this client, and wait for it.

        :param coroutine: what to run, e.g. made of methods of `asynchronous`
        :returns: its result
        :raises ControllerError: if this client has been closed
        """
        if self.closed:
            coroutine.close()
            raise ControllerError(
                f"This client of {self._controller.device} has been closed: create another one."
            )
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except CancelledError:
            raise closed_error(self._controller.device) from None
        except BaseException:  # above all Ctrl-C: a call without a waiting caller must not continue
            future.cancel()
            raise

    @property
    def closed(self) -> bool:
        """Whether this client has been closed."""
        return self._loop.is_closed()

    @property
    def asynchronous(self) -> Controller:
        """The client that does the work, for use on the loop of this one; see `run`."""
        return self._controller


class SyncEvents:
    """Events to come, as models. See `SyncController.events`.

    :param controller: the client
    :param after: number of the event to begin after; None for those that are yet to happen
    :param topic: only topics that begin with this
    """

    def __init__(self, controller: SyncController, after: int | None, topic: str) -> None:
        self._controller = controller
        self._after = after
        self._topic = topic
        self._events: Events | None = None

    def __enter__(self) -> Self:
        self._events = self._controller.run(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        if self._events is not None and not self._controller.closed:
            self._controller.run(self._events.__aexit__())

    async def _open(self) -> Events:
        return await self._controller.asynchronous.events(self._after, self._topic).__aenter__()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        if self._events is None:
            raise ControllerError("Enter these events with 'with' first.")
        try:
            return self._controller.run(self._events.__anext__())
        except StopAsyncIteration:
            raise StopIteration from None
