"""Modes of an SKA device: control, simulation and test mode."""

from collections.abc import Callable
from enum import IntEnum
from typing import Any

from tango import AttrWriteType, DispLevel
from tango.server import attribute

from .enums import ControlMode, SimulationMode, TestMode

_ATTRIBUTES: dict[type[IntEnum], str] = {
    ControlMode: "controlMode",
    SimulationMode: "simulationMode",
    TestMode: "testMode",
}


class Modes:
    """Modes of a device, initially the normal ones. Their effect depends on the device.

    :param publish: pushes an event: name and new value of an attribute
    """

    def __init__(self, publish: Callable[[str, Any], None]) -> None:
        self._publish = publish
        self._values: dict[type[IntEnum], IntEnum] = {}
        # Init resets these without a write: subscribers must be notified.
        for kind in _ATTRIBUTES:
            self.set(kind(0))

    def get(self, kind: type[IntEnum]) -> IntEnum:
        """Return a mode."""
        return self._values[kind]

    def set(self, mode: IntEnum) -> None:
        """Set a mode."""
        self._values[type(mode)] = mode
        self._publish(_ATTRIBUTES[type(mode)], mode)


def mode_attribute(kind: type[IntEnum], label: str, doc: str) -> attribute:
    """Return an attribute that shows and sets a mode of a device's ``modes``, and is memorised."""

    def read(device: Any) -> IntEnum:
        modes: Modes = device.modes
        return modes.get(kind)

    def write(device: Any, value: int) -> None:
        device.modes.set(kind(value))

    return attribute(
        fget=read,
        fset=write,
        name=_ATTRIBUTES[kind],
        dtype=kind,
        access=AttrWriteType.READ_WRITE,
        memorized=True,
        hw_memorized=True,
        label=label,
        display_level=DispLevel.EXPERT,
        doc=doc,
    )
