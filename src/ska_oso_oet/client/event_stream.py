"""Stream of the events of a controller: in order, each exactly once, also after connections were lost.

Tango's change events are fast and not reliable: a subscriber whose socket is full loses some, a device that
restarts forgets its subscribers, and neither is reported. The numbers of the events show it, and GetEvents
returns the missing ones. So the subscription is the fast way, and the device is asked

- when a number is missing,
- when nothing has arrived for a moment: the newest events may have been lost,
- and then every few seconds, which also detects a device that has ended or restarted.

Each request includes the last known event. If that one has changed, the numbering has restarted, and so does
the stream.
"""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import NamedTuple, Self

from ska_oso_oet.model import EVENTS_IN_ANSWER

from .device import Subscription
from .errors import ControllerError, EventsNoLongerKeptError
from .inbox import Inbox
from .link import DeviceLink
from .raw_events import RawEvent, read_list

LOGGER = logging.getLogger(__name__)

INBOX_LIMIT = 20_000
"""Maximum number of change events that wait for the reader. Further ones are dropped, and requested later."""

INBOX_CHARACTERS = 64 << 20
"""Maximum length of these together, in characters."""

FETCH_LIMIT = 5_000
"""Events that are requested at a time."""

_QUIET = 0.25
"""Seconds without an event after which the device is asked whether the newest ones were lost."""
_KEEP_ALIVE = 2.0
"""Seconds between two requests to a device that is quiet."""
_RETRY = 0.5
"""Seconds between two attempts to reach a device that is unavailable."""
_FIRST_RETRY = 0.05
"""Seconds before the second attempt; each later pause is twice as long as the one before it."""


@dataclass
class EventBatch:
    """Events that follow each other, and those of the batch before. It is empty where nothing happened.

    :param first: number of the first of these events, or of the next one to come
    :param events: the events, oldest first
    :param restarted: whether the controller restarted the numbering before these events
    :param lost: numbers of events before these that the controller no longer keeps
    """

    first: int
    events: list[RawEvent] = field(default_factory=list)
    restarted: bool = False
    lost: range = range(0)


class PastEvents(NamedTuple):
    """Answer of a controller to a request for events.

    :param events: the events, oldest first
    :param complete: whether these are all that there are
    """

    events: list[RawEvent]
    complete: bool


async def fetch_events(link: DeviceLink, after: int, limit: int = FETCH_LIMIT, topic: str = "") -> PastEvents:
    """Ask a controller for events that it keeps.

    :param link: the controller
    :param after: only events with a greater number
    :param limit: how many at most
    :param topic: only topics that begin with this
    :raises EventsNoLongerKeptError: if events after `after` are no longer kept
    :raises ControllerError: if the device cannot answer
    """
    query = {"after": after, "limit": limit, "topic": topic}
    answer = await link.command("GetEvents", json.dumps(query))
    events = read_list(answer)
    return PastEvents(events, len(events) < limit and len(answer) < EVENTS_IN_ANSWER)


class EventStream:
    """An asynchronous iterator of batches, for one reader. It ends when it is closed, not before.

    Entering the context connects, if the device is there: from then on no event is missed. If the device
    is not there the stream waits for it, then and at any later time. Whenever it has connected there is a
    batch, be it an empty one.

    :param link: the controller
    :param after: number of the event to begin after; None for those that are yet to happen
    :param on_connection: called whenever `connected` has changed
    """

    def __init__(
        self, link: DeviceLink, after: int | None = None, on_connection: Callable[[], None] | None = None
    ) -> None:
        self._link = link
        self._position = after
        self._last: RawEvent | None = None
        self._inbox: Inbox[str | None] = Inbox(INBOX_LIMIT, lambda text: len(text or ""), INBOX_CHARACTERS)
        self._ready: deque[EventBatch] = deque()
        self._subscription: Subscription | None = None
        self._heard = 0
        self._limit = FETCH_LIMIT
        self._behind = False
        self._patience = _QUIET
        self._unheard_news = 0
        self._closed = False
        self._pause = _FIRST_RETRY
        self.lost_since: datetime | None = datetime.now(UTC)
        """When the device was found to be unavailable; None while it is connected."""
        self.failure: str | None = None
        """Why it could not connect, or the connection was lost; None while it is connected."""
        self._on_connection = on_connection or (lambda: None)

    @property
    def connected(self) -> bool:
        """Whether the device was there when it was last asked."""
        return self._subscription is not None

    @property
    def position(self) -> int | None:
        """Number of the newest event that was received; None if it is not known where to begin."""
        return self._position

    async def __aenter__(self) -> Self:
        try:
            await self._connect()
        except ControllerError as error:
            await self._note_failure(error)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the stream, and its subscription."""
        self._closed = True
        self._inbox.put(None)  # wakes a reader
        await self._disconnect()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> EventBatch:
        while not self._ready and not self._closed:
            try:
                await self._advance()
            except ControllerError as error:
                await self._lose(error)
        if self._closed:
            await self._disconnect()  # it may have been closed while it was connecting
            raise StopAsyncIteration
        return self._ready.popleft()

    async def _advance(self) -> None:
        """Take one step that may bring events."""
        if self._subscription is None:
            await self._connect()
        elif self._behind:
            await self._catch_up()
        elif not await self._inbox.wait(self._patience):
            await self._check()
            self._patience = _KEEP_ALIVE
        elif not self._closed:
            await self._digest(self._inbox.take())
            self._patience = _QUIET

    # The connection

    async def _connect(self) -> None:
        # It cannot be read while the server starts: a subscription at that moment would spoil its events.
        newest = int(await self._link.read("lastEventId"))
        if self._position is None:
            self._position = newest
        self._inbox.take()
        self._subscription = await self._link.subscribe("events", self._inbox.put)
        self.lost_since = self.failure = None
        self._pause = _FIRST_RETRY
        self._on_connection()
        self._heard = self._unheard_news = 0
        first = self._known + 1
        await self._catch_up()
        if not self._ready:
            self._ready.append(EventBatch(first))

    async def _disconnect(self) -> None:
        if self._subscription is not None:
            subscription, self._subscription = self._subscription, None
            self._on_connection()
            await self._link.unsubscribe(subscription)

    async def _lose(self, error: ControllerError) -> None:
        await self._note_failure(error)
        await asyncio.sleep(self._pause)
        self._pause = min(2 * self._pause, _RETRY)

    async def _note_failure(self, error: ControllerError) -> None:
        """Record why the device cannot be used, and end the connection."""
        if self._subscription is not None:
            LOGGER.warning("Events are interrupted: %s", error)
            self.lost_since = datetime.now(UTC)
        elif str(error) != self.failure:
            LOGGER.info("There are no events yet: %s", error)
        self.failure = str(error)
        await self._disconnect()

    async def _check(self) -> None:
        """Check that a quiet device has no new events: else, the second time, subscribe again."""
        before = self._position
        restarted = await self._catch_up()
        self._unheard_news = 0 if self._position == before else self._unheard_news + 1
        if restarted or self._unheard_news > 1:
            await self._disconnect()

    # The events

    async def _digest(self, texts: list[str | None]) -> None:
        """Process the events that the subscription has brought."""
        waiting = deque(texts)
        while waiting:
            if self._follow(waiting):
                continue
            text = waiting.popleft()
            event = RawEvent.read(text) if text is not None else None
            if self._is_doubtful(text, event):
                await self._catch_up()
                if self._behind:
                    return  # what is left of the texts will come from there, too

    def _follow(self, waiting: deque[str | None]) -> bool:
        """Deliver the events that follow each other without a gap. Returns whether there were any.

        :param waiting: what was brought, oldest first; these are taken from it
        """
        batch = EventBatch(self._known + 1)
        expected, events = batch.first, batch.events
        while waiting and (text := waiting[0]) is not None:
            event = RawEvent.read(text)
            if event is None or event.seq != expected:
                break
            waiting.popleft()
            events.append(event)
            expected += 1
        if events:
            self._hear(events[-1])
            self._note(events[-1])
            self._deliver(batch)
        return bool(events)

    def _is_doubtful(self, text: str | None, event: RawEvent | None) -> bool:
        """Return whether the device must be asked for events that the subscription has not brought."""
        if event is None:
            return text is None  # Tango reports an error, e.g. missing heartbeats of the server
        backwards = event.seq <= self._heard
        self._hear(event)
        # The events in between were requested already, and arrive late.
        return backwards or event.seq > self._known

    def _hear(self, event: RawEvent) -> None:
        self._heard = event.seq
        self._unheard_news = 0

    @property
    def _known(self) -> int:
        return self._position or 0

    def _note(self, event: RawEvent) -> None:
        self._last = event
        self._position = event.seq

    def _deliver(self, batch: EventBatch) -> None:
        if batch.events or batch.restarted or batch.lost:
            self._ready.append(batch)

    async def _catch_up(self) -> bool:
        """Request the following events. Returns whether the numbering has restarted."""
        batch = await self._fetch()
        if batch.events:
            self._note(batch.events[-1])
        self._deliver(batch)
        return batch.restarted

    async def _fetch(self) -> EventBatch:
        """Request the following events, and check that they follow the known ones."""
        known = self._known
        if known == 0:
            return await self._fetch_oldest(1)
        try:
            # The last known event is requested again: it shows whether the numbering is still the same.
            events = await self._ask(known - 1)
        except EventsNoLongerKeptError as error:
            return await self._fetch_oldest(error.first)
        if events and self._is_last(events[0]):
            self._last = events[0]
            return EventBatch(known + 1, events[1:])
        LOGGER.warning("The controller has restarted the numbering of its events")
        self._position, self._last, self._heard = 0, None, 0
        oldest = await self._fetch_oldest(1)
        return replace(oldest, restarted=True)

    async def _fetch_oldest(self, first: int) -> EventBatch:
        """Request the oldest events that the device keeps, from a number on."""
        while True:
            try:
                events = await self._ask(first - 1)
                return EventBatch(first, events, lost=range(self._known + 1, first))
            except EventsNoLongerKeptError as error:
                first = error.first

    def _is_last(self, event: RawEvent) -> bool:
        if self._last is None:  # the reader has named a number, and nothing else is known of that event
            return event.seq == self._position
        return event.identity == self._last.identity

    async def _ask(self, after: int) -> list[RawEvent]:
        limit = self._limit
        try:
            events, complete = await fetch_events(self._link, after, limit)
        except EventsNoLongerKeptError:
            raise
        except ControllerError:
            # It may have taken too long: fewer events are faster. Two is one that is not known yet.
            self._limit = max(2, limit // 8)
            raise
        self._behind = not complete
        self._limit = min(FETCH_LIMIT, 2 * limit)
        return events
