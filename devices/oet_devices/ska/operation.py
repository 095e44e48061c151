"""How the state of a device follows from its admin mode, from communication, and from commands."""

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
    """What the state of a device follows from.

    :param power: ON, STANDBY or OFF: what the device, or what it controls, was switched to
    :param component_fault: why the device cannot do what it is for; None if it can
    :param property_fault: why the properties of the device cannot be used; None if they can
    """

    admin_mode: AdminMode = AdminMode.OFFLINE
    communication: CommunicationStatus = CommunicationStatus.DISABLED
    power: DevState = DevState.ON
    component_fault: str | None = None
    property_fault: str | None = None

    @property
    def fault(self) -> str | None:
        """What is to be fixed; None if there is nothing."""
        return self.property_fault or self.component_fault

    @property
    def state(self) -> DevState:
        """The state of the device."""
        if not self.admin_mode.is_in_use:
            return DevState.DISABLE
        if self.fault is not None and self.power == DevState.OFF:
            return DevState.OFF  # what is wrong does not matter until it is switched on again
        if self.fault is not None:
            return DevState.FAULT
        if self.communication is not CommunicationStatus.ESTABLISHED:
            return DevState.UNKNOWN
        return self.power


@dataclass(frozen=True)
class Links:
    """What an `Operation` calls. None of it may wait: the device's monitor may be held.

    :param publish: pushes an event: name and new value of an attribute
    :param announce_status: says that the text of Status has changed
    :param start: begins to communicate with what the device controls
    :param stop: leaves alone what the device controls
    :param state_changed: says that the state has changed
    :param log: logs a change: its level and a line
    """

    publish: Callable[[str, Any], None]
    announce_status: Callable[[], None]
    start: Callable[[], None]
    stop: Callable[[], None]
    state_changed: Callable[[], None]
    log: Callable[[int, str], None] = lambda level, line: None


class Operation:
    """State, health and admin mode of a device, and what the one does to the other. Any thread may use it.

    It exists as long as its device: Init only puts it back.

    :param links: what it calls
    """

    def __init__(self, links: Links) -> None:
        self._links = links
        # What follows from one another changes together, whichever thread reports a change.
        self._lock = threading.Lock()
        self._condition = Condition()
        self._state = DevState.INIT
        self._health, self._health_reason = HealthState.UNKNOWN, ""
        self._commanded_state = "None"

    @property
    def state(self) -> DevState:
        """The state of this moment: events of it may still wait to be pushed."""
        return self._state

    @property
    def admin_mode(self) -> AdminMode:
        """How far the device may be used."""
        return self._condition.admin_mode

    @property
    def health(self) -> HealthState:
        """How well the device can do what it is for."""
        return self._health

    @property
    def commanded_state(self) -> str:
        """The state that the last On, Off or Standby is to lead to."""
        return self._commanded_state

    @property
    def fault(self) -> str | None:
        """What is to be fixed; None if there is nothing."""
        return self._condition.fault

    @property
    def complaints(self) -> list[str]:
        """Sentences for Status that say what is wrong."""
        sentences = [fault] if (fault := self.fault) else []
        health, reason = self._health, self._health_reason
        if reason:
            sentences.append(f"Health is {health.name}: {reason}")
        return sentences

    def initialise(self, property_fault: str | None) -> None:
        """Be OFFLINE, with health UNKNOWN. Memorised modes are written after this.

        :param property_fault: why the properties cannot be used, and what to do; None if they can
        """
        with self._lock:
            self._condition, self._state = Condition(), DevState.INIT
            self._health, self._health_reason = HealthState.UNKNOWN, ""
            self._commanded_state = "None"
            # Init puts these back without anybody writing them: those who listen must hear of it.
            self._links.publish("adminMode", self.admin_mode)
            self._links.publish("healthState", self._health)
            self._links.publish("commandedState", self._commanded_state)
        self._change(property_fault=property_fault)

    def set_admin_mode(self, mode: AdminMode) -> None:
        """Start or stop the use of the device."""
        before = self.admin_mode
        if mode.is_in_use and not before.is_in_use:
            # What was switched off is on again, until what is started reports that it is not.
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
        :param fault: why the device cannot do what it is for: it is in FAULT as long as this is given
        """
        self._change(communication=status, component_fault=fault)

    def report_power(self, power: DevState) -> None:
        """Report what the device was switched to.

        :param power: ON, STANDBY or OFF
        """
        self._change(power=power)

    def report_properties(self, fault: str | None) -> None:
        """Report what is wrong with the properties, after they have been read again.

        :param fault: why they cannot be used, and what to do; None if they can
        """
        before = self._condition.property_fault
        self._change(property_fault=fault)
        if fault is not None:
            self.report_health(HealthState.FAILED)
        elif before is not None:
            # Until what is started now reports.
            self.report_health(HealthState.UNKNOWN)

    def report_health(self, health: HealthState, reason: str = "") -> None:
        """Report how well the device can do what it is for.

        :param health: how well
        :param reason: a sentence for Status; empty if the device is well
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
        # With a wrong property nothing good could come of it. Reset starts what is not started here.
        if self._condition.property_fault is None:
            self._links.start()
        else:
            self.report_health(HealthState.FAILED)

    def _change(self, **changes: Any) -> None:
        """Note what has changed, and announce what follows from it.

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
