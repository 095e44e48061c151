"""Change events as a client receives them, with the time of their arrival."""

import queue
import time
from collections.abc import Callable
from typing import NamedTuple, Self

import tango

TIMEOUT = 30.0
"""Seconds after which what has not come will not come."""


HIGH_WATER_MARK = 100_000
"""Events that a client, and the bare server, hold for who is slow. Tango's default is less than a burst here."""


class EventsLostError(RuntimeError):
    """Tango has dropped events: what was measured is not what was to be measured."""


class Arrival(NamedTuple):
    """An event that has arrived.

    :param time: when, in nanoseconds of the monotonic clock
    :param text: the value that it brought
    """

    time: int
    text: str


class Arrivals:
    """Receives the change events of one text attribute, as a context manager.

    :param proxy: the device
    :param attribute: name of the attribute
    """

    def __init__(self, proxy: tango.DeviceProxy, attribute: str) -> None:
        self._proxy = proxy
        self._attribute = attribute
        self._arrived: queue.SimpleQueue[Arrival | EventsLostError] = queue.SimpleQueue()
        self._subscription = 0

    def __enter__(self) -> Self:
        self._subscription = self._proxy.subscribe_event(
            self._attribute, tango.EventType.CHANGE_EVENT, self._on_event
        )
        self.next()  # the present value, which every subscription begins with
        return self

    def __exit__(self, *_: object) -> None:
        self._proxy.unsubscribe_event(self._subscription)

    def _on_event(self, event: tango.EventData) -> None:
        arrived = time.monotonic_ns()
        if event.err:
            self._arrived.put(EventsLostError(event.errors[0].desc))
        else:
            self._arrived.put(Arrival(arrived, event.attr_value.value))

    def next(self, timeout: float = TIMEOUT) -> Arrival:
        """Wait for the next event.

        :param timeout: seconds
        :raises queue.Empty: if none comes in time
        :raises EventsLostError: if Tango says so
        """
        arrival = self._arrived.get(timeout=timeout)
        if isinstance(arrival, EventsLostError):
            raise arrival
        return arrival

    def until(self, is_it: Callable[[str], bool]) -> Arrival:
        """Pass over events until one is the right one, and return that.

        :param is_it: tells from its text
        :raises queue.Empty: if none comes in time
        """
        while not is_it((arrival := self.next()).text):
            pass
        return arrival

    def take(self, count: int) -> list[Arrival]:
        """Return the next events.

        :param count: how many
        :raises queue.Empty: if no further one comes in time
        """
        return [self.next() for _ in range(count)]
