"""Awaitable calls of a Tango device."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from .device import EventSink, Subscription, TangoDevice
from .errors import ControllerError, DeviceTimeoutError, closed_error

T = TypeVar("T")

CallObserver = Callable[[str, float, ControllerError | None], None]
"""Callback with each call: its name, its duration in seconds, and the error if it failed."""

_THREADS = 8
_MAX_WAITING = 2048
"""Calls that may wait for a thread: a device that hangs must not gather callers without end."""

_CLOSE_TIMEOUT = 2.0


def _ignore(name: str, seconds: float, error: ControllerError | None) -> None:
    """Ignore a call."""


class DeviceLink:
    """Runs the calls of a device in threads, so that none of them blocks the asyncio loop.

    PyTango's own asyncio mode is not used: it creates the proxy on the loop, which then waits for the
    database, and it wakes the loop once for every event.

    :param device: the device
    :param timeout: seconds that a call may take, its wait for a thread included
    :param observer: called after each call
    """

    def __init__(self, device: TangoDevice, timeout: float, observer: CallObserver | None = None) -> None:
        self._device = device
        self._timeout = timeout
        self._observer = observer or _ignore
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="oet-client")
        self._waiting = 0
        self._closed = False

    @property
    def name(self) -> str:
        """Name of the device."""
        return self._device.name

    async def command(self, command: str, argument: Any = None) -> Any:
        """Return the answer of a command.

        :param command: its name
        :param argument: its argument
        :raises ControllerError: if it fails, or does not answer in time
        """
        return await self._run(command, self._device.command, command, argument)

    async def read(self, attribute: str) -> Any:
        """Return the value of an attribute.

        :raises ControllerError: if it cannot be read, or not in time
        """
        return await self._run(attribute, self._device.read, attribute)

    async def read_all(self, name: str, *attributes: str) -> list[Any]:
        """Return the values of several attributes, read in one call.

        :param name: of the call, for the observer
        :param attributes: their names
        :raises ControllerError: if one of them cannot be read, or not in time
        """
        return await self._run(name, self._device.read_all, *attributes)

    async def write(self, attribute: str, value: Any) -> None:
        """Write an attribute.

        :raises ControllerError: if it cannot be written, or not in time
        """
        await self._run(f"write {attribute}", self._device.write, attribute, value)

    async def ping(self) -> None:
        """Make sure that the device answers.

        :raises ControllerError: if it does not
        """
        await self._run("ping", self._device.ping)

    async def subscribe(self, attribute: str, sink: EventSink) -> Subscription:
        """Subscribe a function to the value of an attribute: it is called now and whenever the value changes.

        :param attribute: name of the attribute
        :param sink: the function; threads of Tango call it
        :raises ControllerError: if the device is not there
        """
        subscription = self._device.subscription(attribute, sink)
        try:
            await self._run("subscribe", subscription.open)
        except BaseException:
            # The thread that opens it may continue; the result is closed.
            subscription.renounce()
            with suppress(RuntimeError):  # this link is closed
                self._threads.submit(subscription.close)
            raise
        return subscription

    async def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription."""
        subscription.renounce()
        # A thread of cppTango that is busy with a dead server may delay this: no caller waits for that long.
        closing = asyncio.get_running_loop().run_in_executor(self._threads, subscription.close)
        await asyncio.wait({closing}, timeout=_CLOSE_TIMEOUT)

    def close(self) -> None:
        """Begin no more calls. Those that hang in Tango end by their time-out, in threads of their own."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, name: str, function: Callable[..., T], *arguments: Any) -> T:
        began = time.perf_counter()
        error: ControllerError | None = None
        try:
            return await self._bounded(function, *arguments)
        except ControllerError as raised:
            error = raised
            raise
        finally:
            self._observer(name, time.perf_counter() - began, error)

    async def _bounded(self, function: Callable[..., T], *arguments: Any) -> T:
        if self._closed:
            raise closed_error(self.name)
        if self._waiting >= _MAX_WAITING:
            raise DeviceTimeoutError(
                f"{self._waiting} requests wait for the device {self.name} already: this one was not sent."
            )
        self._waiting += 1
        try:
            async with asyncio.timeout(2 * self._timeout):
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._threads, function, *arguments)
        except TimeoutError:
            raise DeviceTimeoutError(
                f"The device {self.name} did not answer within {2 * self._timeout} s."
            ) from None
        finally:
            self._waiting -= 1
