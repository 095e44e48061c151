"""The logging attributes and properties of an SKA device."""

import logging
from collections.abc import Sequence

import tango
from tango import AttrWriteType, DispLevel
from tango.server import attribute, device_property

from .enums import LoggingLevel
from .log_targets import PROCESS_LOG_TARGETS, TANGO_TARGET
from .lrc_device import LrcDevice

LOGGER = logging.getLogger(__name__)

_MAX_TARGETS = 4


class LoggingDevice(LrcDevice):
    """A device that says what is logged, and where to, in the way of the SKA."""

    LoggingLevelDefault = device_property(
        dtype="DevUShort",
        default_value=LoggingLevel.INFO,
        doc="loggingLevel at start: 0 OFF, 1 FATAL, 2 ERROR, 3 WARNING, 4 INFO, 5 DEBUG.",
    )
    LoggingTargetsDefault = device_property(
        dtype="DevVarStringArray",
        default_value=[TANGO_TARGET],
        doc="loggingTargets at start, e.g. tango::logger, console::cout, file::/var/log/device.log.",
    )

    def init_device(self) -> None:
        """Log as the properties say."""
        super().init_device()
        self._logging_level = LoggingLevel.INFO
        self._logging_targets: list[str] = []
        self._log_as_properties_say()

    def delete_device(self) -> None:
        """Log no more on behalf of this device."""
        PROCESS_LOG_TARGETS.remove(self.get_name())
        super().delete_device()

    def read_properties(self, *, first: bool = False) -> None:
        """Read the properties again, and log as they say."""
        super().read_properties(first=first)
        if not first:
            self._log_as_properties_say()

    def _log_as_properties_say(self) -> None:
        # A property that could not be read is None.
        level, targets = self.LoggingLevelDefault, self.LoggingTargetsDefault
        if level is not None and level not in set(LoggingLevel):
            self.property_fault = (
                f"property LoggingLevelDefault is {level}: give {LoggingLevel.OFF:d} (OFF) to "
                f"{LoggingLevel.DEBUG:d} (DEBUG)"
            )
            level = None
        try:
            self._configure_logging(
                LoggingLevel(LoggingLevel.INFO if level is None else level),
                [TANGO_TARGET] if targets is None else list(targets),
            )
        except (ValueError, OSError) as error:
            self.property_fault = f"property LoggingTargetsDefault: {error}"

    def _configure_logging(self, level: LoggingLevel, targets: Sequence[str]) -> None:
        if len(targets) > _MAX_TARGETS:
            raise ValueError(f"{len(targets)} logging targets are too many: give at most {_MAX_TARGETS}")
        PROCESS_LOG_TARGETS.configure(self.get_name(), self.get_logger(), level, targets)
        self._logging_level, self._logging_targets = level, list(targets)
        self.publish("loggingLevel", level)
        self.publish("loggingTargets", list(targets))

    loggingLevel = attribute(
        dtype=LoggingLevel,
        access=AttrWriteType.READ_WRITE,
        label="Logging level",
        display_level=DispLevel.EXPERT,
        doc="The least serious messages that are logged.",
    )

    def read_loggingLevel(self) -> LoggingLevel:
        """Return the logging level."""
        return self._logging_level

    def write_loggingLevel(self, value: int) -> None:
        """Set the logging level."""
        self._configure_logging(LoggingLevel(value), self._logging_targets)

    loggingTargets = attribute(
        dtype=("DevString",),
        max_dim_x=_MAX_TARGETS,
        access=AttrWriteType.READ_WRITE,
        label="Logging targets",
        display_level=DispLevel.EXPERT,
        doc="Where messages are logged to: tango::logger, console::cout, file::/path, syslog::udp://host:port.",
    )

    def read_loggingTargets(self) -> list[str]:
        """Return where messages are logged to."""
        return self._logging_targets

    def write_loggingTargets(self, value: Sequence[str]) -> None:
        """Set where messages are logged to.

        :raises tango.DevFailed: if a target is of no known form or cannot be opened
        """
        try:
            self._configure_logging(self._logging_level, value)
        except (ValueError, OSError) as error:
            tango.Except.throw_exception("SKA_InvalidLoggingTarget", str(error), "write_loggingTargets")
