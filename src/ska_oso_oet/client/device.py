"""Tango, as far as the client needs it: calls that wait, and subscriptions. No asyncio in here."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import tango

from .errors import DeviceTimeoutError, InvalidRequestError, controller_error

LOGGER = logging.getLogger(__name__)

EventSink = Callable[[Any], None]
"""Is told each value of an attribute, or None for an error, by a thread of Tango. It must not wait."""


class TangoDevice:
    """A device server's device. Any thread may use it, and each call waits for its answer.

    The connection is made by the first call and mended by later ones, so that this can be had
    without the device, and without the Tango database.

    :param name: ``domain/family/member``, or ``tango://host:port/domain/family/member``
    :param timeout: seconds that the device may take to answer
    """

    def __init__(self, name: str, timeout: float) -> None:
        self.name = name
        self._timeout = timeout
        self._lock = threading.Lock()
        self._proxy: tango.DeviceProxy | None = None

    def command(self, command: str, argument: Any = None) -> Any:
        """Return what a command answers.

        :param command: its name
        :param argument: its argument
        :raises ControllerError: if it fails
        """
        with self._tango() as proxy:
            return proxy.command_inout(command, *(() if argument is None else (argument,)))

    def read(self, attribute: str) -> Any:
        """Return the value of an attribute.

        :raises ControllerError: if it cannot be read
        """
        with self._tango() as proxy:
            return proxy.read_attribute(attribute).value

    def ping(self) -> None:
        """Make sure that the device answers.

        :raises ControllerError: if it does not
        """
        with self._tango() as proxy:
            proxy.ping()

    def subscribe(self, attribute: str, sink: EventSink) -> "Subscription":
        """Have a function told the value of an attribute, now and whenever it changes.

        :param attribute: name of the attribute
        :param sink: the function
        :raises ControllerError: if the device is not there
        """
        subscription = Subscription(sink)
        with self._tango() as proxy:
            event_id = proxy.subscribe_event(attribute, tango.EventType.CHANGE_EVENT, subscription.on_event)
        subscription.opened(self, event_id)
        return subscription

    def unsubscribe(self, event_id: int) -> None:
        """End a subscription. For `Subscription`."""
        with self._tango() as proxy:
            proxy.unsubscribe_event(event_id)

    @contextmanager
    def _tango(self) -> Iterator["tango.DeviceProxy"]:
        """Lend the proxy to a thread that Tango does not know, and translate what it raises."""
        with tango.EnsureOmniThread():
            try:
                yield self._connected()
            except tango.DevFailed as failure:
                raise controller_error(self.name, failure) from failure
            except UnicodeEncodeError as error:
                text = f"Tango can send Latin-1 texts only, and not {error.object[error.start]!r}."
                raise InvalidRequestError(text) from None

    def _connected(self) -> "tango.DeviceProxy":
        if self._proxy is not None:
            return self._proxy
        # One attempt at a time: proxies that are made and dropped beside each other can hang in cppTango.
        if not self._lock.acquire(timeout=self._timeout):
            raise DeviceTimeoutError(f"The device {self.name} could not be connected in {self._timeout} s.")
        try:
            if self._proxy is None:
                # Whatever PYTANGO_GREEN_MODE says: the callers bring threads of their own.
                proxy = tango.DeviceProxy(self.name, green_mode=tango.GreenMode.Synchronous)
                proxy.set_timeout_millis(round(1000 * self._timeout))
                self._proxy = proxy
            return self._proxy
        finally:
            self._lock.release()


class Subscription:
    """A subscription to the change events of one attribute.

    :param sink: told the values
    """

    def __init__(self, sink: EventSink) -> None:
        self._sink = sink
        self._open = True
        self._device: TangoDevice | None = None
        self._event_id = 0

    def opened(self, device: TangoDevice, event_id: int) -> None:
        """Take note of what Tango knows this subscription by."""
        self._device, self._event_id = device, event_id

    def on_event(self, event: Any) -> None:
        """Pass on an event. Called by threads of Tango, for every event: it must be short."""
        if self._open:
            self._sink(None if event.err else event.attr_value.value)

    def close(self) -> None:
        """Have no more values told. Never raises: a device that is gone sends nothing anyway."""
        self._open = False
        if self._device is not None:
            device, self._device = self._device, None
            try:
                device.unsubscribe(self._event_id)
            except Exception:
                LOGGER.debug("Could not unsubscribe from %s", device.name, exc_info=True)
