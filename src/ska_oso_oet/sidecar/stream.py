"""The event stream: ``GET /stream``."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from typing import NoReturn

from starlette.types import Receive, Scope, Send

from ska_oso_oet.client import Controller, ControllerError, EventsNoLongerKeptError

from .feed import Epoch, EventFeed, lost_note
from .metrics import ControllerMetrics
from .ring import FallenBehindError, encode
from .sse import SseResponse, comment

LOGGER = logging.getLogger(__name__)

_BACKLOG_READ = 1000


class EventSource:
    """Resources of the service for streams.

    :param feed: the events to come
    :param controller: source of past events
    :param metrics: counts streams
    """

    def __init__(self, feed: EventFeed, controller: Controller, metrics: ControllerMetrics) -> None:
        self.feed = feed
        self.controller = controller
        self._metrics = metrics
        # If many clients reconnect at once, only a few at a time read their backlogs from the device.
        self.backlog_turns = asyncio.Semaphore(4)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count a stream as long as it lasts."""
        self.feed.streams += 1
        self._metrics.streams.set(self.feed.streams)
        try:
            yield
        finally:
            self.feed.streams -= 1
            self._metrics.streams.set(self.feed.streams)

    def dropped(self, reason: str) -> None:
        """Record that a stream had to be ended."""
        LOGGER.warning("A stream was dropped because its reader is too slow: %s", reason)
        self._metrics.dropped.inc()


class EventStreamResponse(SseResponse):
    """Sends events until the client leaves, falls too far behind, or the service ends.

    It keeps no events of its own: only the number of the last one it has sent.

    :param source: resources of the service
    :param after: number of the last event that the client knows; None for new events only
    """

    def __init__(self, source: EventSource, after: int | None) -> None:
        progress = Progress(source, after)
        # The sending task does not detect a client that reads nothing, because it waits for it.
        super().__init__(_placed(progress), [progress.fall_behind])
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream."""
        with self._source.counted():
            await super().__call__(scope, receive, send)

    def take_note(self, failure: Exception) -> None:
        """Record the reason for the end of the stream."""
        if isinstance(failure, FallenBehindError):
            self._source.dropped(str(failure))
        else:
            super().take_note(failure)


class Progress:
    """Position of a stream, and its next data.

    :param source: resources of the service
    :param after: number of the last event that the client knows; None for new events only
    :param past: how many events to begin with that have happened, if the client knows none
    """

    def __init__(self, source: EventSource, after: int | None, past: int = 0) -> None:
        self._source = source
        self._past = past
        self._feed = source.feed
        self._position = after
        self._beats = source.feed.beats
        self._unnumbered = source.feed.unnumbered.count
        self._epoch: Epoch | None = None
        """The epoch that is being sent, once the stream is up to date."""

    def place(self) -> bytes:
        """Return bytes with the number of the event before the stream, unless the client knows it.

        With it, a client that is disconnected before the first event misses none after it reconnects.
        """
        if self._position is not None or self._feed.epoch is None:
            return b""
        self._position = max(0, self._feed.epoch.ring.next - 1 - self._past)
        return f"id:{self._position}\n\n".encode()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield bytes to send, until the service ends.

        :raises FallenBehindError: if the reader is too slow
        """
        # A client that connects before the first event misses none.
        first = self._feed.epoch is None
        while (epoch := self._feed.epoch) is None:
            if self._feed.closing:
                return
            async for beat in self._wait():
                yield beat
        if self._position is None:
            self._position = (epoch.first if first else epoch.ring.next) - 1
        for part in (self._recognize, self._backlog):
            async for data in part(epoch):
                yield data
        self._epoch = epoch
        async for data in self._live():
            yield data

    async def _live(self) -> AsyncIterator[bytes]:
        assert self._epoch is not None  # noqa: S101
        while not self._feed.closing:
            if self._beat_is_due:
                yield self._heartbeat()
            if self._unnumbered != self._feed.unnumbered.count:
                yield self._unnumbered_events()
            if data := self._next_events(self._epoch):
                yield data
            elif self._epoch.following is not None:
                self._epoch = self._epoch.following
                self._position = self._epoch.first - 1
                yield comment(self._epoch.note)
            else:
                await self._feed.wait()

    def _next_events(self, epoch: Epoch) -> bytes:
        assert self._position is not None  # noqa: S101
        data, self._position = epoch.ring.read(self._position)
        return data

    def _unnumbered_events(self) -> bytes:
        known, self._unnumbered = self._unnumbered, self._feed.unnumbered.count
        return self._feed.unnumbered.read(known)

    async def fall_behind(self) -> NoReturn:
        """Wait until the next event to be sent is no longer available.

        :raises FallenBehindError: then
        """
        while True:
            await self._feed.wait_for_loss()
            if self._epoch is not None and self._position is not None:
                self._epoch.ring.require(self._position)

    async def _wait(self) -> AsyncIterator[bytes]:
        """Wait until there may be something to do, and yield a heartbeat if that is due."""
        await self._feed.wait()
        if self._beat_is_due:
            yield self._heartbeat()

    @property
    def _beat_is_due(self) -> bool:
        return self._beats != self._feed.beats

    def _heartbeat(self) -> bytes:
        self._beats = self._feed.beats
        return comment("" if self._feed.connected else "the controller does not answer; waiting for it")

    # Events before the stream was opened

    async def _recognize(self, epoch: Epoch) -> AsyncIterator[bytes]:
        """Make sure that the number the client knows is of this numbering, or begin with the first."""
        assert self._position is not None  # noqa: S101
        while self._position >= epoch.ring.next and not self._feed.closing:
            try:
                if await self._exists(self._position):
                    return
            except ControllerError:
                async for beat in self._wait():
                    yield beat
            else:
                self._position = 0
                yield comment("the controller has restarted the numbering of its events")

    async def _backlog(self, epoch: Epoch) -> AsyncIterator[bytes]:
        """Yield the events that are no longer in the ring, after the number that the client knows."""
        assert self._position is not None  # noqa: S101
        while self._position < epoch.ring.first - 1 and not self._feed.closing:
            try:
                data = await self._read_backlog(epoch)
            except EventsNoLongerKeptError as error:
                yield comment(lost_note(range(self._position + 1, error.first)))
                self._position = error.first - 1
            except ControllerError:
                # At the next heartbeat, or before, it may be available again.
                async for beat in self._wait():
                    yield beat
            else:
                yield data

    async def _read_backlog(self, epoch: Epoch) -> bytes:
        assert self._position is not None  # noqa: S101
        async with self._source.backlog_turns:
            events = await self._source.controller.past_raw_events(self._position, _BACKLOG_READ)
        # A controller that has restarted its numbering no longer knows these numbers.
        self._position = events[-1].seq if events else epoch.ring.first - 1
        return b"".join(encode(event) for event in events)

    async def _exists(self, seq: int) -> bool:
        """Return whether the controller knows an event that may not have arrived here yet."""
        try:
            return bool(await self._source.controller.past_raw_events(seq - 1, 1))
        except EventsNoLongerKeptError:
            return True


async def _placed(progress: Progress) -> AsyncGenerator[bytes]:
    """Yield the data of a stream: its beginning, then events."""
    yield b"\n" + progress.place()
    async for data in progress.chunks():
        yield data
