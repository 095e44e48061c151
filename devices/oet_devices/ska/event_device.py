"""A Tango device that pushes the events of all its attributes itself, State and Status included."""

import logging
from typing import Any, ClassVar

import tango
from tango.server import Device

from .publisher import EventPublisher
from .texts import tango_text

LOGGER = logging.getLogger(__name__)

_CLOSE_TIMEOUT = 2.0
"""Seconds that a server which is shut down waits for the last events of a device to be pushed."""


class EventDevice(Device):
    """A device whose attributes have change and archive events that are pushed by code.

    What clients read and what events say comes from the same values; only the events are a moment
    later, for they are pushed by a thread of their own.
    """

    WITHOUT_EVENTS: ClassVar[frozenset[str]] = frozenset()
    """Names of attributes that have no events."""

    CHANGE_EVENTS_ONLY: ClassVar[frozenset[str]] = frozenset()
    """Names of attributes that have change events, but no archive events."""

    publisher: EventPublisher
    property_fault: str | None
    """Why the device's properties cannot be used as they are; None if they can."""

    def init_device(self) -> None:
        """Read the properties, and get ready to push events."""
        self.read_properties(first=True)
        self._state = tango.DevState.INIT
        attributes = self.get_device_attr()
        for index in range(attributes.get_attr_nb()):
            self._declare_events(attributes.get_attr_by_ind(index).get_name())
        if "publisher" not in self.__dict__:
            # It outlives Init: whoever has events to submit may keep it.
            self.publisher = EventPublisher(self, self.CHANGE_EVENTS_ONLY)
        self.publisher.open()

    def read_properties(self, *, first: bool = False) -> None:
        """Read the properties from the Tango database, and note in `property_fault` if one is wrong.

        :param first: whether the device is being made
        """
        self.property_fault = None
        try:
            if first:
                super().init_device()
            else:
                self.get_device_properties()
        except (ValueError, TypeError, tango.DevFailed) as error:
            # PyTango names the property, its value and the type that it should have.
            text = error.args[0].desc if isinstance(error, tango.DevFailed) else str(error)
            self.property_fault = text
            LOGGER.error("%s: %s", self.get_name(), text)

    @property
    def is_going(self) -> bool:
        """Whether the device is about to be destroyed: its server ends, or it is restarted, or all are.

        To be asked in `delete_device`, which Init calls as well: then the device goes on.
        """
        server = tango.Util.instance()
        # The admin device's RestartServer destroys all devices under the flag of their making.
        restarts = server.is_svr_starting() or server.is_device_restarting(self.get_name())
        return bool(restarts or server.is_svr_shutting_down())

    def delete_device(self) -> None:
        """Push the last events, and end the thread that does so; after Init it goes on."""
        if self.is_going:
            self.publisher.close()
            # A push of a device that is gone would end the server.
            self.publisher.finish(_CLOSE_TIMEOUT)
        super().delete_device()

    def dev_state(self) -> tango.DevState:
        """Return the state of this moment: events of it may still wait to be pushed."""
        return self._state

    def dev_status(self) -> str:
        """Return the status of this moment, for people."""
        return tango_text(self.status_text())

    def status_text(self) -> str:
        """Return what Status reads as. To be overridden by whoever has more to say."""
        return f"The device is in {self._state} state."

    def change_state(self, state: tango.DevState) -> bool:
        """Enter a state and announce it. Call `announce_status` after this, holding no lock.

        :param state: the new state; nothing happens if the device is in it
        :returns: whether it is another state than before
        """
        if state == self._state:
            return False
        self._state = state
        self.publish("State", state)
        return True

    def announce_status(self) -> None:
        """Announce that the meaning of the status has changed. Any thread may call this."""
        if self.publisher.is_wanted("Status"):
            self.publish("Status", self.dev_status())
        # Of two threads that do this at once, the one with the older text may come last. So the text is
        # made again when all that waits has been pushed; if it is still the same, nobody hears of that.
        self.publisher.submit_latest("Status", self.dev_status)

    def publish(self, name: str, value: Any) -> None:
        """Have events of an attribute pushed. Any thread may call this; it does not wait.

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
