"""The status of a controller, read when the controller reports a change, for all streams that follow it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from ska_oso_oet.client import AttributeNews, Controller, ControllerError
from ska_oso_oet.model import ControllerStatus

from .feed import EventFeed

_PACE = 0.5
"""Seconds between two looks at the status: a script that reports its progress changes it all the time."""

_RECHECK = 15.0
"""Seconds after which the status is read without news: Tango does not report a change event that it loses."""

_RETRY = 1.0


class StatusFeed:
    """Reads the status of a controller whenever that changes, as long as there are followers.

    :param controller: the controller
    :param feed: its events, which show whether it can be reached
    """

    def __init__(self, controller: Controller, feed: EventFeed) -> None:
        self._controller = controller
        self._feed = feed
        self._followers = 0
        self._followed = asyncio.Event()
        self._changed = asyncio.Event()
        self._latest: ControllerStatus | None = None

    async def run(self) -> None:
        """Read the status until cancelled."""
        while True:
            await self._followed.wait()
            await self._feed.wait_for_connection(known=False)
            with suppress(ControllerError):
                async with self._controller.status_news as news:
                    await self._watch(news)
            self._latest = None
            await asyncio.sleep(_RETRY)

    async def follow(self) -> AsyncIterator[ControllerStatus]:
        """Yield the status as it is now, and then whenever it has changed, until the service ends."""
        self._followers += 1
        self._followed.set()
        known = None
        try:
            while not self._feed.closing:
                if self._latest is not None and self._latest != known:
                    known = self._latest
                    yield known
                else:
                    await self._changed.wait()
        finally:
            self._followers -= 1
            if not self._followers:
                self._followed.clear()

    def close(self) -> None:
        """Have those who follow look whether the service ends."""
        self._changed.set()
        self._changed.clear()

    async def _watch(self, news: AttributeNews) -> None:
        while self._followers and self._feed.connected:
            known = news.count
            self._take(await self._controller.status())
            await asyncio.sleep(_PACE)
            if news.count == known:
                await self._wait(news)

    def _take(self, status: ControllerStatus) -> None:
        self._latest = status
        self._changed.set()
        self._changed.clear()

    async def _wait(self, news: AttributeNews) -> None:
        """Wait until there is news, or the connection is lost, or it is time to look without news."""
        waiting = {
            asyncio.create_task(news.wait()),
            asyncio.create_task(self._feed.wait_for_connection(known=True)),
        }
        try:
            await asyncio.wait(waiting, timeout=_RECHECK, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
