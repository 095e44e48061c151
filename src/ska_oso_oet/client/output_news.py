"""Notification of new output of a script, for clients that follow it."""

import asyncio
from contextlib import suppress
from typing import Any, Self

from .device import Subscription
from .link import DeviceLink


class OutputNews:
    """Wakes those who wait whenever the output of the controller's current procedure has changed.

    Use it as a context manager, any number of times at once: it is subscribed as long as there is a user.
    What was written is read with `Controller.output`.

    :param link: the device
    """

    def __init__(self, link: DeviceLink) -> None:
        self._link = link
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pulse = asyncio.Event()
        self._lock = asyncio.Lock()
        self._users = 0
        self._subscription: Subscription | None = None

    async def __aenter__(self) -> Self:
        async with self._lock:
            if self._subscription is None:
                self._loop = asyncio.get_running_loop()
                self._subscription = await self._link.subscribe("scriptOutput", self._on_value)
            self._users += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self._users -= 1
        async with self._lock:
            if self._users == 0:
                await self.close()

    async def wait(self) -> None:
        """Wait until output has been written."""
        await self._pulse.wait()

    async def close(self) -> None:
        """End the subscription."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            with suppress(RuntimeError):  # the link is closed
                await self._link.unsubscribe(subscription)

    def _on_value(self, value: Any) -> None:
        """Take a value from a thread of Tango; its content does not matter."""
        if value is not None and self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._pulse.set()
        self._pulse.clear()
