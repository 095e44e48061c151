"""State machine of a device: its state follows from admin mode, communication and commands."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tango import DevState

from .enums import AdminMode, CommunicationStatus, HealthState

_HEALTH_LEVELS = {
    HealthState.OK: logging.INFO,
    HealthState.DEGRADED: logging.WARNING,
    HealthState.FAILED: logging.ERROR,
    HealthState.UNKNOWN: logging.INFO,
}


@dataclass(frozen=True)
class Condition:
    """Inputs from which the state of a device follows.

    :param power: ON, STANDBY or OFF: the state that was commanded for the device or its hardware
    :param component_fault: why the device cannot work; None if it can
    :param property_fault: why the properties of the device cannot be used; None if they can
    """

    admin_mode: AdminMode = AdminMode.OFFLINE
    communication: CommunicationStatus = CommunicationStatus.DISABLED
    power: DevState = DevState.ON
    component_fault: str | None = None
    property_fault: str | None = None

    @property
    def fault(self) -> str | None:
        """Fault to be fixed; None if there is none."""
        return self.property_fault or self.component_fault

    @property
    def state(self) -> DevState:
        """The state of the device."""
        if not self.admin_mode.is_in_use:
            return DevState.DISABLE
        if self.fault is not None and self.power == DevState.OFF:
            return DevState.OFF  # a fault does not matter until it is switched on again
        if self.fault is not None:
            return DevState.FAULT
        if self.communication is not CommunicationStatus.ESTABLISHED:
            return DevState.UNKNOWN
        return self.power


@dataclass(frozen=True)
class Links:
    """Callbacks of an `Operation`. They must not wait: the device's monitor may be held.

    :param publish: pushes an event: name and new value of an attribute
    :param announce_status: reports that the text of Status has changed
    :param start: begins to communicate with what the device controls
    :param stop: ends the communication with what the device controls
    :param state_changed: reports that the state has changed
    :param log: logs a change: its level and a line
    """

    publish: Callable[[str, Any], None]
    announce_status: Callable[[], None]
    start: Callable[[], None]
    stop: Callable[[], None]
    state_changed: Callable[[], None]
    log: Callable[[int, str], None] = lambda level, line: None


class Operation:
    """State, health and admin mode of a device, and their dependencies. Any thread may use it.

    It exists as long as its device: Init only resets it.

    :param links: its callbacks
    """

    def __init__(self, links: Links) -> None:
        self._links = links
        # Dependent values change together, for reports of any thread.
        self._lock = threading.Lock()
        self._condition = Condition()
        self._state = DevState.INIT
        self._health, self._health_reason = HealthState.UNKNOWN, ""
        self._commanded_state = "None"

    @property
    def state(self) -> DevState:
        """The present state: events of it may still wait to be pushed."""
        return self._state

    @property
    def admin_mode(self) -> AdminMode:
        """How far the device may be used."""
        return self._condition.admin_mode

    @property
    def health(self) -> HealthState:
        """Health of the device."""
        return self._health

    @property
    def commanded_state(self) -> str:
        """The state that the last On, Off or Standby is to lead to."""
        return self._commanded_state

    @property
    def fault(self) -> str | None:
        """Fault to be fixed; None if there is none."""
        return self._condition.fault

    @property
    def complaints(self) -> list[str]:
        """Sentences for Status about faults."""
        sentences = [fault] if (fault := self.fault) else []
        health, reason = self._health, self._health_reason
        if reason:
            sentences.append(f"Health is {health.name}: {reason}")
        return sentences

    def initialise(self, property_fault: str | None) -> None:
        """Reset to OFFLINE, with health UNKNOWN. Memorised modes are written after this.

        :param property_fault: why the properties cannot be used, and what to do; None if they can
        """
        with self._lock:
            self._condition, self._state = Condition(), DevState.INIT
            self._health, self._health_reason = HealthState.UNKNOWN, ""
            self._commanded_state = "None"
            # Init resets these without a write: subscribers must be notified.
            self._links.publish("adminMode", self.admin_mode)
            self._links.publish("healthState", self._health)
            self._links.publish("commandedState", self._commanded_state)
        self._change(property_fault=property_fault)

    def set_admin_mode(self, mode: AdminMode) -> None:
        """Start or stop the use of the device."""
        before = self.admin_mode
        if mode.is_in_use and not before.is_in_use:
            # The hardware counts as on again, until the communication reports that it is not.
            self._change(
                admin_mode=mode, communication=CommunicationStatus.NOT_ESTABLISHED, power=DevState.ON
            )
            self._start()
        else:
            self._change(admin_mode=mode)
            if before.is_in_use and not mode.is_in_use:
                self._links.stop()

    def command_state(self, state: DevState) -> None:
        """Note the state that a command is to lead to, and be switched to it."""
        self._commanded_state = str(state)
        self._links.publish("commandedState", self._commanded_state)
        self._change(power=state)

    def restart(self) -> None:
        """Begin again to communicate with what the device controls, if the device is in use."""
        if self.admin_mode.is_in_use:
            self._change(communication=CommunicationStatus.NOT_ESTABLISHED, component_fault=None)
            self._start()

    def report_communication(self, status: CommunicationStatus, fault: str | None = None) -> None:
        """Report whether the device can communicate with what it controls.

        :param status: whether it can
        :param fault: why the device cannot work: it is in FAULT as long as this is given
        """
        self._change(communication=status, component_fault=fault)

    def report_power(self, power: DevState) -> None:
        """Report the state to which the device was switched.

        :param power: ON, STANDBY or OFF
        """
        self._change(power=power)

    def report_properties(self, fault: str | None) -> None:
        """Report the fault of the properties, after they have been read again.

        :param fault: why they cannot be used, and what to do; None if they can
        """
        before = self._condition.property_fault
        self._change(property_fault=fault)
        if fault is not None:
            self.report_health(HealthState.FAILED)
        elif before is not None:
            # Until the communication that is started now reports.
            self.report_health(HealthState.UNKNOWN)

    def report_health(self, health: HealthState, reason: str = "") -> None:
        """Report the health of the device.

        :param health: its health
        :param reason: a sentence for Status; empty if the health is OK
        """
        with self._lock:
            if (health, reason) == (self._health, self._health_reason):
                return
            before, self._health, self._health_reason = self._health, health, reason
            self._links.log(_HEALTH_LEVELS[health], f"Health is {health.name}. {reason}".rstrip(". ") + ".")
            if health != before:
                self._links.publish("healthState", health)
        self._links.announce_status()

    def _log_state(self) -> None:
        fault = f": {self.fault}" if self._state == DevState.FAULT else ""
        level = logging.ERROR if fault else logging.INFO
        self._links.log(level, f"State is {self._state}, adminMode {self.admin_mode.name}{fault}")

    def _start(self) -> None:
        # With a wrong property it would fail. Reset starts the communication later.
        if self._condition.property_fault is None:
            self._links.start()
        else:
            self.report_health(HealthState.FAILED)

    def _change(self, **changes: Any) -> None:
        """Store changes, and announce their consequences.

        :param changes: new values of fields of `Condition`
        """
        with self._lock:
            before = self._condition
            self._condition = replace(before, **changes)
            if self.admin_mode != before.admin_mode:
                self._links.publish("adminMode", self.admin_mode)
            news = self._condition.fault != before.fault
            enters = self._condition.state != self._state
            if enters:
                self._state, news = self._condition.state, True
                self._log_state()
                self._links.publish("State", self._state)
        # The device is asked for its part of the text: it may have locks of its own.
        if news:
            self._links.announce_status()
        if enters:
            self._links.state_changed()
