"""Server-sent events as clients receive them, with the time of their arrival.

A client here is a bare socket whose bytes are searched for numbers and stamps: many of them in one thread
must be no heavier than what is measured.
"""

import re
import selectors
import socket
import time
from collections.abc import Callable
from itertools import count
from typing import Self

from tests.benchmarks.stack.arrivals import TIMEOUT, Arrival, EventsLostError
from tests.benchmarks.stack.stamp import stamp_of
from tests.benchmarks.stack.trigger import Trigger

_LOOPBACK = "127.0.0.1"
_READ_SIZE = 1 << 18
_NUMBER = re.compile(rb"\nid:(\d+)\n\n")
_STAMP = b"@"


class _Stream:
    """One client.

    :param port: TCP port of the server
    :param path: of the stream
    """

    def __init__(self, port: int, path: str) -> None:
        self.socket = socket.create_connection((_LOOPBACK, port), timeout=TIMEOUT)
        # HTTP/1.0: the body comes as it is, without the lengths of its pieces.
        self.socket.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        self._begin()
        self._rest = b""
        self._last_number: int | None = None
        self.stamped = 0
        """How many events that carry a stamp have come."""
        self.first_text = ""
        """The first of them since `restart`."""
        self.last_time = 0
        """When bytes came last, in nanoseconds of the monotonic clock."""
        self.last_stamp = 0
        """The stamp of the newest event that carries one."""

    def _begin(self) -> None:
        """Wait until the server sends events, which it shows by an empty line, and read nothing further."""
        received = b""
        while not received.endswith(b"\r\n\r\n\n"):
            received += self._receive(1)
        if b" 200 " not in received.splitlines()[0]:
            raise ConnectionError(f"the stream was refused: {received!r}")

    def restart(self) -> None:
        """Count from here on."""
        self.stamped = 0
        self.first_text = ""

    def read(self) -> None:
        """Take what has come.

        :raises EventsLostError: if a number is not the one after that of the event before
        """
        received = self._rest + self._receive(_READ_SIZE)
        self.last_time = time.monotonic_ns()
        complete = received.rfind(b"\n\n") + 2 if b"\n\n" in received else 0
        self._rest = received[complete:]
        if not (numbers := [int(number) for number in _NUMBER.findall(received, 0, complete)]):
            return
        self._check(numbers)
        stamped = received.count(_STAMP, 0, complete)
        if stamped and not self.stamped:
            self.first_text = _from(received, received.index(_STAMP))
        if stamped:
            self.last_stamp = stamp_of(_from(received, received.rindex(_STAMP, 0, complete)))
        self.stamped += stamped

    def _receive(self, size: int) -> bytes:
        if not (received := self.socket.recv(size)):
            raise EventsLostError("the server has ended the stream")
        return received

    def _check(self, numbers: list[int]) -> None:
        expected = numbers[0] if self._last_number is None else self._last_number + 1
        if numbers != list(range(expected, expected + len(numbers))):
            pairs = zip(count(expected), numbers, strict=False)
            wanted, found = next((wanted, found) for wanted, found in pairs if wanted != found)
            raise EventsLostError(f"event {wanted} was to come, not {found}")
        self._last_number = numbers[-1]


def _from(received: bytes, begin: int) -> str:
    """Return the rest of a line."""
    return received[begin : received.index(b"\n", begin)].decode()


class Streams:
    """Clients of one event stream, as a context manager.

    :param port: TCP port of the server
    :param path: of the stream
    :param clients: how many
    """

    def __init__(self, port: int, path: str, clients: int = 1) -> None:
        self._port = port
        self._path = path
        self._clients = clients
        self._streams: list[_Stream] = []

    def __enter__(self) -> Self:
        self._selector = selectors.DefaultSelector()
        for _ in range(self._clients):
            stream = _Stream(self._port, self._path)
            self._streams.append(stream)
            self._selector.register(stream.socket, selectors.EVENT_READ, stream)
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        for stream in self._streams:
            stream.socket.close()

    def settle(self, trigger: Trigger) -> None:
        """Let go by what was published before: a server may still be busy sending it.

        :param trigger: has the event published that ends it
        :raises TimeoutError: if it does not come in time
        """
        now = time.monotonic_ns()
        trigger.fire()
        self._read_until(lambda stream: stream.last_stamp > now)

    def next(self) -> Arrival:
        """Wait until each client has the next stamped event, and return it, with the time of the slowest one.

        :raises EventsLostError: if an event is missing, or comes out of order
        :raises TimeoutError: if it does not come in time
        """
        return self.burst(1)

    def burst(self, size: int) -> Arrival:
        """Wait until each client has the next stamped events.

        :param size: how many
        :returns: the text of the first of them, with the time at which the slowest client had all of them
        :raises EventsLostError: if an event is missing, or comes out of order
        :raises TimeoutError: if one does not come in time
        """
        for stream in self._streams:
            stream.restart()
        self._read_until(lambda stream: stream.stamped >= size)
        if any(stream.stamped > size for stream in self._streams):
            raise EventsLostError(f"more than the {size} events have come that were published")
        return Arrival(max(stream.last_time for stream in self._streams), self._streams[0].first_text)

    def _read_until(self, is_done: Callable[[_Stream], bool]) -> None:
        """Read what comes, until something is so of each client's stream."""
        waiting = set(self._streams)
        while waiting:
            if not (ready := self._selector.select(TIMEOUT)):
                raise TimeoutError(f"{len(waiting)} of {len(self._streams)} clients wait for events")
            for key, _ in ready:
                key.data.read()
                if is_done(key.data):
                    waiting.discard(key.data)
