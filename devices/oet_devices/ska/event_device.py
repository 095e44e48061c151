"""A Tango device that pushes the events of all its attributes itself, State and Status included."""

import inspect
import logging
from collections.abc import Sequence
from typing import Any, ClassVar

import tango
from tango.server import Device, attribute

from .clients import client_of
from .end_signals import ending_signal
from .publisher import EventPublisher
from .texts import tango_text

LOGGER = logging.getLogger(__name__)

_CLOSE_TIMEOUT = 2.0
"""Seconds that a server which is shut down waits for the last events of a device to be pushed."""


class EventDevice(Device):
    """A device whose attributes have change and archive events that are pushed by code.

    Reads and events have the same values; the events are a moment later, because a thread of their own pushes
    them.

    The life of a device has four places in code. `compose` makes the objects that exist as long as the
    device, once. `init_device` begins, at the start and at each Init; `delete_device` ends, before each Init
    and before the device is destroyed. `read_properties` is called by `init_device` and by Reset.
    """

    WITHOUT_EVENTS: ClassVar[frozenset[str]] = frozenset()
    """Names of attributes that have no events."""

    CHANGE_EVENTS_ONLY: ClassVar[frozenset[str]] = frozenset()
    """Names of attributes that have change events, but no archive events."""

    publisher: EventPublisher
    property_fault: str | None = None
    """Why the device's properties cannot be used as they are; None if they can."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Have clients see the descriptions of attributes without the indentation of the code."""
        super().__init_subclass__(**kwargs)
        for declared in vars(cls).values():
            if isinstance(declared, attribute):
                shown = declared.att_prop
                shown.description = inspect.cleandoc(shown.description)

    def __init__(self, tango_class: Any, name: str) -> None:
        # Tango's own constructor calls init_device.
        self.compose()
        super().__init__(tango_class, name)

    def compose(self) -> None:
        """Create the objects that outlive Init. The device's name and properties are not known yet."""
        self.publisher = EventPublisher(self, self.CHANGE_EVENTS_ONLY)

    def init_device(self) -> None:
        """Read the properties, and get ready to push events."""
        self.read_properties()
        attributes = self.get_device_attr()
        count = attributes.get_attr_nb()
        self._attributes = [attributes.get_attr_by_ind(index).get_name() for index in range(count)]
        for name in self._attributes:
            self._declare_events(name)
        self.publisher.open()

    def read_attr_hardware(self, attr_list: Sequence[int]) -> None:
        """Called by Tango before attributes are read.

        :param attr_list: numbers of the attributes
        """
        for number in attr_list:
            self.publisher.on_read(self._attributes[number])

    def read_properties(self) -> None:
        """Read the properties from the Tango database, and note in `property_fault` if one is wrong."""
        self.property_fault = None
        try:
            self.get_device_properties()
        except (ValueError, TypeError, tango.DevFailed) as error:
            # PyTango names the property, its value and the type that it should have.
            text = error.args[0].desc if isinstance(error, tango.DevFailed) else str(error)
            self.property_fault = text
            LOGGER.error("%s: %s", self.get_name(), text)

    @property
    def is_going(self) -> bool:
        """Whether the device is about to be destroyed: its server ends, or it is restarted, or all are.

        For `delete_device`, which Init calls as well: then the device continues.
        """
        return self.departure is not None

    @property
    def departure(self) -> str | None:
        """Why the device is about to be destroyed, as a clause; None if it is not. See `is_going`."""
        server = tango.Util.instance()
        if server.is_device_restarting(self.get_name()):
            client = client_of(server.get_dserver_device())
            by = "" if client is None else f" of {client.program} on {client.host}"
            return f"the device was restarted by DevRestart{by}"
        # The admin device's RestartServer destroys all devices under the flag of their creation.
        if server.is_svr_starting():
            return "all devices of the server were restarted by RestartServer"
        if server.is_svr_shutting_down():
            return f"the device server was ended by {ending_signal() or 'Kill'}"
        return None

    def delete_device(self) -> None:
        """Push the last events, and end the thread that does so; after Init it continues."""
        if self.is_going:
            self.publisher.close()
            # A push of a destroyed device would end the server.
            self.publisher.finish(_CLOSE_TIMEOUT)
        super().delete_device()

    def status_text(self) -> str:
        """Return Status. A subclass may override it."""
        return f"The device is in {self.dev_state()} state."

    def dev_status(self) -> str:
        """Return the present status, for people."""
        self.publisher.on_read("Status")
        return self._status()

    def _status(self) -> str:
        # PyTango wraps `dev_status` into functions of its own, which take longer than all of this.
        return tango_text(self.status_text())

    def announce_status(self) -> None:
        """Announce that the meaning of the status has changed. Any thread may call this, holding no lock."""
        if self.publisher.is_wanted("Status"):
            self.publish("Status", self._status())
        # Of two threads that do this at once, the one with the older text may come last. So the text is
        # computed again when all waiting events have been pushed; if it is still the same, no event is
        # pushed.
        self.publisher.submit_latest("Status", self._status)

    def publish(self, name: str, value: Any) -> None:
        """Push events of an attribute. Any thread may call this; it does not wait.

        :param name: name of the attribute
        :param value: its new value
        """
        self.publisher.submit(name, value)

    def _declare_events(self, name: str) -> None:
        if name in self.WITHOUT_EVENTS:
            return
        self.set_change_event(name, True, False)
        if name not in self.CHANGE_EVENTS_ONLY:
            self.set_archive_event(name, True, False)
