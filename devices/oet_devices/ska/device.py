"""The SKA base device: modes, health, and the commands that every SKA device has."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tango import AttrWriteType, DevState, DispLevel
from tango.server import attribute, command

from .command_handle import CommandHandle
from .enums import AdminMode, CommunicationStatus, HealthState
from .information_device import InformationDevice
from .operation import OFF_ALLOWED, ON_AND_STANDBY_ALLOWED, RESET_ALLOWED, Operation, way_out
from .replies import Reply, refused

_LRC = ": QUEUED and the command's ID, or REJECTED and the reason"


class SkaBaseDevice(InformationDevice):
    """A device with the interface of an SKA base device.

    A subclass overrides `start_communicating`, `stop_communicating` and the hooks of the commands. It
    reports what it finds with `communication_state_changed` and `set_health`. None of what it overrides
    may wait for anything: the device's monitor is held.
    """

    def init_device(self) -> None:
        """Start OFFLINE, with health UNKNOWN. Memorised modes are written after this."""
        super().init_device()
        # What follows from one another changes together, whichever thread reports a change.
        self._operation_lock = threading.Lock()
        self._operation = Operation()
        self._health, self._health_reason = HealthState.UNKNOWN, ""
        self._commanded_state = "None"
        # Init puts these back without anybody writing them: those who listen must hear of it.
        self.publish("adminMode", self._operation.admin_mode)
        self.publish("healthState", self._health)
        self.publish("commandedState", self._commanded_state)
        self._operate(property_fault=self._property_complaint())

    def start_communicating(self) -> None:
        """Begin to talk to what the device controls, and report with `communication_state_changed`.

        Not called as long as a property is wrong.
        """
        self.communication_state_changed(CommunicationStatus.ESTABLISHED)

    def stop_communicating(self) -> None:
        """Leave alone what the device controls, and report with `communication_state_changed`."""
        self.communication_state_changed(CommunicationStatus.DISABLED)

    def on_on(self, handle: CommandHandle) -> None:
        """Carry out On. Report `power_changed`, and the end of the command to the handle."""
        self.power_changed(DevState.ON)
        self._conclude(handle)

    def on_standby(self, handle: CommandHandle) -> None:
        """Carry out Standby. Report `power_changed`, and the end of the command to the handle."""
        self.power_changed(DevState.STANDBY)
        self._conclude(handle)

    def on_off(self, handle: CommandHandle) -> None:
        """Carry out Off. Report `power_changed`, and the end of the command to the handle."""
        self.power_changed(DevState.OFF)
        handle.completed()

    def on_reset(self, handle: CommandHandle) -> None:
        """Carry out Reset, and report its end to the handle. The properties have been read again by then."""
        self.restart_communicating()
        handle.completed()

    def _conclude(self, handle: CommandHandle) -> None:
        """End a command that was to lead out of OFF: there a fault has not mattered."""
        if (fault := self._operation.fault) is not None:
            handle.failed(fault)
        else:
            handle.completed()

    def describe(self) -> str:
        """Return the first sentences of Status. Whoever overrides this calls `announce_status` on changes."""
        return f"The device is in {self._state} state."

    def communication_state_changed(
        self, status: CommunicationStatus, fault_reason: str | None = None
    ) -> None:
        """Report whether the device can talk to what it controls. Any thread may call this.

        :param status: whether it can
        :param fault_reason: why the device cannot do what it is for: it is in FAULT as long as this is given
        """
        self._operate(communication=status, component_fault=fault_reason)

    def power_changed(self, power: DevState) -> None:
        """Report what the device was switched to. Any thread may call this.

        :param power: ON, STANDBY or OFF
        """
        self._operate(power=power)

    def set_health(self, health: HealthState, reason: str = "") -> None:
        """Report how well the device can do what it is for. Any thread may call this.

        :param health: how well
        :param reason: a sentence for Status; empty if the device is well
        """
        with self._operation_lock:
            if (health, reason) == (self._health, self._health_reason):
                return
            before, self._health, self._health_reason = self._health, health, reason
            if health != before:
                self.publish("healthState", health)
        self.announce_status()

    def restart_communicating(self) -> None:
        """Begin anew to talk to what the device controls, if the device is in use."""
        if self._operation.admin_mode.is_in_use:
            self._operate(communication=CommunicationStatus.NOT_ESTABLISHED, component_fault=None)
            self._start()

    def status_text(self) -> str:
        """Return what Status reads as: what is going on, then what is wrong."""
        sentences = [self.describe()]
        if self._operation.fault:
            sentences.append(self._operation.fault)
        if self._health_reason:
            sentences.append(f"Health is {self._health.name}: {self._health_reason}")
        return "\n".join(sentences)

    def _start(self) -> None:
        # With a wrong property nothing good could come of it. Reset starts what is not started here.
        if self._operation.property_fault is None:
            self.start_communicating()
        else:
            self.set_health(HealthState.FAILED)

    def _property_complaint(self) -> str | None:
        return f"{self.property_fault}. Mend that, then send Reset." if self.property_fault else None

    def _operate(self, **changes: Any) -> None:
        """Note what has changed, and announce what follows from it.

        :param changes: new values of fields of `Operation`
        """
        with self._operation_lock:
            before = self._operation
            self._operation = replace(before, **changes)
            if self._operation.admin_mode != before.admin_mode:
                self.publish("adminMode", self._operation.admin_mode)
            news = self.change_state(self._operation.state) or self._operation.fault != before.fault
        # The subclass is asked for its part of the text: it may have locks of its own.
        if news:
            self.announce_status()

    adminMode = attribute(
        dtype=AdminMode,
        access=AttrWriteType.READ_WRITE,
        memorized=True,
        hw_memorized=True,
        label="Admin mode",
        doc="How far the device may be used: ONLINE and ENGINEERING start it, the others disable it.",
    )

    def read_adminMode(self) -> AdminMode:
        """Return the admin mode."""
        return self._operation.admin_mode

    def write_adminMode(self, value: int) -> None:
        """Start or stop the use of the device."""
        mode, before = AdminMode(value), self._operation.admin_mode
        if mode.is_in_use and not before.is_in_use:
            # What was switched off is on again, until whoever starts finds it is not.
            self._operate(
                admin_mode=mode, communication=CommunicationStatus.NOT_ESTABLISHED, power=DevState.ON
            )
            self._start()
        else:
            self._operate(admin_mode=mode)
            if before.is_in_use and not mode.is_in_use:
                self.stop_communicating()

    @attribute(dtype=HealthState, label="Health")
    def healthState(self) -> HealthState:
        """How well the device can do what it is for; the reason is in Status."""
        return self._health

    @attribute(dtype="DevString", label="Commanded state", display_level=DispLevel.EXPERT)
    def commandedState(self) -> str:
        """The state that the last On, Off or Standby is to lead to; None if there was none."""
        return self._commanded_state

    @command(dtype_out="DevVarLongStringArray", doc_out="Switch the device on" + _LRC)
    def On(self) -> Reply:
        """Switch the device on."""
        return self._switch("On", DevState.ON, ON_AND_STANDBY_ALLOWED, self.on_on)

    @command(dtype_out="DevVarLongStringArray", doc_out="Switch the device off" + _LRC)
    def Off(self) -> Reply:
        """Switch the device off."""
        return self._switch("Off", DevState.OFF, OFF_ALLOWED, self.on_off)

    @command(dtype_out="DevVarLongStringArray", doc_out="Bring the device to stand-by" + _LRC)
    def Standby(self) -> Reply:
        """Bring the device to stand-by."""
        return self._switch("Standby", DevState.STANDBY, ON_AND_STANDBY_ALLOWED, self.on_standby)

    @command(
        dtype_out="DevVarLongStringArray",
        doc_out="Read the properties again, and leave FAULT if what was wrong is mended" + _LRC,
    )
    def Reset(self) -> Reply:
        """Read the properties again, and leave FAULT if what was wrong has been mended."""
        if self._state not in RESET_ALLOWED:
            return self._not_allowed("Reset")
        return self.run_command("Reset", self._reset)

    def _switch(
        self,
        name: str,
        target: DevState,
        allowed: frozenset[DevState],
        hook: Callable[[CommandHandle], None],
    ) -> Reply:
        if self._state not in allowed:
            return self._not_allowed(name)
        if self._state == target:
            return refused(f"Device is already in {target} state.")

        def run(handle: CommandHandle) -> None:
            self._commanded_state = str(target)
            self.publish("commandedState", self._commanded_state)
            hook(handle)

        return self.run_command(name, run)

    def _reset(self, handle: CommandHandle) -> None:
        before = self._operation.property_fault
        self.read_properties()
        complaint = self._property_complaint()
        self._operate(property_fault=complaint)
        if complaint is not None:
            self.set_health(HealthState.FAILED)
            handle.failed(complaint)
            return
        if before is not None:
            # Until whatever is started now reports.
            self.set_health(HealthState.UNKNOWN)
        self.on_reset(handle)

    def _not_allowed(self, name: str) -> Reply:
        return refused(f"Command {name} is not allowed in state {self._state}. {way_out(self._state)}")
