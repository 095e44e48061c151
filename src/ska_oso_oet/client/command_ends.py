"""Ends of long-running commands, for tasks that wait for them."""

import asyncio
import json
from collections import OrderedDict
from contextlib import suppress
from typing import Any

from .device import Subscription
from .errors import DeviceTimeoutError, NotFoundError
from .link import DeviceLink
from .results import CommandResult, ResultCode

_CHECK_PERIOD = 2.0
"""Seconds between two checks of commands that are waited for: the event of an end may have been lost."""

_MAX_REMEMBERED = 256


class CommandEnds:
    """Receives the ends of a device's long-running commands, by protocol version 2 (``_lrcEvent``).

    The end of a command may arrive before its ID is known: the last ones are remembered.

    :param link: the device
    """

    def __init__(self, link: DeviceLink) -> None:
        self._link = link
        self._loop = asyncio.get_running_loop()
        self._ended: OrderedDict[str, CommandResult] = OrderedDict()
        self._news = asyncio.Event()
        self._subscription: Subscription | None = None
        self._subscribing = asyncio.Lock()

    async def wait(self, command_id: str, timeout: float | None = None) -> CommandResult:
        """Wait until a command has ended.

        :param command_id: its ID
        :param timeout: seconds, None for any time
        :raises DeviceTimeoutError: if it has not ended by then
        :raises NotFoundError: if the device does not know the command, e.g. because it was restarted
        :raises ControllerError: if the device cannot be asked
        """
        try:
            async with asyncio.timeout(timeout):
                await self._listen()
                while command_id not in self._ended:
                    with suppress(DeviceTimeoutError):  # a busy device may still send an event
                        await self._look(command_id)
                    await self._hear_of(command_id, _CHECK_PERIOD)
        except TimeoutError:
            raise DeviceTimeoutError(f"The command {command_id} has not ended within {timeout} s.") from None
        return self._ended[command_id]

    async def close(self) -> None:
        """End the subscription."""
        if self._subscription is not None:
            subscription, self._subscription = self._subscription, None
            await self._link.unsubscribe(subscription)

    async def _hear_of(self, command_id: str, timeout: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while command_id not in self._ended:
                    await self._news.wait()

    async def _listen(self) -> None:
        async with self._subscribing:
            if self._subscription is None:
                self._subscription = await self._link.subscribe("_lrcEvent", self._on_event)

    def _on_event(self, value: Any) -> None:
        """Take an event from a thread of Tango: the ID of a command, and JSON of what has changed."""
        if value is None or len(value) != 2:
            return
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._on_change, value[0], value[1])

    def _on_change(self, command_id: str, text: str) -> None:
        change = json.loads(text)
        if "result" not in change:
            return
        self._remember(command_id, change["result"])
        # Each waiting task wakes, and checks whether its own command has ended.
        self._news.set()
        self._news.clear()

    async def _look(self, command_id: str) -> None:
        """Ask the device for the ends that it remembers."""
        status = await self._link.command("CheckLongRunningCommandStatus", command_id)
        if status not in ("COMPLETED", "FAILED", "ABORTED", "REJECTED", "NOT_FOUND"):
            return
        for text in await self._link.read("lrcFinished") or ():
            command = json.loads(text)
            self._remember(command["uid"], command["result"])
        if command_id not in self._ended:
            raise NotFoundError(
                f"{self._link.name} does not know the command {command_id}: it ended long ago, or the "
                "device was "
                "restarted. Check the state of the procedure."
            )

    def _remember(self, command_id: str, result: list[Any]) -> None:
        self._ended[command_id] = CommandResult(command_id, ResultCode(result[0]), result[1])
        self._ended.move_to_end(command_id)
        while len(self._ended) > _MAX_REMEMBERED:
            self._ended.popitem(last=False)
