"""Change events as a client receives them, with the time of their arrival."""

import queue
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol, Self

import tango
from tests.benchmarks.stack.stamp import stamp_of
from tests.benchmarks.stack.trigger import Trigger

TIMEOUT = 30.0
"""Seconds after which what has not come will not come."""

_CONNECTING = 0.1

HIGH_WATER_MARK = 100_000
"""Events that a client, and the bare server, keep for a slow reader. Tango's default is less than a burst."""


class EventsLostError(RuntimeError):
    """Tango has dropped events: what was measured is not what was to be measured."""


class Arrival(NamedTuple):
    """An event that has arrived.

    :param time: when, in nanoseconds of the monotonic clock
    :param text: the value that it brought
    """

    time: int
    text: str


class Receiver(Protocol):
    """Receives events, in whatever way they come."""

    def next(self) -> Arrival:
        """Wait for the next event."""
        ...

    def burst(self, size: int) -> Arrival:
        """Wait for the next events, and make sure that they come in order.

        :param size: how many
        :returns: the text of the first of them, with the time at which the last one came
        :raises EventsLostError: if one is missing, or comes out of order
        """
        ...


def _itself(value: Any) -> Sequence[str]:
    return (value,)


class Arrivals:
    """Receives the change events of one attribute, as a context manager.

    :param proxy: the device
    :param attribute: name of the attribute
    :param texts: returns the texts that a value consists of; by default it is one
    """

    def __init__(
        self,
        proxy: tango.DeviceProxy,
        attribute: str,
        texts: Callable[[Any], Sequence[str]] = _itself,
    ) -> None:
        self._proxy = proxy
        self._attribute = attribute
        self._texts = texts
        self._arrived: queue.SimpleQueue[Arrival | EventsLostError] = queue.SimpleQueue()
        self._subscription = 0

    def __enter__(self) -> Self:
        self._subscribe()
        return self

    def __exit__(self, *_: object) -> None:
        self._proxy.unsubscribe_event(self._subscription)

    @contextmanager
    def paused(self, trigger: Trigger) -> Iterator[None]:
        """Take no events as long as the context lasts, and leave the processor to others.

        :param trigger: has an event published, by which is seen that events come again
        """
        self._proxy.unsubscribe_event(self._subscription)
        try:
            yield
        finally:
            self._subscribe()
            self.settle(trigger)

    def settle(self, trigger: Trigger) -> None:
        """Wait until events come: Tango says that there is a subscription before its socket is connected.

        :param trigger: has events published
        """
        while not self._hears(trigger):
            pass

    def _hears(self, trigger: Trigger) -> bool:
        trigger.fire()
        try:
            self.next(_CONNECTING)
        except queue.Empty:
            return False
        return True

    def _subscribe(self) -> None:
        self._subscription = self._proxy.subscribe_event(
            self._attribute, tango.EventType.CHANGE_EVENT, self._on_event
        )
        self.next()  # the present value, which every subscription begins with

    def _on_event(self, event: tango.EventData) -> None:
        arrived = time.monotonic_ns()
        if event.err:
            self._arrived.put(EventsLostError(event.errors[0].desc))
        else:
            for text in self._texts(event.attr_value.value):
                self._arrived.put(Arrival(arrived, text))

    @property
    def waiting(self) -> bool:
        """Whether events have come that nobody has asked for."""
        return not self._arrived.empty()

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
        """Skip events until one is the right one, and return that.

        :param is_it: decides by its text
        :raises queue.Empty: if none comes in time
        """
        while not is_it((arrival := self.next()).text):
            pass
        return arrival

    def burst(self, size: int) -> Arrival:
        """Wait for the next events, and make sure that they come in order.

        :param size: how many
        :returns: the text of the first of them, with the time at which the last one came
        :raises queue.Empty: if no further one comes in time
        :raises EventsLostError: if Tango says so, or they have come in another order than they were made in
        """
        received = [self.next() for _ in range(size)]
        stamps = [stamp_of(arrival.text) for arrival in received]
        if stamps != sorted(stamps):
            raise EventsLostError("events have come in another order than they were published in")
        return Arrival(received[-1].time, received[0].text)
