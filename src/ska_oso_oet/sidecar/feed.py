"""Event feed: the one subscription of a service to the controller's events, and the streams that wait."""

import asyncio
import logging
from datetime import UTC, datetime

from ska_oso_oet.client import Controller, EventBatch, EventStream

from .metrics import ControllerMetrics
from .ring import Ring, UnnumberedEvents

LOGGER = logging.getLogger(__name__)

_PACE_PER_STREAM = 0.0002
"""Seconds by which each stream extends the interval at which all are woken under load.

The first event after a pause is sent at once. With more streams, more events are sent together, so that the
work for an event is shared, and requests are answered in between.
"""

_RESTART_DELAY = 1.0


class Epoch:
    """A sequence of events whose numbers follow each other without a gap.

    :param ring: the newest of them
    :param note: for streams that come from the epoch before: why that has ended
    """

    def __init__(self, ring: Ring, note: str = "") -> None:
        self.ring = ring
        self.first = ring.first
        self.note = note
        self.following: Epoch | None = None
        """The next epoch, once this one has ended."""


class EventFeed:
    """Receives the events of the controller, and wakes the streams that send them on.

    :param controller: source of the events
    :param metrics: counts them
    :param max_lag: how many events to keep for streams that are behind
    :param heartbeat: seconds between two times that all streams are woken, also without events
    """

    def __init__(
        self, controller: Controller, metrics: ControllerMetrics, max_lag: int, heartbeat: float
    ) -> None:
        self._controller = controller
        self._metrics = metrics
        self._max_lag = max_lag
        self._heartbeat = heartbeat
        self._stream: EventStream | None = None
        self._created = datetime.now(UTC)
        self._pulse = asyncio.Event()
        self._last_pulse = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._trimmed = asyncio.Event()
        self._connection_changed = asyncio.Event()
        self.attempted = asyncio.Event()
        """Set after the first attempt to reach the device."""
        self.epoch: Epoch | None = None
        """The present epoch; None until the device was reached for the first time."""
        self.unnumbered = UnnumberedEvents()
        """Events for the present listeners only, in addition to those of the epoch."""
        self.streams = 0
        """How many streams send events at present."""
        self.beats = 0
        """How many heartbeats there have been."""
        self.closing = False
        """Whether streams are to end."""

    @property
    def connected(self) -> bool:
        """Whether the device was there when it was last asked."""
        return self._stream is not None and self._stream.connected

    @property
    def last_event(self) -> int | None:
        """Number of the newest event that was received; None before the first connection."""
        return None if self.epoch is None else self.epoch.ring.next - 1

    @property
    def lost_since(self) -> datetime | None:
        """When the device was found to be unavailable; None while it is there."""
        return self._stream.lost_since if self._stream is not None else self._created

    @property
    def failure(self) -> str | None:
        """Why no events are received; None while they are, and before the first attempt."""
        return None if self._stream is None else self._stream.failure

    async def run(self) -> None:
        """Receive events until cancelled."""
        beating = asyncio.create_task(self._beat(), name="event heartbeat")
        try:
            while True:
                try:
                    await self._receive()
                except Exception:
                    LOGGER.exception("The events of %s were interrupted", self._controller.device)
                await asyncio.sleep(_RESTART_DELAY)
        finally:
            beating.cancel()

    async def wait(self) -> None:
        """Wait until there may be events, or a heartbeat, or the service ends."""
        if not self.closing:
            await self._pulse.wait()

    async def wait_for_loss(self) -> None:
        """Wait until events were dropped that a stream may still need."""
        await self._trimmed.wait()

    async def wait_for_connection(self, known: bool) -> None:
        """Wait until the availability of the device changes, or the service ends.

        :param known: the known availability
        """
        while self.connected is known and not self.closing:
            await self._connection_changed.wait()

    def publish_unnumbered(self, chunk: bytes) -> None:
        """Send an event without a number to the streams that are open.

        :param chunk: the event in the form of server-sent events, without ``id:``
        """
        self.unnumbered.append(chunk)
        self._announce()

    def close(self) -> None:
        """End all streams."""
        self.closing = True
        _pulse(self._connection_changed)
        self._wake()

    async def _receive(self) -> None:
        after = self.epoch.ring.next - 1 if self.epoch is not None else None
        async with self._controller.raw_events(after, self._on_connection) as stream:
            self._stream = stream
            self.attempted.set()
            self._on_connection()
            async for batch in stream:
                self._take(batch)

    def _on_connection(self) -> None:
        _pulse(self._connection_changed)

    def _take(self, batch: EventBatch) -> None:
        if self.epoch is None or batch.restarted or batch.first != self.epoch.ring.next:
            self._begin_epoch(batch)
        assert self.epoch is not None  # noqa: S101
        oldest = self.epoch.ring.first
        self.epoch.ring.append(batch.events)
        if self.epoch.ring.first != oldest:
            _pulse(self._trimmed)
        self._metrics.events.inc(len(batch.events))
        self._announce()

    def _begin_epoch(self, batch: EventBatch) -> None:
        note = ""
        if batch.restarted:
            note = "the controller has restarted the numbering of its events"
        elif batch.lost:
            note = lost_note(batch.lost)
        epoch = Epoch(Ring(self._max_lag, batch.first), note)
        if self.epoch is not None:
            self.epoch.following = epoch
        self.epoch = epoch

    # Waking the streams

    def _announce(self) -> None:
        """Wake the streams at once, or if that was done a moment ago, in a moment."""
        if self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        delay = self._last_pulse + _PACE_PER_STREAM * self.streams - loop.time()
        if delay <= 0:
            self._wake()
        else:
            self._timer = loop.call_later(delay, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._last_pulse = asyncio.get_running_loop().time()
        _pulse(self._pulse)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat)
            self.beats += 1
            self._wake()


def _pulse(event: asyncio.Event) -> None:
    """Wake all that wait now; later ones wait for the next time."""
    event.set()
    event.clear()


def lost_note(lost: range) -> str:
    """Return the comment for the readers of a stream that misses events.

    :param lost: their numbers
    """
    return f"events {lost.start} to {lost.stop - 1} are no longer kept"
