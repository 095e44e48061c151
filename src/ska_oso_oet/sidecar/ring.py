"""Ring buffer of the newest events, each encoded once for all streams."""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from itertools import islice

from ska_oso_oet.client import RawEvent
from ska_oso_oet.model import OetError

MAX_BYTES = 64 << 20
"""Memory that the ring may take: it has room for fewer long events."""

MAX_UNNUMBERED_BYTES = 2 << 20
"""Memory that events without a number may take."""

_MAX_READ = 64 << 10
"""Bytes that a stream is given at a time, if it is more than one event."""


class FallenBehindError(OetError):
    """A reader wants events that are no longer in the ring."""


def encode(event: RawEvent) -> bytes:
    """Return an event in the form of server-sent events.

    Source: WHATWG HTML, 9.2 Server-sent events. There is no ``event:`` line: clients that listen to messages
    only would miss named events.

    :param event: its text is a single line
    """
    return f"data:{event.text}\nid:{event.seq}\n\n".encode()


class Ring:
    """Encoded events with consecutive numbers. A reader keeps only the number of its last event.

    :param max_events: maximum number of events
    :param first: number of the first event to come
    :param max_bytes: maximum number of bytes
    """

    def __init__(self, max_events: int, first: int, max_bytes: int = MAX_BYTES) -> None:
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._first = first
        self._chunks: list[bytes] = []
        # Bytes from some beginning up to the end of each chunk: sums of any range follow by subtraction.
        self._ends: list[int] = []
        self._joined: tuple[int, int, bytes] = (0, 0, b"")

    @property
    def first(self) -> int:
        """Number of the oldest event in the ring, or of the next one if it is empty."""
        return self._first

    @property
    def next(self) -> int:
        """Number of the event to come."""
        return self._first + len(self._chunks)

    def append(self, events: Sequence[RawEvent]) -> None:
        """Add events.

        :param events: the first of them has the number `next`, and so on
        """
        end = self._ends[-1] if self._ends else 0
        for event in events:
            chunk = encode(event)
            end += len(chunk)
            self._chunks.append(chunk)
            self._ends.append(end)
        self._trim()

    def require(self, after: int) -> None:
        """Make sure that no event is missing after one.

        :param after: its number
        :raises FallenBehindError: if the next one is no longer in the ring
        """
        if after + 1 < self._first:
            raise FallenBehindError(f"events from {after + 1} on are wanted, {self._first} is the oldest")

    def read(self, after: int) -> tuple[bytes, int]:
        """Return encoded events, oldest first, and the number of the last of them.

        :param after: only events with a greater number
        :raises FallenBehindError: if the next one is no longer in the ring
        """
        self.require(after)
        begin = after + 1 - self._first
        if begin >= len(self._chunks):
            return b"", after
        sent = self._ends[begin - 1] if begin else self._ends[0] - len(self._chunks[0])
        end = max(begin + 1, bisect_right(self._ends, sent + _MAX_READ))
        last = self._first + end - 1
        # Streams that keep up request the same part.
        if self._joined[:2] != (after, last):
            self._joined = (after, last, b"".join(self._chunks[begin:end]))
        return self._joined[2], last

    def _trim(self) -> None:
        """Drop the oldest events, a tenth at a time: that keeps the cost of each event constant."""
        held = self._ends[-1] - self._ends[0] if self._ends else 0
        if len(self._chunks) <= self._max_events * 1.1 and held <= self._max_bytes * 1.1:
            return
        surplus = len(self._chunks) - self._max_events
        too_old = bisect_right(self._ends, self._ends[-1] - self._max_bytes)
        drop = min(max(surplus, too_old), len(self._chunks) - 1)
        del self._chunks[:drop], self._ends[:drop]
        self._first += drop


class UnnumberedEvents:
    """Encoded events for the present listeners. A reader that is slow misses some of them.

    :param max_bytes: maximum number of bytes; the newest event is always kept
    """

    def __init__(self, max_bytes: int = MAX_UNNUMBERED_BYTES) -> None:
        self._max_bytes = max_bytes
        self._chunks: deque[bytes] = deque()
        self._bytes = 0
        self._count = 0

    @property
    def count(self) -> int:
        """How many there have been."""
        return self._count

    def append(self, chunk: bytes) -> None:
        """Add an event."""
        self._chunks.append(chunk)
        self._count += 1
        self._bytes += len(chunk)
        while self._bytes > self._max_bytes and len(self._chunks) > 1:
            self._bytes -= len(self._chunks.popleft())

    def read(self, after: int) -> bytes:
        """Return the events in the buffer, without the first `after` of all."""
        missing = min(self._count - after, len(self._chunks))
        return b"".join(islice(self._chunks, len(self._chunks) - missing, None)) if missing else b""
