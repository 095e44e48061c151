"""The event stream: every event once and in order, whatever happens to the device on the way."""

import asyncio
import contextlib
import itertools
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.support.oet_stack import DEVICE, OetStack, oet_stack
from tests.support.patience import PATIENCE
from tests.support.tango_stack import database

from ska_oso_oet.client import Controller, EventBatch, EventStream, RawEvent, event_stream
from ska_oso_oet.client.device import TangoDevice
from ska_oso_oet.model import ProcedureInput, ProcedureState

BURST = 20_000
COMPLETE = '"topic":"procedure.lifecycle.complete"'


async def _collect(stream: EventStream, sign: str, timeout: float = PATIENCE) -> list[EventBatch]:
    """Return the batches up to the one with an event that holds a text."""
    batches: list[EventBatch] = []
    async with asyncio.timeout(timeout):
        async for batch in stream:
            batches.append(batch)
            if any(sign in event.text for event in batch.events):
                return batches
    raise AssertionError("the stream has ended")


def _events(batches: list[EventBatch]) -> list[RawEvent]:
    return [event for batch in batches for event in batch.events]


def _is_gapless(events: list[RawEvent]) -> bool:
    return [event.seq for event in events] == list(range(events[0].seq, events[0].seq + len(events)))


async def _run(oet: Controller, uri: str, **arguments: int) -> None:
    async with asyncio.timeout(PATIENCE):
        # The script of another test may be about to end.
        while (await oet.status()).running_procedure is not None:
            await asyncio.sleep(0.01)
    created = await oet.create(uri)
    await oet.wait(created, PATIENCE)
    await oet.start(created.subject, ProcedureInput(**dict(arguments)))


def test_a_burst_arrives_whole_even_when_the_inbox_is_full(
    stack: OetStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whatever Tango drops by itself, this makes sure that much is dropped.
    monkeypatch.setattr(event_stream, "INBOX_LIMIT", 500)

    async def receive() -> list[RawEvent]:
        async with Controller(stack.device) as oet, oet.raw_events() as stream:
            await _run(oet, stack.uri("burst"), count=BURST)
            return _events(await _collect(stream, COMPLETE))

    events = asyncio.run(receive())
    assert _is_gapless(events)
    assert sum('"msg":"message ' in event.text for event in events) == BURST


def test_the_newest_events_arrive_though_the_subscription_has_lost_them(
    stack: OetStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "INBOX_LIMIT", 0)

    async def receive() -> list[RawEvent]:
        async with Controller(stack.device) as oet, oet.raw_events() as stream:
            await _run(oet, stack.uri("burst"), count=10)
            return _events(await _collect(stream, COMPLETE))

    assert _is_gapless(asyncio.run(receive()))


def test_long_events_are_answered_a_few_at_a_time(stack: OetStack) -> None:
    async def receive() -> tuple[list[RawEvent], list[RawEvent]]:
        async with Controller(stack.device) as oet, oet.raw_events() as live:
            await _run(oet, stack.uri("burst"), count=40, size=900_000)
            expected = _events(await _collect(live, COMPLETE))
            before = expected[0].seq - 1
            answer = await oet.past_raw_events(before, limit=10_000)
            assert 1 < len(answer) < 40
            assert answer == expected[: len(answer)]
            async with oet.raw_events(after=before) as late:
                return expected, _events(await _collect(late, COMPLETE))

    expected, received = asyncio.run(receive())
    assert received == expected


def test_a_stream_begins_after_the_number_that_it_is_given(stack: OetStack) -> None:
    async def receive() -> tuple[list[RawEvent], list[RawEvent]]:
        async with Controller(stack.device) as oet:
            async with oet.raw_events() as live:
                await _run(oet, stack.uri("burst"), count=50)
                events = _events(await _collect(live, COMPLETE))
            async with oet.raw_events(after=events[9].seq) as late:
                return events[10:], _events(await _collect(late, COMPLETE))

    expected, received = asyncio.run(receive())
    assert [event.parse() for event in received] == [event.parse() for event in expected]


def test_events_of_one_topic_as_models(stack: OetStack) -> None:
    async def receive() -> list[str]:
        async with Controller(stack.device) as oet, oet.events(topic="user.script") as events:
            await _run(oet, stack.uri("burst"), count=3)
            texts: list[str] = []
            async for event in events:
                texts.append(event.fields["msg"])
                if len(texts) == 3:
                    break
            return texts

    assert [text.split()[1] for text in asyncio.run(receive())] == ["0", "1", "2"]


def test_a_stream_that_is_closed_ends_for_its_reader(stack: OetStack) -> None:
    async def read_and_close() -> list[EventBatch]:
        async with Controller(stack.device) as oet:
            stream = await oet.raw_events().__aenter__()

            async def read() -> list[EventBatch]:
                return [batch async for batch in stream]

            reading = asyncio.create_task(read())
            while not stream.connected:
                await asyncio.sleep(0)
            await stream.aclose()
            return await asyncio.wait_for(reading, PATIENCE)

    assert not _events(asyncio.run(read_and_close()))


def test_whoever_stops_waiting_can_go_on_and_misses_nothing(stack: OetStack) -> None:
    async def receive() -> list[str]:
        async with Controller(stack.device) as oet, oet.events(topic="user.script") as events:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(events), 0.05)
            await _run(oet, stack.uri("burst"), count=200)
            texts: list[str] = []
            async with asyncio.timeout(PATIENCE):
                for attempt in itertools.count():
                    if len(texts) == 200:
                        break
                    # Interrupted wherever it is, most of the times.
                    waiting = asyncio.create_task(anext(events))
                    for _ in range(attempt % 7):
                        await asyncio.sleep(0)
                    waiting.cancel()
                    await asyncio.wait({waiting})
                    if not waiting.cancelled():
                        texts.append(waiting.result().fields["msg"])
            return texts

    assert [int(text.split()[1]) for text in asyncio.run(receive())] == list(range(200))


# What is left


class Subscriptions:
    """Counts the subscriptions that there are, and can make Tango slow to open another one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open: set[int] = set()
        self.may_open = threading.Event()
        self.may_open.set()
        self.opening = threading.Event()
        subscribe, unsubscribe = TangoDevice.subscribe, TangoDevice.unsubscribe

        def counted_subscribe(device: TangoDevice, attribute: str, callback: Callable[[Any], None]) -> int:
            self.opening.set()
            assert self.may_open.wait(PATIENCE)
            event_id = subscribe(device, attribute, callback)
            self.open.add(event_id)
            return event_id

        def counted_unsubscribe(device: TangoDevice, event_id: int) -> None:
            unsubscribe(device, event_id)
            self.open.remove(event_id)

        monkeypatch.setattr(TangoDevice, "subscribe", counted_subscribe)
        monkeypatch.setattr(TangoDevice, "unsubscribe", counted_unsubscribe)


@pytest.fixture
def subscriptions(monkeypatch: pytest.MonkeyPatch) -> Subscriptions:
    return Subscriptions(monkeypatch)


def test_a_stream_that_is_cancelled_while_it_connects_leaves_no_subscription(
    stack: OetStack, subscriptions: Subscriptions
) -> None:
    async def connect_and_cancel() -> None:
        async with Controller(stack.device) as oet:
            subscriptions.may_open.clear()
            connecting = asyncio.create_task(oet.raw_events().__aenter__())
            await asyncio.to_thread(subscriptions.opening.wait, 20)
            connecting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await connecting
            subscriptions.may_open.set()

    asyncio.run(connect_and_cancel())
    _wait_for_threads()
    assert not subscriptions.open


def test_a_stream_that_is_closed_while_it_connects_leaves_no_subscription(
    stack: OetStack, subscriptions: Subscriptions
) -> None:
    async def connect_and_close() -> list[EventBatch]:
        async with Controller(stack.device) as oet:
            stream = oet.raw_events()

            async def read() -> list[EventBatch]:
                return [batch async for batch in stream]

            subscriptions.may_open.clear()
            reading = asyncio.create_task(read())
            await asyncio.to_thread(subscriptions.opening.wait, 20)
            await stream.aclose()
            subscriptions.may_open.set()
            return await asyncio.wait_for(reading, PATIENCE)

    assert asyncio.run(connect_and_close()) == []
    _wait_for_threads()
    assert not subscriptions.open


def test_closing_the_client_ends_its_streams(stack: OetStack, subscriptions: Subscriptions) -> None:
    async def leave_them_open() -> None:
        oet = Controller(stack.device)
        streams = [await oet.raw_events().__aenter__() for _ in range(3)]
        events = await oet.events().__aenter__()
        await oet.wait(await oet.create(stack.uri("hold")), 20)
        assert len(subscriptions.open) == 5
        await oet.aclose()
        for stream in streams:
            assert [batch async for batch in stream] == []
        assert [event async for event in events] == []

    asyncio.run(leave_them_open())
    assert not subscriptions.open


def _wait_for_threads() -> None:
    for thread in threading.enumerate():
        if "oet-client" in thread.name:
            thread.join(PATIENCE)


# The device goes away and comes back


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OetStack]:
    with oet_stack(tmp_path_factory.mktemp("own")) as stack:
        yield stack


@pytest.fixture(autouse=True)
def _fresh(request: pytest.FixtureRequest) -> None:
    """Let each test that starts the device begin with one that has no past."""
    if "own_stack" in request.fixturenames:
        shutil.rmtree(request.getfixturevalue("own_stack").state, ignore_errors=True)


@asynccontextmanager
async def _running(stack: OetStack) -> AsyncIterator[None]:
    """Run the device server; it is killed in the end."""
    with contextlib.ExitStack() as exit_stack:
        process = await asyncio.to_thread(exit_stack.enter_context, stack.controller())
        yield
        process.kill()


def test_a_device_that_is_killed_and_started_again_costs_no_event(own_stack: OetStack) -> None:
    async def receive() -> list[EventBatch]:
        async with Controller(own_stack.device) as oet, oet.raw_events() as stream:
            # The device is not there yet: the stream waits for it, and says so.
            assert DEVICE in (stream.failure or "")
            async with _running(own_stack):
                await anext(stream)
                assert stream.failure is None
                await oet.create(own_stack.uri("hold"))
                batches = await _collect(stream, '"new_state":"READY"')
            async with _running(own_stack):
                batches += await _collect(stream, '"new_state":"UNKNOWN"')
                await _run(oet, own_stack.uri("burst"), count=100)
                return batches + await _collect(stream, COMPLETE)

    batches = asyncio.run(receive())
    assert _is_gapless(_events(batches))
    assert not any(batch.restarted or batch.lost for batch in batches)


def test_a_controller_that_has_forgotten_everything_is_followed_from_its_first_event(
    own_stack: OetStack,
) -> None:
    async def run(count: int) -> None:
        async with Controller(own_stack.device) as oet:
            await _run(oet, own_stack.uri("burst"), count=count)

    async def receive() -> tuple[list[EventBatch], list[EventBatch]]:
        async with Controller(own_stack.device) as oet, oet.raw_events() as stream:
            async with _running(own_stack):
                await anext(stream)
                await run(5)
                before = await _collect(stream, COMPLETE)
            shutil.rmtree(own_stack.state)
            async with _running(own_stack):
                # More events than before: so a greater newest number shows nothing.
                await run(100)
                return before, await _collect(stream, COMPLETE)

    before, after = asyncio.run(receive())
    assert _is_gapless(_events(before))
    assert _is_gapless(_events(after))
    assert _events(after)[0].seq == 1
    assert next(batch for batch in after if batch.events).restarted


def test_what_the_controller_no_longer_keeps_is_named(own_stack: OetStack) -> None:
    database(own_stack.tango_host).put_device_property(DEVICE, {"EventRetention": ["50"]})

    async def receive() -> EventBatch:
        async with _running(own_stack), Controller(own_stack.device) as oet:
            await _run(oet, own_stack.uri("burst"), count=2000)
            async with oet.raw_events() as live:
                if (await oet.procedure()).state is not ProcedureState.COMPLETE:
                    await _collect(live, COMPLETE)
            async with oet.raw_events(after=1) as late:
                return await anext(late)

    batch = asyncio.run(receive())
    assert batch.lost.start == 2
    assert batch.lost.stop == batch.events[0].seq == batch.first


def test_closing_leaves_no_thread(stack: OetStack) -> None:
    def names() -> set[str]:
        return {thread.name for thread in threading.enumerate() if "oet-client" in thread.name}

    async def use() -> None:
        async with Controller(stack.device) as oet, oet.raw_events() as stream:
            await anext(stream)

    asyncio.run(use())
    for thread in threading.enumerate():
        if thread.name in names():
            thread.join(PATIENCE)
    assert not names()
