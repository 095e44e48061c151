"""The modes of an SKA device that say under what conditions it works."""

from tango import AttrWriteType, DispLevel
from tango.server import attribute

from .enums import ControlMode, SimulationMode, TestMode
from .logging_device import LoggingDevice


class ModesDevice(LoggingDevice):
    """A device that remembers its modes over a restart. What they mean is up to the subclass."""

    def init_device(self) -> None:
        """Start in the plain modes. Those that are memorised are written after this."""
        super().init_device()
        # Init puts these back without anybody writing them: those who listen must hear of it.
        self.write_controlMode(ControlMode.REMOTE)
        self.write_simulationMode(SimulationMode.FALSE)
        self.write_testMode(TestMode.NONE)

    controlMode = attribute(
        dtype=ControlMode,
        access=AttrWriteType.READ_WRITE,
        memorized=True,
        hw_memorized=True,
        label="Control mode",
        display_level=DispLevel.EXPERT,
        doc="Who has control of the device: REMOTE or LOCAL.",
    )

    def read_controlMode(self) -> ControlMode:
        """Return who has control."""
        return self._control_mode

    def write_controlMode(self, value: int) -> None:
        """Set who has control."""
        self._control_mode = ControlMode(value)
        self.publish("controlMode", self._control_mode)

    simulationMode = attribute(
        dtype=SimulationMode,
        access=AttrWriteType.READ_WRITE,
        memorized=True,
        hw_memorized=True,
        label="Simulation mode",
        display_level=DispLevel.EXPERT,
        doc="Whether a simulator stands in for what the device controls.",
    )

    def read_simulationMode(self) -> SimulationMode:
        """Return whether a simulator stands in."""
        return self._simulation_mode

    def write_simulationMode(self, value: int) -> None:
        """Set whether a simulator stands in."""
        self._simulation_mode = SimulationMode(value)
        self.publish("simulationMode", self._simulation_mode)

    testMode = attribute(
        dtype=TestMode,
        access=AttrWriteType.READ_WRITE,
        memorized=True,
        hw_memorized=True,
        label="Test mode",
        display_level=DispLevel.EXPERT,
        doc="Whether the device runs logic that is for tests only.",
    )

    def read_testMode(self) -> TestMode:
        """Return whether test logic runs."""
        return self._test_mode

    def write_testMode(self, value: int) -> None:
        """Set whether test logic runs."""
        self._test_mode = TestMode(value)
        self.publish("testMode", self._test_mode)
