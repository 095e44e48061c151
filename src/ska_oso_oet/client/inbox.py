"""From the C++ threads of Tango to an asyncio task, many items at a time."""

import asyncio
import threading
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")

_PACE = 0.001
"""Seconds after items were taken in which further ones are collected: to wake the loop for each of them would
cost more than all that is done with it. What comes after a pause is not held up."""


class Inbox(Generic[T]):
    """Takes items from any thread, and keeps them for one task of the loop that it was made in.

    However many items arrive while the task is busy, its loop is woken once.

    :param limit: how many items to keep; those beyond are dropped
    """

    def __init__(self, limit: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._limit = limit
        self._lock = threading.Lock()
        self._items: list[T] = []
        self._arrived = asyncio.Event()
        self._taken = 0.0

    def put(self, item: T) -> None:
        """Leave an item. Never waits, never raises: it runs inside Tango's event consumer."""
        with self._lock:
            if len(self._items) < self._limit:
                self._items.append(item)
            if len(self._items) > 1:
                return  # the task has been told of the first one
        with suppress(RuntimeError):  # the loop is closed: nobody wants the item any more
            self._loop.call_soon_threadsafe(self._arrived.set)

    def take(self) -> list[T]:
        """Return all items that are there, oldest first."""
        with self._lock:
            items, self._items = self._items, []
            self._arrived.clear()
        self._taken = self._loop.time()
        return items

    async def wait(self, timeout: float) -> bool:
        """Wait until there is an item, and while many arrive, for a moment longer.

        :param timeout: seconds
        :returns: whether there is one
        """
        try:
            async with asyncio.timeout(timeout):
                await self._arrived.wait()
        except TimeoutError:
            return False
        moment = self._taken + _PACE - self._loop.time()
        if moment > 0:
            await asyncio.sleep(moment)
        return True
