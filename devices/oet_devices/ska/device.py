"""The SKA base device: its attributes, commands and properties."""

from collections.abc import Sequence
from typing import ClassVar

from tango import AttrWriteType, DevState, DispLevel
from tango.server import attribute, command, device_property

from ska_oso_oet import logs

from .alarms import alarm_sentences, has_alarm_levels
from .debugger import listen_for_debugger
from .enums import (
    AdminMode,
    CommunicationStatus,
    ControlMode,
    HealthState,
    LoggingLevel,
    SimulationMode,
    TestMode,
)
from .event_device import EventDevice
from .information import Release, information_fault
from .log_targets import TANGO_TARGET
from .logging_configuration import MAX_TARGETS, LoggingConfiguration
from .long_running_commands import LongRunningCommands
from .lrc_attributes import LrcAttribute
from .lrc_spectra import lrc_attribute
from .modes import Modes, mode_attribute
from .operation import Links, Operation
from .operation_commands import OperationCommands
from .replies import Reply
from .request_log import RequestLog, request

_PROTOCOL_VERSIONS = (1, 2)

_RESET_ANSWER = "QUEUED and the command's ID. Where the state forbids it, DevFailed: API_CommandNotAllowed"
_SWITCH_ANSWER = f"{_RESET_ANSWER}. REJECTED if the device is in that state already"
_ABORT_DOC = "STARTED and the ID of this command, which ends all commands that wait or execute"


class SkaBaseDevice(EventDevice):
    """A device with the interface of an SKA base device.

    A subclass overrides `start_communicating`, `stop_communicating`, `apply_properties` and `describe`. It
    reports faults and states to its `operation`, and accepts commands with its `commands`. The overridden
    methods must not wait for anything: the device's monitor is held.
    """

    WITHOUT_EVENTS: ClassVar[frozenset[str]] = frozenset({"lrcProtocolVersions"})
    CHANGE_EVENTS_ONLY: ClassVar[frozenset[str]] = frozenset({LrcAttribute.EVENT})

    COMMANDS_OUTLIVE_INIT: ClassVar[bool] = False
    """Whether commands that wait or execute continue after Init; otherwise it aborts them."""

    RELEASE: ClassVar[Release] = Release("", "", "")
    """Release that buildState, versionId and GetVersionInfo report."""

    LoggingLevelDefault = device_property(
        dtype="DevUShort",
        default_value=LoggingLevel.INFO,
        doc="loggingLevel at start: 0 OFF, 1 FATAL, 2 ERROR, 3 WARNING, 4 INFO, 5 DEBUG.",
    )
    LoggingTargetsDefault = device_property(
        dtype="DevVarStringArray",
        default_value=[TANGO_TARGET],
        doc="loggingTargets at start: tango::logger, console::cout, file::/var/log/device.log, "
        "syslog::udp://host:port. All but the first get the SKA log format, or JSON if the environment "
        "variable OET_LOG_FORMAT of the server is json.",
    )
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

    commands: LongRunningCommands
    operation: Operation
    requests: RequestLog
    logging: LoggingConfiguration
    modes: Modes

    def compose(self) -> None:
        """Create the objects that outlive Init."""
        super().compose()
        self.requests = RequestLog(self)
        self.commands = LongRunningCommands(self.publish)
        self.operation = Operation(
            Links(
                self.publish,
                self.announce_status,
                self.start_communicating,
                self.stop_communicating,
                self.state_changed,
                self._log,
            )
        )
        self._operation_commands = OperationCommands(self.operation, self.commands)

    def init_device(self) -> None:
        """Begin OFFLINE, in the plain modes. Memorised modes are written after this."""
        super().init_device()
        self.add_version_info(self.RELEASE.name, self.RELEASE.version)
        self.commands.open()
        self.logging = LoggingConfiguration(self.get_name(), self.get_logger(), self.publish)
        self._check_properties()
        self.modes = Modes(self.publish)
        self.operation.initialise(self._complaint())

    def delete_device(self) -> None:
        """Log no more on behalf of this device, and end all commands as aborted unless they outlive Init."""
        self.logging.close()
        if self.is_going or not self.COMMANDS_OUTLIVE_INIT:
            self.commands.close()
        super().delete_device()

    def start_communicating(self) -> None:
        """Begin to communicate with what the device controls, and report that to `operation`.

        Not called as long as a property is wrong.
        """
        self.operation.report_communication(CommunicationStatus.ESTABLISHED)

    def stop_communicating(self) -> None:
        """Stop to communicate with what the device controls, and report that to `operation`."""
        self.operation.report_communication(CommunicationStatus.DISABLED)

    def state_changed(self) -> None:
        """Called when the state has changed. Must not wait."""

    def apply_properties(self) -> str | None:
        """Apply the properties, which Reset has read again. Returns why that is not possible, else None."""
        return None

    def describe(self) -> str:
        """Return the first sentences of Status. A subclass calls `announce_status` when they change."""
        return f"The device is in {self.operation.state} state."

    def dev_state(self) -> DevState:
        """Return the present state: events of it may still wait to be pushed.

        As with any Tango device, a device that is ON is in ALARM as long as one of its attributes is.
        Commands are accepted as in ON.
        """
        state = self.operation.state
        if state != DevState.ON or not has_alarm_levels(self):
            return state
        self.set_state(state)
        return super().dev_state()

    def status_text(self) -> str:
        """Return Status: the present activity, then the faults."""
        alarms = alarm_sentences(self) if self.operation.state == DevState.ON else []
        return "\n".join([self.describe(), *self.operation.complaints, *alarms])

    def _log(self, level: int, line: str) -> None:
        logs.log(level, line, device=self.get_name())

    def _check_properties(self) -> None:
        """Configure logging by the properties, and note in `property_fault` if they cannot be used."""
        logging_fault = self.logging.apply_properties(self.LoggingLevelDefault, self.LoggingTargetsDefault)
        if (fault := logging_fault or self.property_fault) is None:
            fault = information_fault(self.SkaLevel, self.GroupDefinitions)
        self.property_fault = fault

    def _complaint(self) -> str | None:
        return f"{self.property_fault}. Fix that, then send Reset." if self.property_fault else None

    def _reset(self) -> str | None:
        """Read the properties again. Returns why they cannot be applied, None if they can."""
        self.read_properties()
        self._check_properties()
        complaint = self._complaint()
        self.operation.report_properties(complaint)
        return self.apply_properties() if complaint is None else complaint

    # Long-running commands

    longRunningCommandsInQueue = lrc_attribute(LrcAttribute.NAMES_IN_QUEUE)
    longRunningCommandIDsInQueue = lrc_attribute(LrcAttribute.IDS_IN_QUEUE)
    longRunningCommandStatus = lrc_attribute(LrcAttribute.STATUS)
    longRunningCommandInProgress = lrc_attribute(LrcAttribute.IN_PROGRESS)
    longRunningCommandProgress = lrc_attribute(LrcAttribute.PROGRESS)
    longRunningCommandResult = lrc_attribute(LrcAttribute.RESULT)
    lrcQueue = lrc_attribute(LrcAttribute.QUEUE)
    lrcExecuting = lrc_attribute(LrcAttribute.EXECUTING)
    lrcFinished = lrc_attribute(LrcAttribute.FINISHED)
    lrcEvent = lrc_attribute(LrcAttribute.EVENT)

    @attribute(dtype=("DevLong64",), max_dim_x=2, label="Protocol versions", display_level=DispLevel.EXPERT)
    def lrcProtocolVersions(self) -> tuple[int, int]:
        """Lowest and highest version of the long-running-command protocol that the device speaks."""
        return _PROTOCOL_VERSIONS

    @command(
        dtype_in="DevString",
        doc_in="ID of a long-running command, e.g. 1636437568.0723004_7_Start",
        dtype_out="DevString",
        doc_out="Name of its status: STAGING, QUEUED, IN_PROGRESS, ABORTED, NOT_FOUND, COMPLETED, "
        "REJECTED or FAILED",
        display_level=DispLevel.EXPERT,
    )
    def CheckLongRunningCommandStatus(self, argin: str) -> str:
        """Return the status of a long-running command."""
        return self.commands.tracker.status(argin).name

    @request(dtype_out="DevVarLongStringArray", doc_out=_ABORT_DOC)
    def Abort(self) -> Reply:
        """End all commands that wait or execute."""
        return self.commands.abort_all("Abort")

    @request(
        dtype_out="DevVarLongStringArray",
        doc_out=_ABORT_DOC + ". Deprecated: use Abort",
        display_level=DispLevel.EXPERT,
    )
    def AbortCommands(self) -> Reply:
        """End all commands that wait or execute. Deprecated: use Abort."""
        return self.commands.abort_all("AbortCommands")

    # Logging

    loggingLevel = attribute(
        dtype=LoggingLevel,
        access=AttrWriteType.READ_WRITE,
        label="Logging level",
        display_level=DispLevel.EXPERT,
        doc="The least serious messages that are logged.",
    )

    def read_loggingLevel(self) -> LoggingLevel:
        """Return the logging level."""
        return self.logging.level

    def write_loggingLevel(self, value: int) -> None:
        """Set the logging level."""
        self.logging.set_level(LoggingLevel(value))

    loggingTargets = attribute(
        dtype=("DevString",),
        max_dim_x=MAX_TARGETS,
        access=AttrWriteType.READ_WRITE,
        label="Logging targets",
        display_level=DispLevel.EXPERT,
        doc="Where messages are logged to: tango::logger, console::cout, file::/path, syslog::udp://host:port.",
    )

    def read_loggingTargets(self) -> list[str]:
        """Return the logging targets."""
        return self.logging.targets

    def write_loggingTargets(self, value: Sequence[str]) -> None:
        """Set the logging targets."""
        self.logging.set_targets(value)

    # Modes

    controlMode = mode_attribute(
        ControlMode, "Control mode", "Who has control of the device: REMOTE or LOCAL."
    )
    simulationMode = mode_attribute(
        SimulationMode, "Simulation mode", "Whether a simulator stands in for what the device controls."
    )
    testMode = mode_attribute(TestMode, "Test mode", "Whether the device runs logic that is for tests only.")

    # Information

    @attribute(dtype="DevString", label="Build state")
    def buildState(self) -> str:
        """Name, version and description of the software."""
        return self.RELEASE.build_state

    @attribute(dtype="DevString", label="Version")
    def versionId(self) -> str:
        """Version of the software."""
        return self.RELEASE.version

    @command(dtype_out="DevVarStringArray", doc_out="Class, name, version and description of the software")
    def GetVersionInfo(self) -> list[str]:
        """Return name, version and description of the software."""
        return [f"{type(self).__name__}, {self.RELEASE.build_state}"]

    @command(
        dtype_out="DevUShort",
        doc_out="Port, on this host, that a debugger can be attached to",
        display_level=DispLevel.EXPERT,
    )
    def DebugDevice(self) -> int:
        """Let a Python debugger that speaks the Debug Adapter Protocol attach to the device server."""
        return listen_for_debugger()

    # Operation

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
        return self.operation.admin_mode

    def write_adminMode(self, value: int) -> None:
        """Start or stop the use of the device."""
        mode = AdminMode(value)
        self.requests.carry_out("adminMode", mode.name, lambda: self.operation.set_admin_mode(mode))

    @attribute(dtype=HealthState, label="Health")
    def healthState(self) -> HealthState:
        """Health of the device; the reason is in Status."""
        return self.operation.health

    @attribute(dtype="DevString", label="Commanded state", display_level=DispLevel.EXPERT)
    def commandedState(self) -> str:
        """The state that the last On, Off or Standby is to lead to; None if there was none."""
        return self.operation.commanded_state

    @request(dtype_out="DevVarLongStringArray", doc_out=_SWITCH_ANSWER)
    def On(self) -> Reply:
        """Switch the device on."""
        return self._operation_commands.switch("On", DevState.ON)

    @request(dtype_out="DevVarLongStringArray", doc_out=_SWITCH_ANSWER)
    def Off(self) -> Reply:
        """Switch the device off."""
        return self._operation_commands.switch("Off", DevState.OFF)

    @request(dtype_out="DevVarLongStringArray", doc_out=_SWITCH_ANSWER)
    def Standby(self) -> Reply:
        """Bring the device to stand-by."""
        return self._operation_commands.switch("Standby", DevState.STANDBY)

    @request(dtype_out="DevVarLongStringArray", doc_out=_RESET_ANSWER)
    def Reset(self) -> Reply:
        """Read the properties again, and leave FAULT if the fault has been fixed."""
        return self._operation_commands.reset(self._reset)
