"""How the state of a device follows from its admin mode, from communication, and from commands."""

from dataclasses import dataclass

from tango import DevState

from .enums import AdminMode, CommunicationStatus

ON_AND_STANDBY_ALLOWED = frozenset({DevState.OFF, DevState.STANDBY, DevState.ON, DevState.UNKNOWN})
OFF_ALLOWED = ON_AND_STANDBY_ALLOWED | {DevState.FAULT}
RESET_ALLOWED = frozenset({DevState.STANDBY, DevState.ON, DevState.FAULT})


@dataclass(frozen=True)
class Operation:
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
        """What is to be mended; None if there is nothing."""
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


def way_out(state: DevState) -> str:
    """Return what to do so that a command is allowed which is not in a state.

    :param state: the device's state
    """
    if state == DevState.DISABLE:
        return "Set adminMode to ONLINE first."
    if state == DevState.FAULT:
        return "See Status, mend what it names, then send Reset."
    return (
        "Send On first." if state in (DevState.OFF, DevState.STANDBY) else "Try again when the device is ON."
    )
