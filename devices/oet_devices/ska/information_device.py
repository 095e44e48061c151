"""What an SKA device tells about itself."""

from dataclasses import dataclass
from typing import ClassVar

from tango import DispLevel
from tango.server import attribute, command, device_property

from .debugger import listen_for_debugger
from .modes_device import ModesDevice


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
