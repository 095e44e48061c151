"""Notification that attributes of a controller have changed, for clients that then read what they need."""

import asyncio
from contextlib import suppress
from typing import Any, Self

from .device import Subscription
from .link import DeviceLink


class AttributeNews:
    """Wakes those who wait whenever one of some attributes has changed.

    Use it as a context manager, any number of times at once: it is subscribed as long as there is a user.

    :param link: the device
    :param attributes: names of the attributes
    """

    def __init__(self, link: DeviceLink, *attributes: str) -> None:
        self._link = link
        self._attributes = attributes
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pulse = asyncio.Event()
        self._lock = asyncio.Lock()
        self._users = 0
        self._subscriptions: list[Subscription] = []
        self.count = 0
        """How many changes were reported: if it is another one than before, there was news meanwhile."""

    async def __aenter__(self) -> Self:
        async with self._lock:
            if not self._subscriptions:
                await self._subscribe()
            self._users += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self._users -= 1
        async with self._lock:
            if self._users == 0:
                await self.close()

    async def wait(self) -> None:
        """Wait until an attribute has changed."""
        await self._pulse.wait()

    async def close(self) -> None:
        """End the subscriptions."""
        while self._subscriptions:
            with suppress(RuntimeError):  # the link is closed
                await self._link.unsubscribe(self._subscriptions.pop())

    async def _subscribe(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            for attribute in self._attributes:
                self._subscriptions.append(await self._link.subscribe(attribute, self._on_value))
        except BaseException:
            await self.close()
            raise

    def _on_value(self, value: Any) -> None:
        """Take a value from a thread of Tango; its content does not matter."""
        if value is not None and self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self.count += 1
        self._pulse.set()
        self._pulse.clear()
