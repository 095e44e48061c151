"""Client for the settings of a controller that the SKA device interface defines."""

from enum import StrEnum
from typing import Any

from ska_oso_oet.model import (
    AdminMode,
    ControllerSettings,
    ControlMode,
    LoggingLevel,
    SettingsChange,
    SimulationMode,
    TestMode,
)

from .link import DeviceLink

_ENUMERATIONS: dict[str, tuple[str, type[StrEnum]]] = {
    "admin_mode": ("adminMode", AdminMode),
    "control_mode": ("controlMode", ControlMode),
    "simulation_mode": ("simulationMode", SimulationMode),
    "test_mode": ("testMode", TestMode),
    "logging_level": ("loggingLevel", LoggingLevel),
}
"""Attributes of the device whose values are numbers of labels, by the name of the setting."""
_TARGETS = "loggingTargets"


class DeviceSettings:
    """Reads and changes settings. All methods raise a `ControllerError` that describes the fault.

    :param link: to the device
    """

    def __init__(self, link: DeviceLink) -> None:
        self._link = link

    async def read(self) -> ControllerSettings:
        """Return the settings."""
        attributes = [attribute for attribute, _ in _ENUMERATIONS.values()]
        *numbers, targets = await self._link.read_all("settings", *attributes, _TARGETS)
        values: dict[str, Any] = {
            name: tuple(labels)[number]
            for (name, (_, labels)), number in zip(_ENUMERATIONS.items(), numbers, strict=True)
        }
        return ControllerSettings(**values, logging_targets=list(targets or ()))

    async def change(self, change: SettingsChange) -> None:
        """Change settings, one after the other. Modes are remembered over restarts of the device.

        :param change: the settings; those that are None stay as they are
        :raises InvalidRequestError: if the form of a logging target is not known, or it cannot be opened
        """
        # Changes that can be refused go first: then nothing has been changed.
        if change.logging_targets is not None:
            await self._link.write(_TARGETS, change.logging_targets)
        for name, (attribute, labels) in _ENUMERATIONS.items():
            if (value := getattr(change, name)) is not None:
                await self._link.write(attribute, tuple(labels).index(value))
