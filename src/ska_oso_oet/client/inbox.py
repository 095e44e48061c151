"""Queue from the C++ threads of Tango to an asyncio task, which takes many items at a time."""

import asyncio
import math
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")

_PACE = 0.001
"""Seconds after items were taken in which further ones are collected: waking the loop for each of them would
cost more than their processing. Items after a pause are not delayed."""


def _weightless(_: object) -> int:
    return 0


class Inbox(Generic[T]):
    """Takes items from any thread, and keeps them for one task of the loop that it was made in.

    However many items arrive while the task is busy, its loop is woken once.

    :param limit: how many items to keep; those beyond are dropped
    :param weigh: returns the weight of an item; without it, none weighs anything
    :param max_weight: what items may weigh together before further ones are dropped
    """

    def __init__(
        self, limit: int, weigh: Callable[[T], int] | None = None, max_weight: float = math.inf
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._limit = limit
        self._weigh = weigh or _weightless
        self._max_weight = max_weight
        self._weight = 0
        self._lock = threading.Lock()
        self._items: list[T] = []
        self._arrived = asyncio.Event()
        self._taken = 0.0

    def put(self, item: T) -> None:
        """Add an item. Never waits, never raises: it runs inside Tango's event consumer."""
        with self._lock:
            if len(self._items) < self._limit and self._weight < self._max_weight:
                self._items.append(item)
                self._weight += self._weigh(item)
            if len(self._items) > 1:
                return  # the task was woken by the first one
        with suppress(RuntimeError):  # the loop is closed: the item is not needed
            self._loop.call_soon_threadsafe(self._arrived.set)

    def take(self) -> list[T]:
        """Return all items that are there, oldest first."""
        with self._lock:
            items, self._items = self._items, []
            self._weight = 0
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
