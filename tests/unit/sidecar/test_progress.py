"""Data of a stream, by the events of the feed."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.support.patience import PATIENCE

from ska_oso_oet.client import Controller, EventBatch, RawEvent
from ska_oso_oet.sidecar.feed import EventFeed
from ska_oso_oet.sidecar.metrics import Metrics
from ska_oso_oet.sidecar.ring import FallenBehindError, encode
from ska_oso_oet.sidecar.stream import EventSource, Progress


def _events(*numbers: int) -> list[RawEvent]:
    return [RawEvent(number, float(number), f'{{"seq":{number}}}') for number in numbers]


class Streams:
    """Streams of a feed whose events come from the test.

    :param kept: how many events the feed keeps
    """

    def __init__(self, kept: int = 100) -> None:
        controller = Controller("tango://127.0.0.1:1/no/such/device")
        metrics = Metrics().of(1, "test/oet/1")
        self.feed = EventFeed(controller, metrics, kept, heartbeat=60)
        self._source = EventSource(self.feed, controller, metrics)

    def open(self, after: int | None = None) -> Progress:
        """Open a stream after an event, or now."""
        return Progress(self._source, after)

    def receive(self, first: int, *numbers: int) -> None:
        """Have the feed receive events with these numbers, where the first was expected."""
        self.feed._take(EventBatch(first, _events(*numbers)))


async def _let_others_run() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def _next(chunks: AsyncIterator[bytes]) -> bytes:
    return await asyncio.wait_for(anext(chunks), 5)


def test_who_is_there_before_the_first_event_does_not_miss_it() -> None:
    async def read() -> bytes:
        streams = Streams()
        waiting = asyncio.create_task(_next(streams.open().chunks()))
        await _let_others_run()
        streams.receive(8, 8, 9)
        return await waiting

    assert asyncio.run(read()) == b"".join(encode(event) for event in _events(8, 9))


def test_who_comes_later_begins_with_what_happens_then() -> None:
    async def read() -> bytes:
        streams = Streams()
        streams.receive(8, 8, 9)
        waiting = asyncio.create_task(_next(streams.open().chunks()))
        await _let_others_run()
        streams.receive(10, 10)
        return await waiting

    assert asyncio.run(read()) == encode(*_events(10))


def test_who_knows_an_event_gets_those_after_it() -> None:
    async def read() -> bytes:
        streams = Streams()
        streams.receive(8, 8, 9, 10)
        return await _next(streams.open(after=8).chunks())

    assert asyncio.run(read()) == b"".join(encode(event) for event in _events(9, 10))


def test_who_does_not_send_hears_that_it_has_fallen_behind() -> None:
    async def stall() -> None:
        streams = Streams(kept=10)
        streams.receive(1, 1)
        progress = streams.open(after=0)
        chunks = progress.chunks()
        await _next(chunks)
        falling = asyncio.create_task(progress.fall_behind())
        await _let_others_run()
        streams.receive(2, *range(2, 9))
        await _let_others_run()
        assert not falling.done()
        streams.receive(9, *range(9, 40))
        await asyncio.wait_for(falling, PATIENCE)

    with pytest.raises(FallenBehindError, match="events from 2 on"):
        asyncio.run(stall())


def test_who_is_there_gets_events_without_a_number_once() -> None:
    async def read() -> list[bytes]:
        streams = Streams()
        streams.receive(8, 8)
        streams.feed.publish_unnumbered(b"data:before\n\n")
        chunks = streams.open().chunks()
        waiting = asyncio.create_task(_next(chunks))
        await _let_others_run()
        streams.feed.publish_unnumbered(b"data:listed\n\n")
        first = await waiting
        streams.receive(9, 9)
        return [first, await _next(chunks)]

    assert asyncio.run(read()) == [b"data:listed\n\n", encode(*_events(9))]
