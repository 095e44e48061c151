"""What an SKA device tells about itself."""

import json
from dataclasses import dataclass
from typing import ClassVar

from tango import DispLevel
from tango.server import attribute, command, device_property

from .debugger import listen_for_debugger
from .modes_device import ModesDevice

_LEVELS = range(1, 7)


@dataclass(frozen=True)
class Release:
    """What a device says of the software that it is.

    :param name: name of the distribution
    :param version: its version
    :param description: one sentence
    """

    name: str
    version: str
    description: str


class InformationDevice(ModesDevice):
    """A device that tells what software it is."""

    RELEASE: ClassVar[Release] = Release("", "", "")
    """What buildState, versionId and GetVersionInfo tell."""

    SkaLevel = device_property(
        dtype="DevShort",
        default_value=4,
        doc="Level of the device in the hierarchy of the telescope, 1 to 6.",
    )
    GroupDefinitions = device_property(
        dtype="DevVarStringArray",
        default_value=[],
        doc="Groups of devices, one JSON text each.",
    )

    def read_properties(self, *, first: bool = False) -> None:
        """Read the properties, and note what is wrong with those of this class."""
        super().read_properties(first=first)
        if self.property_fault is None:
            self.property_fault = self._information_fault()

    def _information_fault(self) -> str | None:
        if self.SkaLevel not in _LEVELS:
            return f"property SkaLevel is {self.SkaLevel}: give {_LEVELS[0]} to {_LEVELS[-1]}"
        for text in self.GroupDefinitions:
            if not _is_json_object(text):
                return f"property GroupDefinitions: {text!r} is no JSON object"
        return None

    @attribute(dtype="DevString", label="Build state")
    def buildState(self) -> str:
        """Name, version and description of the software."""
        return self._build_state()

    @attribute(dtype="DevString", label="Version")
    def versionId(self) -> str:
        """Version of the software."""
        return self.RELEASE.version

    @command(dtype_out="DevVarStringArray", doc_out="Class, name, version and description of the software")
    def GetVersionInfo(self) -> list[str]:
        """Tell what software the device is."""
        return [f"{type(self).__name__}, {self._build_state()}"]

    @command(
        dtype_out="DevUShort",
        doc_out="Port, on this host, that a debugger can be attached to",
        display_level=DispLevel.EXPERT,
    )
    def DebugDevice(self) -> int:
        """Let a Python debugger that speaks the Debug Adapter Protocol attach to the device server."""
        return listen_for_debugger()

    def _build_state(self) -> str:
        return ", ".join((self.RELEASE.name, self.RELEASE.version, self.RELEASE.description))


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
