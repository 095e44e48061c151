"""Blocking access to a Tango device: calls and subscriptions, without asyncio."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import tango

from .errors import DeviceAwayError, DeviceTimeoutError, InvalidRequestError, controller_error

LOGGER = logging.getLogger(__name__)

EventSink = Callable[[Any], None]
"""Callback with each value of an attribute, or None for an error, in a thread of Tango. It must not wait."""


_MOST_GIVEN_UP = 5
"""Proxies that have never reached the device and are replaced. It is exported a moment before it answers."""


class TangoDevice:
    """A Tango device. Any thread may use it, and each call waits for its answer.

    The first call connects, and later calls connect again where needed: this object can be created without
    the device, and without the Tango database.

    :param name: ``domain/family/member``, or ``tango://host:port/domain/family/member``
    :param timeout: seconds that the device may take to answer
    """

    def __init__(self, name: str, timeout: float) -> None:
        self.name = name
        self._timeout = timeout
        self._lock = threading.Lock()
        self._proxy: tango.DeviceProxy | None = None
        self._was_reached = False
        self._given_up: list[tango.DeviceProxy] = []
        self._argument_types: dict[str, tango.CmdArgType] = {}

    def command(self, command: str, argument: Any = None) -> Any:
        """Return the answer of a command.

        :param command: its name
        :param argument: its argument
        :raises ControllerError: if it fails
        """
        with self._tango() as proxy:
            if argument is None:
                return proxy.command_inout(command)
            try:
                return proxy.command_inout(command, self._data(proxy, command, argument))
            except tango.DevFailed:
                # Another version of the device may have been started.
                self._argument_types.pop(command, None)
                raise

    def _data(self, proxy: "tango.DeviceProxy", command: str, argument: Any) -> "tango.DeviceData":
        """Return the argument of a command in Tango's form.

        PyTango asks the device for the type with each command, which takes as long as the command itself.
        """
        kind = self._argument_types.get(command)
        if kind is None:
            kind = self._argument_types[command] = proxy.command_query(command).in_type
        data = tango.DeviceData()
        data.insert(kind, argument)
        return data

    def read(self, attribute: str) -> Any:
        """Return the value of an attribute.

        :raises ControllerError: if it cannot be read
        """
        with self._tango() as proxy:
            return proxy.read_attribute(attribute).value

    def read_all(self, *attributes: str) -> list[Any]:
        """Return the values of several attributes, read in one call.

        :param attributes: their names
        :raises ControllerError: if one of them cannot be read
        """
        with self._tango() as proxy:
            return [read.value for read in proxy.read_attributes(list(attributes))]

    def write(self, attribute: str, value: Any) -> None:
        """Write an attribute.

        :raises ControllerError: if it cannot be written
        """
        with self._tango() as proxy:
            # PyTango raises SystemError for some lists of texts that it cannot encode.
            for item in value if isinstance(value, list) else []:
                str(item).encode("latin-1")
            proxy.write_attribute(attribute, value)

    def ping(self) -> None:
        """Make sure that the device answers.

        :raises ControllerError: if it does not
        """
        with self._tango() as proxy:
            proxy.ping()

    def subscription(self, attribute: str, sink: EventSink) -> "Subscription":
        """Return a subscription to the value of an attribute that is not open yet.

        :param attribute: name of the attribute
        :param sink: called with the value when it is opened, and whenever it changes
        """
        return Subscription(self, attribute, sink)

    def subscribe(self, attribute: str, callback: Callable[[Any], None]) -> int:
        """Subscribe a function to Tango's events. For `Subscription`.

        :raises ControllerError: if the device is not there
        """
        with self._tango() as proxy:
            event_id: int = proxy.subscribe_event(attribute, tango.EventType.CHANGE_EVENT, callback)
            return event_id

    def unsubscribe(self, event_id: int) -> None:
        """End a subscription. For `Subscription`."""
        with self._tango() as proxy:
            proxy.unsubscribe_event(event_id)

    @contextmanager
    def _tango(self) -> Iterator["tango.DeviceProxy"]:
        """Provide the proxy for a thread that Tango does not know, and translate its exceptions."""
        with tango.EnsureOmniThread():
            proxy: tango.DeviceProxy | None = None
            try:
                proxy = self._connected()
                yield proxy
                self._was_reached = True
            except tango.DevFailed as failure:
                error = controller_error(self.name, failure)
                if isinstance(error, DeviceAwayError) and not self._was_reached:
                    self._give_up(proxy)
                raise error from failure
            except UnicodeEncodeError as error:
                text = f"Tango can send Latin-1 texts only, and not {error.object[error.start]!r}."
                raise InvalidRequestError(text) from None

    def _connected(self) -> "tango.DeviceProxy":
        if self._proxy is not None:
            return self._proxy
        # One attempt at a time: proxies that are created and dropped at the same time can hang in cppTango.
        if not self._lock.acquire(timeout=self._timeout):
            raise DeviceTimeoutError(f"The device {self.name} could not be connected in {self._timeout} s.")
        try:
            if self._proxy is None:
                self._require_server()
                # PYTANGO_GREEN_MODE is ignored: the callers have threads of their own.
                proxy = tango.DeviceProxy(self.name, green_mode=tango.GreenMode.Synchronous)
                proxy.set_timeout_millis(round(1000 * self._timeout))
                self._proxy = proxy
            return self._proxy
        finally:
            self._lock.release()

    def _give_up(self, proxy: "tango.DeviceProxy | None") -> None:
        """Have the next call create another proxy than this one, once there is a server.

        A proxy whose attempt to connect has failed makes none within the next second. A client that is
        started together with the device would wait for that second.
        """
        with self._lock:
            if proxy is not None and proxy is self._proxy and len(self._given_up) < _MOST_GIVEN_UP:
                # Kept: to drop a proxy is what can hang.
                self._given_up.append(proxy)
                self._proxy = None

    def _require_server(self) -> None:
        """Check, after a failed attempt, that the Tango database knows of a server that serves the device.

        :raises DeviceAwayError: if there is none
        """
        if not self._given_up:
            return
        proxy = self._given_up[-1]
        if proxy.is_dbase_used() and not proxy.get_device_db().import_device(proxy.dev_name()).exported:
            raise DeviceAwayError(
                f"The device {self.name} cannot be reached: its device server does not run",
                "API_DeviceNotExported",
            )


class Subscription:
    """A subscription to the change events of one attribute. See `TangoDevice.subscription`.

    It may be closed before Tango has answered: then it is closed as soon as it is open.

    :param device: the device
    :param attribute: name of the attribute
    :param sink: called with the values
    """

    def __init__(self, device: TangoDevice, attribute: str, sink: EventSink) -> None:
        self._device = device
        self._attribute = attribute
        self._sink = sink
        self._lock = threading.Lock()
        self._wanted = True
        self._event_id: int | None = None

    def open(self) -> None:
        """Open the subscription: the sink is called with the present value and with each later one.

        :raises ControllerError: if the device is not there
        """
        event_id = self._device.subscribe(self._attribute, self._on_event)
        with self._lock:
            self._event_id = event_id
        if not self._wanted:
            self.close()

    def renounce(self) -> None:
        """End the calls of the sink at once; `open`, if in progress, or `close` unsubscribes from Tango."""
        with self._lock:
            self._wanted = False

    def close(self) -> None:
        """Close the subscription. Never raises: a device that has ended sends nothing anyway."""
        self.renounce()
        with self._lock:
            event_id, self._event_id = self._event_id, None
        if event_id is None:
            return
        try:
            self._device.unsubscribe(event_id)
        except Exception:
            LOGGER.debug("Could not unsubscribe from %s", self._device.name, exc_info=True)

    def _on_event(self, event: Any) -> None:
        """Pass on an event. Called by threads of Tango, for every event: it must be short."""
        if self._wanted:
            self._sink(None if event.err else event.attr_value.value)
