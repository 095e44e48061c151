"""Iterator of the events of a controller, as models."""

import logging
from collections import deque
from typing import Self

from ska_oso_oet.model import Event

from .event_stream import EventStream
from .raw_events import RawEvent

LOGGER = logging.getLogger(__name__)


class Events:
    """An asynchronous iterator of events to come, as models. See `Controller.events`.

    A caller that stops waiting for the next one, by a time-out or an interruption, can continue later and
    misses none.

    :param stream: where they come from
    :param topic: only topics that begin with this
    """

    def __init__(self, stream: EventStream, topic: str) -> None:
        self._stream = stream
        self._topic = topic
        self._pending: deque[RawEvent] = deque()

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stream.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while True:
            while self._pending:
                event = self._pending.popleft().parse()
                if event.topic.startswith(self._topic):
                    return event
            batch = await anext(self._stream)
            if batch.lost:
                LOGGER.warning("Events %d to %d are no longer kept", batch.lost.start, batch.lost.stop - 1)
            self._pending.extend(batch.events)
