"""Logging configuration of a device: level and targets."""

from collections.abc import Callable, Sequence
from typing import Any

import tango

from .enums import LoggingLevel
from .log_targets import PROCESS_LOG_TARGETS, TANGO_TARGET

MAX_TARGETS = 4


class LoggingConfiguration:
    """Level and targets of a device's log messages.

    :param device: name of the device
    :param logger: its Tango logger
    :param publish: pushes an event: name and new value of an attribute
    """

    def __init__(self, device: str, logger: tango.Logger, publish: Callable[[str, Any], None]) -> None:
        self._device = device
        self._logger = logger
        self._publish = publish
        self.level = LoggingLevel.INFO
        self.targets: list[str] = []

    def apply_properties(self, level: int | None, targets: Sequence[str] | None) -> str | None:
        """Configure logging by the properties of the device.

        :param level: LoggingLevelDefault, None if it could not be read
        :param targets: LoggingTargetsDefault, None if it could not be read
        :returns: their fault, None if there is none
        """
        fault = None
        if level is not None and level not in set(LoggingLevel):
            fault = (
                f"property LoggingLevelDefault is {level}: give {LoggingLevel.OFF:d} (OFF) to "
                f"{LoggingLevel.DEBUG:d} (DEBUG)"
            )
            level = None
        try:
            self._configure(
                LoggingLevel(LoggingLevel.INFO if level is None else level),
                [TANGO_TARGET] if targets is None else targets,
            )
        except (ValueError, OSError) as error:
            fault = f"property LoggingTargetsDefault: {error}"
        return fault

    def set_level(self, level: LoggingLevel) -> None:
        """Set the least serious messages that are logged."""
        self._configure(level, self.targets)

    def set_targets(self, targets: Sequence[str]) -> None:
        """Set the logging targets.

        :raises tango.DevFailed: if a target has no known form or cannot be opened
        """
        try:
            self._configure(self.level, targets)
        except (ValueError, OSError) as error:
            tango.Except.throw_exception("SKA_InvalidLoggingTarget", str(error), "write_loggingTargets")

    def close(self) -> None:
        """Stop logging on behalf of the device."""
        PROCESS_LOG_TARGETS.remove(self._device)

    def _configure(self, level: LoggingLevel, targets: Sequence[str]) -> None:
        if len(targets) > MAX_TARGETS:
            raise ValueError(f"{len(targets)} logging targets are too many: give at most {MAX_TARGETS}")
        PROCESS_LOG_TARGETS.configure(self._device, self._logger, level, targets)
        self.level, self.targets = level, list(targets)
        self._publish("loggingLevel", level)
        self._publish("loggingTargets", list(targets))
