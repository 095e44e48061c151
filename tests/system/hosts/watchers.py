"""Readers of the event streams of all controllers of a gateway, that connect again as a browser does."""

import asyncio
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tests.support.patience import wait_until
from tests.support.sse_client import SseClient

_RETRY = 0.2
"""Seconds between two attempts to connect."""


class Watcher:
    """Reads the stream of one controller, from its first event on.

    :param host: address of the gateway
    :param port: its port
    :param number: of the controller's subarray
    """

    def __init__(self, host: str, port: int, number: int) -> None:
        self._host, self._port, self._number = host, port, number
        self.ids: list[int] = []
        self.events: list[dict[str, Any]] = []

    def __str__(self) -> str:
        return f"the watcher of subarray {self._number}, at {self.ids[-1:]}"

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            last = self.ids[-1] if self.ids else 0
            client = SseClient(self._port, last, f"/subarrays/{self._number}", self._host)
            try:
                await client.open()
                await self._read(client)
            except (ConnectionError, asyncio.IncompleteReadError):
                await asyncio.sleep(_RETRY)
            finally:
                await client.close()

    async def _read(self, client: SseClient) -> None:
        seen = 0
        while await client.read():
            self.ids += client.ids[seen:]
            self.events += client.events[seen:]
            seen = len(client.ids)

    def numbers(self, topic: str) -> list[int]:
        """Return what the events of a topic of a script count, in the order of their arrival."""
        return [event["n"] for event in list(self.events) if event["topic"] == topic]


def wait_for_more(watchers: Iterable[Watcher], topic: str, count: int) -> None:
    """Wait until all have received some more events of a topic of a script.

    :param topic: the topic
    :param count: how many more
    :raises AssertionError: if they do not arrive in time
    """
    before = {watcher: len(watcher.numbers(topic)) for watcher in watchers}

    def behind() -> list[Watcher]:
        return [watcher for watcher in before if len(watcher.numbers(topic)) < before[watcher] + count]

    wait_until(lambda: not behind(), f"{count} events of {topic}", seen=lambda: list(map(str, behind())))


@contextmanager
def watching(host: str, port: int, numbers: Iterable[int]) -> Iterator[dict[int, Watcher]]:
    """Read the streams of some controllers, in one thread, as long as the context lasts.

    :param host: address of the gateway
    :param port: its port
    :param numbers: of the controllers' subarrays
    """
    watchers = {number: Watcher(host, port, number) for number in numbers}
    loop = asyncio.new_event_loop()

    async def run() -> None:
        await asyncio.gather(*(watcher.run() for watcher in watchers.values()))

    reading = loop.create_task(run())

    def read() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(reading)

    thread = threading.Thread(target=read, name="watchers")
    thread.start()
    try:
        yield watchers
    finally:
        loop.call_soon_threadsafe(reading.cancel)
        thread.join()
        loop.close()
