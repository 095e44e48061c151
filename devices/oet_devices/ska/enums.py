"""The enumerations of the SKA control system. Their numbers and names are sent over the network.

Source: the published documentation of ska-control-model.
"""

from enum import IntEnum


class AdminMode(IntEnum):
    """Admin mode: how far the device may be used."""

    ONLINE = 0
    """In normal use."""
    OFFLINE = 1
    """Not to be used: the device does not communicate with what it controls."""
    ENGINEERING = 2
    """In use for tests and maintenance."""
    NOT_FITTED = 3
    """The hardware that the device controls is not installed."""
    RESERVED = 4
    """The hardware that the device controls is kept as a spare."""

    @property
    def is_in_use(self) -> bool:
        """Whether the device talks to what it controls in this mode."""
        return self in (AdminMode.ONLINE, AdminMode.ENGINEERING)


class HealthState(IntEnum):
    """Health of the device."""

    OK = 0
    """It can do all of it."""
    DEGRADED = 1
    """It can do what it is for, and something is wrong: Status says what."""
    FAILED = 2
    """It cannot do what it is for: Status says why."""
    UNKNOWN = 3
    """Not known, e.g. while adminMode is OFFLINE."""


class ControlMode(IntEnum):
    """Control mode: who has control of the device."""

    REMOTE = 0
    LOCAL = 1


class SimulationMode(IntEnum):
    """Simulation mode: whether a simulator replaces what the device controls."""

    FALSE = 0
    TRUE = 1


class TestMode(IntEnum):
    """Test mode: whether the device runs logic that is for tests only."""

    __test__ = False
    """It is not a test class, although pytest would take it for one."""

    NONE = 0
    TEST = 1


class LoggingLevel(IntEnum):
    """The least serious messages that a device logs."""

    OFF = 0
    FATAL = 1
    ERROR = 2
    WARNING = 3
    INFO = 4
    DEBUG = 5


class TaskStatus(IntEnum):
    """Status of a long-running command."""

    STAGING = 0
    """It has an ID; whether it waits or starts is not decided yet."""
    QUEUED = 1
    """It waits for its turn."""
    IN_PROGRESS = 2
    """It executes."""
    ABORTED = 3
    """It was ended by Abort, or its procedure was stopped."""
    NOT_FOUND = 4
    """The command is not known, or no longer."""
    COMPLETED = 5
    """It has ended; the result is in longRunningCommandResult and lrcFinished."""
    REJECTED = 6
    """It was not allowed when its turn came."""
    FAILED = 7
    """It has ended, and failed; the result says why."""

    @property
    def is_final(self) -> bool:
        """Whether a command in this status can never change again."""
        return self in (TaskStatus.ABORTED, TaskStatus.COMPLETED, TaskStatus.REJECTED, TaskStatus.FAILED)


class ResultCode(IntEnum):
    """Result codes of commands."""

    OK = 0
    """It has ended and done what it is for."""
    STARTED = 1
    """It was accepted, and executes."""
    QUEUED = 2
    """It was accepted, and waits for its turn."""
    FAILED = 3
    """It failed; the text says why."""
    UNKNOWN = 4
    """Its state is not known."""
    REJECTED = 5
    """It was refused; the text says why, and what to do."""
    NOT_ALLOWED = 6
    """It was not allowed when its turn came."""
    ABORTED = 7
    """It was ended by Abort, or its procedure was stopped."""


class CommunicationStatus(IntEnum):
    """Status of the communication of a device with what it controls."""

    DISABLED = 0
    """It does not try to."""
    NOT_ESTABLISHED = 1
    """It tries to."""
    ESTABLISHED = 2
