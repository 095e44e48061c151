"""Tango events as a list that a test can wait for."""

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import tango
from tests.support.patience import patience, wait_until

_ARRIVES = patience(0.5)
"""Seconds after which an event that has not come is taken as lost."""

_SWITCHES = ("testMode", "simulationMode", "controlMode")
"""Attributes with two values that a test may write."""


class Event(NamedTuple):
    """Content of an event, under the name that it was subscribed by."""

    attribute: str
    value: Any


class EventLog:
    """The events of some attributes of one device, in the order of their arrival."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._events: list[Event] = []
        self.errors: list[str] = []

    @property
    def events(self) -> list[Event]:
        """All events up to now."""
        with self._changed:
            return list(self._events)

    def of(self, attribute: str) -> list[Any]:
        """Return the values that events of one attribute brought, up to now."""
        return [event.value for event in self.events if event.attribute == attribute]

    def clear(self) -> None:
        """Forget the events up to now."""
        with self._changed:
            self._events.clear()

    def wait_until(self, condition: Callable[["EventLog"], Any]) -> None:
        """Wait until the events fulfil a condition.

        :param condition: is given this object
        :raises AssertionError: if it is not fulfilled in time
        """
        wait_until(lambda: condition(self), "events", self._changed, lambda: (self._events, self.errors))

    def wait_for(self, attribute: str, value: Any) -> None:
        """Wait until an event brings a value.

        :raises AssertionError: if none does in time
        """
        self.wait_until(lambda log: value in log.of(attribute))

    def callback(self, attribute: str) -> Callable[[tango.EventData], None]:
        """Return a function that notes the events of an attribute."""

        def on_event(event: tango.EventData) -> None:
            with self._changed:
                if event.err:
                    self.errors.extend(f"{attribute}: {error.desc}" for error in event.errors)
                else:
                    self._events.append(Event(attribute, event.attr_value.value))
                self._changed.notify_all()

        return on_event


def settle(proxy: tango.DeviceProxy, attribute: str = _SWITCHES[0]) -> None:
    """Wait until all that this process has subscribed to at a device's server is in effect there.

    Tango hands a subscription to ZeroMQ and does not wait until the server has it: what is pushed in that
    moment is lost. Subscriptions get there in order, so an event of the last one proves the earlier ones.

    :param proxy: an SKA device
    :param attribute: one with the values 0 and 1; it is left as it was
    :raises AssertionError: if no event comes in time
    """
    arrived = threading.Event()
    subscription = proxy.subscribe_event(
        attribute, tango.EventType.CHANGE_EVENT, lambda _event: arrived.set()
    )

    before = proxy.read_attribute(attribute).value

    def arrives() -> bool:
        # Only a change has an event.
        proxy.write_attribute(attribute, 1 - proxy.read_attribute(attribute).value)
        return arrived.wait(_ARRIVES)

    try:
        arrived.clear()
        wait_until(arrives, f"event of {attribute}")
    finally:
        proxy.unsubscribe_event(subscription)
        proxy.write_attribute(attribute, before)


@contextmanager
def listen(
    proxy: tango.DeviceProxy,
    attributes: Collection[str],
    kind: tango.EventType = tango.EventType.CHANGE_EVENT,
) -> Iterator[EventLog]:
    """Subscribe to events as long as the context lasts.

    :param proxy: the device
    :param attributes: names of attributes
    :param kind: change or archive events
    :raises tango.DevFailed: if one of them has no such events
    :returns: the events; the first of each attribute are there already
    """
    log = EventLog()
    subscriptions: list[int] = []
    try:
        for name in attributes:
            subscriptions.append(proxy.subscribe_event(name, kind, log.callback(name)))  # noqa: PERF401
        # One that is not listened to, or its events would be among those that the test asked for.
        settle(proxy, next((name for name in _SWITCHES if name not in attributes), _SWITCHES[0]))
        yield log
    finally:
        for subscription in subscriptions:
            proxy.unsubscribe_event(subscription)
