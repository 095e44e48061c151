"""The state of a controller itself, as every client sees it."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from .base import Model


class AdminMode(StrEnum):
    """Admin mode: how far a controller may be used. The order is that of the device's DevEnum labels."""

    ONLINE = "ONLINE"
    """In normal use."""
    OFFLINE = "OFFLINE"
    """Not in use: nothing can be created or started."""
    ENGINEERING = "ENGINEERING"
    """In use for tests and maintenance."""
    NOT_FITTED = "NOT_FITTED"
    """The hardware that the device controls is not installed."""
    RESERVED = "RESERVED"
    """The hardware that the device controls is kept as a spare."""


class HealthState(StrEnum):
    """Health: how well a controller can execute scripts. The order is that of the device's DevEnum labels."""

    OK = "OK"
    DEGRADED = "DEGRADED"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


class OperatingState(StrEnum):
    """State that a controller can be switched to."""

    ON = "ON"
    OFF = "OFF"
    """Nothing can be created or started; a fault does not matter."""
    STANDBY = "STANDBY"
    """Nothing can be created or started."""


class ControlMode(StrEnum):
    """Control mode: who has control of a controller. The order is that of the device's DevEnum labels."""

    REMOTE = "REMOTE"
    LOCAL = "LOCAL"


class SimulationMode(StrEnum):
    """Simulation mode: whether a simulator replaces the hardware. The order is that of the labels."""

    FALSE = "FALSE"
    TRUE = "TRUE"


class TestMode(StrEnum):
    """Test mode: whether a controller runs logic that is for tests only. The order is that of the labels."""

    __test__ = False
    """It is not a test class, although pytest would take it for one."""

    NONE = "NONE"
    TEST = "TEST"


class LoggingLevel(StrEnum):
    """The least serious messages that a controller logs. The order is that of the labels."""

    OFF = "OFF"
    FATAL = "FATAL"
    ERROR = "ERROR"
    WARNING = "WARNING"
    INFO = "INFO"
    DEBUG = "DEBUG"


MAX_LOGGING_TARGETS = 4
"""How many targets a controller logs to at most."""


class ControllerSettings(Model):
    """Settings of a controller that the SKA device interface defines, in addition to its properties."""

    admin_mode: AdminMode = Field(description="how far it may be used")
    control_mode: ControlMode = Field(description="who has control of it")
    simulation_mode: SimulationMode = Field(
        description="whether a simulator stands in for what it controls; changes nothing for scripts"
    )
    test_mode: TestMode = Field(description="whether it is being tested; changes nothing for scripts")
    logging_level: LoggingLevel = Field(description="the least serious messages that it logs")
    logging_targets: list[str] = Field(
        description="where it logs to: `tango::logger`, `console::cout`, `file::/path`, "
        "`syslog::udp://host:port`",
        examples=[["tango::logger"]],
    )


class SettingsChange(Model):
    """Settings to change; those that are left out, or null, stay as they are."""

    admin_mode: AdminMode | None = None
    control_mode: ControlMode | None = None
    simulation_mode: SimulationMode | None = None
    test_mode: TestMode | None = None
    logging_level: LoggingLevel | None = None
    logging_targets: list[Annotated[str, Field(max_length=1024)]] | None = Field(
        default=None, max_length=MAX_LOGGING_TARGETS, description="all of them; an empty list for none"
    )


class ControllerStatus(Model):
    """State, health and mode of a controller at one moment."""

    device: str = Field(description="name of its Tango device")
    state: str = Field(
        description="state of the Tango device: ON if scripts can be created and started, ALARM if so and an "
        "attribute is beyond its alarm levels, FAULT if something must be fixed, DISABLE if the admin mode "
        "forbids them",
        examples=["ON"],
    )
    health_state: HealthState = Field(description="how well it can execute scripts")
    admin_mode: AdminMode = Field(description="how far it may be used")
    status: str = Field(
        description="what it is doing, and what is wrong and what to do about it, for people",
        examples=["Running #7 observe.py for 12 s (21 %). 1 standby worker."],
    )
    running_procedure: int | None = Field(description="ID of the procedure that runs main; null if none does")
    last_procedure: int | None = Field(description="ID of the procedure that was created last; null if none")
    subarray_id: int | None = Field(description="the only subarray that scripts may use; null for any")
    version: str = Field(description="version of the device's software")

    @property
    def is_in_use(self) -> bool:
        """Whether scripts can be created and started."""
        return self.state in ("ON", "ALARM")

    @property
    def obstacle(self) -> str | None:
        """Why no script can be created and started, and what to do, in one line; None if they can."""
        if self.is_in_use:
            return None
        return f"The controller {self.device} is in state {self.state}. {' '.join(self.status.split())}"
